import { EventSourcingError } from '../event-sourcing-error';

/** The aggregate instance has no events; `es.create` or `es.loadOrCreate` begins a new one. */
export class AggregateNotFoundError extends EventSourcingError {
  override readonly code = 'AGGREGATE_NOT_FOUND';

  constructor(
    readonly type: string,
    readonly ids: Readonly<Record<string, unknown>>,
  ) {
    super(`${type} ${idText(ids)} has no events. Begin a new one with es.create or es.loadOrCreate.`);
  }
}

/** The aggregate instance that was to be created has events already. */
export class AggregateExistsError extends EventSourcingError {
  override readonly code = 'AGGREGATE_EXISTS';

  constructor(
    readonly type: string,
    readonly ids: Readonly<Record<string, unknown>>,
  ) {
    super(`${type} ${idText(ids)} has events already. Load it with es.load or es.loadOrCreate.`);
  }
}

/** An event was emitted, or a command called, where that cannot be recorded. Nothing is stored. */
export class MisplacedEmitError extends EventSourcingError {
  override readonly code = 'MISPLACED_EMIT';

  constructor(
    /** The class and the member: `Account.emit`. */
    readonly member: string,
    problem: string,
    remedy: string,
  ) {
    super(`${member} ${problem}. ${remedy}.`);
  }
}

/** An aggregate emitted an event that it does not handle. Nothing is stored. */
export class UnhandledEmitError extends EventSourcingError {
  override readonly code = 'UNHANDLED_EMIT';

  constructor(
    readonly type: string,
    readonly event: string,
  ) {
    super(`${type} emits ${event} but does not handle it. Add a method with @Handles(${event}).`);
  }
}

/** An event belongs to another instance than the one that emits it, or to another stream. Nothing is stored. */
export class ForeignEventError extends EventSourcingError {
  override readonly code = 'FOREIGN_EVENT';
}

/** The events of a stream do not come in order: one is missing, repeated, or of another instance. */
export class ReplayError extends EventSourcingError {
  override readonly code = 'REPLAY';

  constructor(
    readonly stream: string,
    readonly expected: number | string,
    readonly actual: number | string,
  ) {
    super(
      `The history of "${stream}" cannot be folded: expected ${expected}, but got ${actual}. The store is damaged or misreads.`,
    );
  }
}

/** A strict aggregate met an event that it neither handles nor ignores. */
export class UnhandledEventError extends EventSourcingError {
  override readonly code = 'UNHANDLED_EVENT';

  constructor(
    readonly type: string,
    readonly event: string,
    readonly position: string,
  ) {
    super(
      `${type} is strict, and does not handle ${event} at ${position}. Handle it, or list its class: @Aggregate({ strict: true, ignores: […] }).`,
    );
  }
}

/** A handler threw, or returned a promise where it must not. `cause` is what it threw. */
export class HandlerError extends EventSourcingError {
  override readonly code = 'HANDLER';

  constructor(
    /** The class and the method: `Account.deposited`. */
    readonly member: string,
    /** The event's type, id, and position if it has one. */
    readonly event: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${member} ${problem} at ${event}.`, options);
  }
}

/** A transaction or command ended while a command called in it was still running. Nothing is stored. */
export class UnfinishedCommandError extends EventSourcingError {
  override readonly code = 'UNFINISHED_COMMAND';

  constructor(readonly running: number) {
    super(`${running} command(s) were still running when the transaction ended. Await every command that is called in it.`);
  }
}

/**
 * A command was called, or `es.transaction`, in another transaction or savepoint than the one that it would have to be
 * stored in. Nothing of the work around it is stored.
 */
export class ForeignTransactionError extends EventSourcingError {
  override readonly code = 'FOREIGN_TRANSACTION';
}

/** @returns ids as short text for a message. */
export function idText(ids: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(ids, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
