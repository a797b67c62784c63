import { EventSourcingError } from '../event-sourcing-error';
import { nameOf } from '../events/event-class';

/** The instance that lost a race, where an aggregate is behind the append. */
export interface LockedInstance {
  /** The aggregate's name. */
  readonly type: string;
  readonly ids: Readonly<Record<string, unknown>>;
}

/** Somebody else stored first: a guard does not hold, and nothing was stored. */
export class OptimisticLockError extends EventSourcingError {
  override readonly code = 'OPTIMISTIC_LOCK';
  /** The aggregate's name, when an aggregate is behind the append. */
  readonly type: string | undefined;
  /** The aggregate instance's ids. */
  readonly ids: Readonly<Record<string, unknown>> | undefined;

  constructor(
    readonly stream: string,
    /** The version that the guard named, or for a boundary the position that it was read at (undefined: empty). */
    readonly expected: number | string | undefined,
    /** The version the stream has, or for a boundary the position of the newest event in it. */
    readonly actual: number | string,
    instance?: LockedInstance,
    options?: ErrorOptions,
  ) {
    const subject =
      instance === undefined ? `Stream "${stream}"` : `${instance.type} ${JSON.stringify(instance.ids, textOfBigint)}`;
    super(`${subject} is at ${actual}; this append expected ${expected ?? 'no event'}. Load again and retry.`, options);
    this.type = instance?.type;
    this.ids = instance?.ids;
  }

  /** @returns the same error, naming the aggregate instance. */
  of(instance: LockedInstance): OptimisticLockError {
    return new OptimisticLockError(this.stream, this.expected, this.actual, instance, { cause: this });
  }
}

function textOfBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/**
 * An event id is stored already, or stands twice in one append. Nothing was stored. It goes before an
 * {@link OptimisticLockError}: what is appended a second time breaks its own guard.
 */
export class DuplicateEventError extends EventSourcingError {
  override readonly code = 'DUPLICATE_EVENT';

  constructor(
    readonly eventId: string,
    options?: ErrorOptions,
  ) {
    super(`Event ${eventId} is stored already. If this repeats an append, that one succeeded; else give a new id.`, options);
  }
}

/** An append is malformed. Nothing was stored. */
export class InvalidAppendError extends EventSourcingError {
  override readonly code = 'INVALID_APPEND';
}

/** The name of a stream, an id or a tag is longer than the database can index: mostly an id from outside. Nothing was stored. */
export class KeyTooLongError extends EventSourcingError {
  override readonly code = 'KEY_TOO_LONG';

  constructor(
    /** Whose text it is. */
    readonly key: 'stream' | 'type' | 'id' | 'tag',
    text: string,
    /** The most bytes that it may have. */
    readonly longest: number,
  ) {
    super(`The ${key} "${text.slice(0, 40)}…" is longer than ${longest} bytes.`);
  }
}

/** A query asks for something impossible. */
export class InvalidQueryError extends EventSourcingError {
  override readonly code = 'INVALID_QUERY';
}

/** A text is no position of this store: it is of another store, or was made up. */
export class InvalidPositionError extends EventSourcingError {
  override readonly code = 'INVALID_POSITION';

  constructor(readonly position: unknown) {
    super(`${nameOf(position)} is no position of this store.`);
  }
}

/** The store was closed. */
export class StoreClosedError extends EventSourcingError {
  override readonly code = 'STORE_CLOSED';

  constructor() {
    super('The event store is closed. Open another one.');
  }
}
