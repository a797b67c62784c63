import type { Criterion } from '../events/criterion';
import type { EventMetadata, Position, RecordedEvent } from '../events/recorded-event';
import type { Ending } from './ending';

/** An event to append. */
export interface NewEvent {
  /** Unique among all events; made by the store when left out. */
  readonly id?: string;
  readonly type: string;
  /** 1 when left out. */
  readonly schemaVersion?: number;
  readonly data: object;
  readonly metadata?: EventMetadata;
  readonly tags?: readonly string[];
  /** Now, when left out. A text is ISO 8601. */
  readonly time?: string | Date;
}

/** What must be so for an append to happen, seen from before the call. */
export type Guard =
  /** The stream's version: a number (0: no event yet), `'none'`, `'exists'`, or `'any'` for no guard at all. */
  | { readonly version: 'any' | 'none' | 'exists' | number }
  /** No event after the position `after` (undefined: no event at all) matches any of `criteria`. */
  | { readonly condition: { readonly criteria: readonly Criterion[]; readonly after: Position | undefined } };

/** Events for one stream, and what must be so. */
export interface Append {
  /** Text of one character or more. */
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly guard: Guard;
}

/** What an append stored. */
export interface AppendResult {
  /** The events in their order, then those that a hook appended; none after an empty append. */
  readonly events: readonly RecordedEvent[];
  /** The last one's position. */
  readonly position: Position | undefined;
}

/** The transaction of an append that is under way. */
export interface AppendTransaction {
  /** The newest position before this append. */
  readonly previous: Position | undefined;
  /**
   * Appends more in this transaction. The hook is called for these events too; guards see what the transaction has
   * appended so far. When it fails, so does the whole append, even if the hook catches the error.
   *
   * @throws {@link InvalidAppendError} after the hook has ended. Otherwise as {@link EventStore.append}.
   */
  append(appends: readonly Append[]): Promise<AppendResult>;
  /** Calls `ending` once, when it is final whether this append is stored. It must not throw. */
  onEnd(ending: Ending): void;
}

/**
 * Called with the events of an append before it is committed. When it throws, nothing is stored. It appends through
 * `transaction` only: an append to the store itself waits until this one is over. It is called again, with another transaction,
 * where the database gave up the first and nothing of it is stored.
 */
export interface BeforeCommit {
  (events: readonly RecordedEvent[], transaction: AppendTransaction): PromiseLike<void> | void;
  /**
   * What a store may call once, in place of the hooks of appends that have the same one here, to commit them together. When it
   * throws, each of them is appended by itself, with its own hook.
   *
   * @param parts The appends, in the order of their positions.
   */
  readonly together?: (parts: readonly AppendedPart[], transaction: AppendTransaction) => PromiseLike<void> | void;
}

/** One of the appends that are committed together. */
export interface AppendedPart {
  readonly events: readonly RecordedEvent[];
  readonly hook: BeforeCommit;
}
