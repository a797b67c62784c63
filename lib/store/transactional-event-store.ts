import type { Ending } from './ending';
import type { EventStore } from './event-store';

/** An event store whose appends can be part of a transaction that somebody else begins and ends. */
export interface TransactionalEventStore extends EventStore {
  /**
   * @param transaction What stands for an open transaction: for a TypeORM store an `EntityManager`.
   * @returns a view of this store within the transaction: the same for as long as that one is open.
   */
  within(transaction: object): JoinedEventStore;

  /** @returns the view within the transaction that the caller's code runs in, where the store can tell. */
  ambient?(): JoinedEventStore | undefined;
}

/**
 * A store within a transaction: it reads what the transaction wrote, and what it appends is stored, and told of, when
 * that commits.
 */
export interface JoinedEventStore extends EventStore {
  /** The innermost savepoint that is open, or the transaction itself: another object for each. */
  readonly savepoint: object;

  /**
   * Calls `ending` once: with `'committed'` after the outermost commit; with `'rolledBack'` when the transaction, or a
   * savepoint around this call, has been rolled back, or nobody knows how it ended. It must not throw.
   */
  onEnd(ending: Ending): void;
}

/** Says whether a store can join transactions of others. */
export function isTransactional(store: EventStore): store is TransactionalEventStore {
  return typeof (store as Partial<TransactionalEventStore>).within === 'function';
}
