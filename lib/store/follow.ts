import { setImmediate } from 'node:timers/promises';
import type { RecordedEvent } from '../events/recorded-event';
import type { EventQuery } from './event-query';
import type { EventStore } from './event-store';

/** After so many events the event loop is let free, as a store in memory never waits for anything. */
const breathAfter = 1_000;

/** Taken here, so that fake timers in a user's tests do not stop the reading. */
const nextTurn = setImmediate;

/**
 * Reads what matches, then waits for more, until `signal` aborts or the store closes. Each event comes once, in
 * order; the store is read only as fast as chunks are taken.
 */
export async function* follow(
  store: EventStore,
  query: Pick<EventQuery, 'after' | 'criteria'>,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[], void> {
  const bell = new Bell(store, signal);
  let { after } = query;
  let sinceBreath = 0;
  try {
    do {
      bell.silence();
      for await (const chunk of store.read({ ...query, ...(after !== undefined && { after }) }).chunks()) {
        if (signal.aborted) return;
        after = chunk.at(-1)?.position ?? after;
        yield chunk;
        sinceBreath += chunk.length;
        if (sinceBreath < breathAfter) continue;
        sinceBreath = 0;
        await nextTurn();
      }
    } while (await bell.rung());
  } finally {
    bell.remove();
  }
}

/** Remembers that something was appended, and wakes who waits for it. */
class Bell {
  private hasRung = false;
  private isOver = false;
  private wake: (() => void) | undefined;
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

  /** @returns true when there is something to read, false when there never will be. */
  async rung(): Promise<boolean> {
    if (!this.hasRung && !this.isOver) await new Promise<void>((wake) => (this.wake = wake));
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
