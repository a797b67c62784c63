import { EventSourcingError } from '../event-sourcing-error';
import type { RecordedEvent } from '../events/recorded-event';
import type { Failure, StateKind } from '../store/projection-store';

/** A projection's handler threw. `cause` is what it threw. */
export class ProjectionError extends EventSourcingError {
  override readonly code = 'PROJECTION';
  readonly eventId: string;
  readonly eventType: string;
  readonly position: string;

  constructor(
    readonly projection: string,
    /** The instance's ids; undefined when the event does not say which instance. */
    readonly ids: Readonly<Record<string, unknown>> | undefined,
    event: RecordedEvent,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${prefixOf(projection, event)}${reason}`, { cause });
    this.eventId = event.id;
    this.eventType = event.type;
    this.position = event.position;
  }

  /** Makes again what was told of before; `cause` has the message and the stack of what was thrown then. */
  static recalled(
    projection: string,
    ids: Readonly<Record<string, unknown>> | undefined,
    event: RecordedEvent,
    { message, stack }: Pick<Failure, 'message' | 'stack'>,
  ): ProjectionError {
    const prefix = prefixOf(projection, event);
    const cause = new Error(message.startsWith(prefix) ? message.slice(prefix.length) : message);
    if (stack !== undefined) cause.stack = stack;
    return new ProjectionError(projection, ids, event, cause);
  }
}

function prefixOf(projection: string, { type, id, position }: RecordedEvent): string {
  return `${projection} failed at ${type} ${id} (${position}): `;
}

/** The projection did not get to the position in time. It goes on, unless it stands still; what it shows is older. */
export class CaughtUpTimeoutError extends EventSourcingError {
  override readonly code = 'CAUGHT_UP_TIMEOUT';

  constructor(
    readonly projections: readonly string[],
    readonly position: string,
    readonly timeoutMs: number,
    /** Why some of them do not go on, each a sentence: they have failed as a whole, or are paused. */
    readonly reasons: readonly string[],
    options?: ErrorOptions,
  ) {
    const remedy = reasons.length === 0 ? 'Give it more time, or look at parked() and errors().' : reasons.join(' ');
    super(`${projections.join(', ')} did not reach ${position} within ${timeoutMs} ms. ${remedy}`, options);
  }
}

/** More instances of a projection stand still than it allows, so it stands still as a whole. */
export class TooManyParkedError extends EventSourcingError {
  override readonly code = 'TOO_MANY_PARKED';

  constructor(
    readonly projection: string,
    readonly maxParked: number,
  ) {
    super(
      `${projection} has events parked on ${maxParked} instances, and more fail. Mend the handler, then es.projections.resume(${projection}), or raise maxParked.`,
    );
  }
}

/** The instance has no parked event to retry or skip. */
export class NotParkedError extends EventSourcingError {
  override readonly code = 'NOT_PARKED';

  constructor(projection: string, ids: object | undefined) {
    const subject =
      ids === undefined
        ? `${projection} has no parked event without instance`
        : `${projection} ${idText(ids)} has no parked event`;
    super(`${subject}. See es.projections.parked().`);
  }
}

/** A live projection keeps no state, so it has none to list, and no parked events. */
export class LiveProjectionError extends EventSourcingError {
  override readonly code = 'LIVE_PROJECTION';

  constructor(readonly projection: string) {
    super(`${projection} is live and keeps no state. Ask for one instance with es.projections.get, or give it another mode.`);
  }
}

/** A reactor keeps no state to read, and what it has done cannot be taken back to be done again. */
export class ReactorError extends EventSourcingError {
  override readonly code = 'REACTOR';

  constructor(
    /** The reactor's name. */
    readonly reactor: string,
    /** What it cannot do, and what to do about it. */
    problem: string,
  ) {
    super(`${reactor} is a reactor: ${problem}.`);
  }
}

/** What serves of a projection is kept in another way than the class of this process has it. Nothing was changed. */
export class ChangedKindError extends EventSourcingError {
  override readonly code = 'CHANGED_KIND';

  constructor(
    readonly projection: string,
    readonly version: number,
    /** How this process would keep it. */
    readonly kind: StateKind,
    /** How what serves is kept. */
    readonly serving: StateKind,
  ) {
    super(
      `${projection} is ${keptAs[kind]} in this process, and what serves of it, also of version ${version}, is ${keptAs[serving]}. ${kind === 'reactor' ? "Give it a name of its own: @Reactor({ name: '…' })." : `Raise version in @Projection({ version: ${version + 1} }): then it is built anew from its history, while the other goes on serving.`}`,
    );
  }
}

/** How each kind is told of. */
const keptAs: Readonly<Record<StateKind, string>> = {
  entity: 'kept in a table of its own, as an @Entity()',
  document: 'kept as documents',
  custom: 'kept by its own handlers',
  reactor: 'a reactor, of which nothing is kept',
};

/** It was closed. */
export class ClosedError extends EventSourcingError {
  override readonly code = 'CLOSED';

  constructor() {
    super('This EventSourcing is closed. Open another one.');
  }
}

function idText(ids: object): string {
  return JSON.stringify(ids, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
