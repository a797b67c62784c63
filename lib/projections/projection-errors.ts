import { EventSourcingError } from '../event-sourcing-error';
import type { RecordedEvent } from '../events/recorded-event';

/** A projection's handler threw. `cause` is what it threw. */
export class ProjectionError extends EventSourcingError {
  override readonly code = 'PROJECTION';
  readonly eventId: string;
  readonly position: string;

  constructor(
    readonly projection: string,
    /** The instance's ids; undefined when the event does not say which instance. */
    readonly ids: Readonly<Record<string, unknown>> | undefined,
    event: RecordedEvent,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${projection} failed at ${event.type} ${event.id} (${event.position}): ${reason}`, { cause });
    this.eventId = event.id;
    this.position = event.position;
  }
}

/** The projection did not get to the position in time. It goes on; what it shows is older. */
export class CaughtUpTimeoutError extends EventSourcingError {
  override readonly code = 'CAUGHT_UP_TIMEOUT';

  constructor(
    readonly projections: readonly string[],
    readonly position: string,
    readonly timeoutMs: number,
  ) {
    super(
      `${projections.join(', ')} did not reach ${position} within ${timeoutMs} ms. Give it more time, or look at parked() and errors().`,
    );
  }
}

/** The instance has no parked event to retry or skip. */
export class NotParkedError extends EventSourcingError {
  override readonly code = 'NOT_PARKED';

  constructor(projection: string, ids: object | undefined) {
    super(`${projection} ${idText(ids)} has no parked event. See es.projections.parked().`);
  }
}

/** A live projection keeps no state, so it has none to list, and no parked events. */
export class LiveProjectionError extends EventSourcingError {
  override readonly code = 'LIVE_PROJECTION';

  constructor(readonly projection: string) {
    super(`${projection} is live and keeps no state. Ask for one instance with es.projections.get, or give it another mode.`);
  }
}

/** It was closed. */
export class ClosedError extends EventSourcingError {
  override readonly code = 'CLOSED';

  constructor() {
    super('This EventSourcing is closed. Open another one.');
  }
}

function idText(ids: object | undefined): string {
  return JSON.stringify(ids ?? {}, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
