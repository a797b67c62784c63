import type { RecordedEvent } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { ProjectionStore } from '../../store/projection-store';
import type { Feed } from '../feeding/feed';
import type { ProjectionFailure } from '../parking/parked-event';

/** What a runner works with. */
export interface RunnerEnvironment {
  readonly store: EventStore;
  readonly place: ProjectionStore;
  readonly feed: Feed;
  /** Who this process is, among all that may run the projection. */
  readonly owner: string;
  readonly leaseMs: number;
  now(): Date;
  /** Runs `work` so that what is stored in it is a consequence of the event. */
  causedBy<T>(event: RecordedEvent, work: () => T): T;
  report(failure: ProjectionFailure): void;
  /** Another generation of the projection serves now. */
  superseded(): void;
  /** Something was kept, or is known to be done. */
  moved(): void;
  /** Tells of trouble that somebody has to mend. */
  warn(message: string): void;
  /** Tells of trouble of projections that passes by itself: once for each outage. */
  trouble(projections: readonly string[], message: string): void;
}

/** How a runner goes about its work. */
export type RunnerPace =
  /** Applies what comes; an event that fails is kept for its instance. */
  | 'at once'
  /** The same, but appends apply their events by themselves: it only sees to what they left. */
  | 'behind appends'
  /** Stops for good at the first event that fails. */
  | 'strict';
