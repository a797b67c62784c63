import { setImmediate } from 'node:timers/promises';
import { EventSourcingError } from '../event-sourcing-error';
import type { RecordedEvent } from '../events/recorded-event';
import type { EventQuery } from './event-query';
import type { EventStore } from './event-store';

/** After so many events the event loop is let free, as a store in memory never waits for anything. */
const breathAfter = 1_000;

/** Pauses before what could not be read is read again: they grow from the first to the second. */
const shortestPauseMs = 100;
const longestPauseMs = 5_000;

/** Taken here, so that fake timers in a user's tests do not stop the reading. */
const nextTurn = setImmediate;
const later = setTimeout;

/**
 * Reads what matches, then waits for more, until `signal` aborts or the store closes. Each event comes once, in
 * order; the store is read only as fast as chunks are taken.
 *
 * A database that is away does not end it: it warns, reads again after a pause, and goes on where it was. An
 * {@link EventSourcingError} says what no waiting would mend, and is thrown.
 */
export async function* follow(
  store: EventStore,
  query: Pick<EventQuery, 'after' | 'criteria'>,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[], void> {
  const bell = new Bell(store, signal);
  const patience = new Patience();
  let { after } = query;
  let sinceBreath = 0;
  try {
    do {
      bell.silence();
      const chunks = store.read({ ...query, ...(after !== undefined && { after }) }).chunks();
      for await (const chunk of patience.with(chunks)) {
        if (signal.aborted) return;
        after = chunk.at(-1)?.position ?? after;
        yield chunk;
        sinceBreath += chunk.length;
        if (sinceBreath < breathAfter) continue;
        sinceBreath = 0;
        await nextTurn();
      }
    } while (await bell.rung(patience.pauseMs));
  } finally {
    bell.remove();
  }
}

/** Bears it when a store cannot be read. */
class Patience {
  private failures = 0;

  /** How long to wait before the next try, at most; undefined when the last one did not fail. */
  get pauseMs(): number | undefined {
    return this.failures === 0 ? undefined : Math.min(longestPauseMs, shortestPauseMs * 2 ** (this.failures - 1));
  }

  /** @returns the chunks up to a failure that may pass. */
  async *with(chunks: AsyncIterable<readonly RecordedEvent[]>): AsyncGenerator<readonly RecordedEvent[], void> {
    try {
      for await (const chunk of chunks) {
        this.failures = 0;
        yield chunk;
      }
      this.failures = 0;
    } catch (error) {
      if (error instanceof EventSourcingError) throw error;
      if (this.failures === 0)
        process.emitWarning(
          `The events could not be read. It is tried again until they can: ${String(error)}`,
          'EventfoldWarning',
        );
      this.failures += 1;
    }
  }
}

/** Remembers that something was appended, and wakes who waits for it. */
class Bell {
  private hasRung = false;
  private isOver = false;
  private wake: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly subscription;
  private readonly abort = () => this.end();

  constructor(
    store: EventStore,
    private readonly signal: AbortSignal,
  ) {
    this.isOver = signal.aborted;
    signal.addEventListener('abort', this.abort);
    this.subscription = store.appended().subscribe({ next: () => this.ring(), complete: () => this.end() });
  }

  silence(): void {
    this.hasRung = false;
  }

  /**
   * @param pauseMs After this time there is something to read in any case.
   * @returns true when there is something to read, false when there never will be.
   */
  async rung(pauseMs?: number): Promise<boolean> {
    if (!this.hasRung && !this.isOver) {
      await new Promise<void>((wake) => {
        this.wake = wake;
        if (pauseMs !== undefined) this.timer = later(() => this.ring(), pauseMs);
      });
      clearTimeout(this.timer);
    }
    return !this.signal.aborted && this.hasRung;
  }

  remove(): void {
    this.signal.removeEventListener('abort', this.abort);
    this.subscription.unsubscribe();
  }

  private ring(): void {
    this.hasRung = true;
    this.wake?.();
  }

  private end(): void {
    this.isOver = true;
    this.wake?.();
  }
}
