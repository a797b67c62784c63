import type { Position } from '../events/recorded-event';
import type { AppendResult } from './append';
import type { EventStore } from './event-store';

/** What was appended within a call of `es.trackAppends`, so far. */
export interface Appended {
  /** The newest event's position: a text; undefined while nothing was appended. */
  readonly position: Position | undefined;
}

/** Takes note of appends that were committed within some work, and tells who tracks the work around it. */
export class AppendTracker implements Appended {
  position: Position | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly outer: AppendTracker | undefined,
  ) {}

  note(result: AppendResult): void {
    const { position } = result;
    if (position === undefined) return;
    // Appends of one request that run side by side may be told of in another order.
    if (this.position === undefined || this.store.compare(position, this.position) > 0) this.position = position;
    this.outer?.note(result);
  }
}
