import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import { follow } from '../../store/follow';
import { StoreClosedError } from '../../store/store-errors';
import { Router } from './router';

/** Told by the feed how far it has come. */
export interface Listener {
  /** The feed has handed on everything up to its position. */
  reached(position: Position): void;
}

/** Follows the log once for all projections that are at its head, and hands each event to the router. */
export class Feed {
  readonly router = new Router();
  private readonly listeners = new Set<Listener>();
  private readonly stop = new AbortController();
  private feeding: Promise<void> | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Everything up to here has been handed on; undefined before the first event. */
  get position(): Position | undefined {
    return this.router.position;
  }

  /** @returns false when somebody who has read up to `checkpoint` would miss events, and has to read on first. */
  join(listener: Listener, checkpoint: Position | undefined): boolean {
    if (this.feeding === undefined) this.begin(checkpoint);
    const { position } = this;
    const isBehind = position !== undefined && (checkpoint === undefined || this.store.compare(checkpoint, position) < 0);
    if (!isBehind) this.listeners.add(listener);
    return !isBehind;
  }

  leave(listener: Listener): void {
    this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.feeding;
    this.router.close();
  }

  private begin(after: Position | undefined): void {
    this.router.position = after;
    this.feeding = this.follow();
  }

  private async follow(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      try {
        const { position } = this;
        for await (const chunk of follow(this.store, position === undefined ? {} : { after: position }, signal))
          this.route(chunk);
        return;
      } catch (error) {
        if (error instanceof StoreClosedError) return;
        this.failed(error);
        await new Promise((wake) => later(wake, retryDelayMs).unref());
      }
    }
  }

  private route(chunk: readonly RecordedEvent[]): void {
    for (const event of chunk) this.router.next(event);
    const { position } = this;
    if (position !== undefined) for (const listener of this.listeners) listener.reached(position);
  }
}

/** The pause after the store failed to be read for good. */
const retryDelayMs = 200;

/** Taken here, so that fake timers in a user's tests do not stop the feed. */
const later = setTimeout;
