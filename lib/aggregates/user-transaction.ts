import type { EventStore } from '../store/event-store';
import { isTransactional, type JoinedEventStore } from '../store/transactional-event-store';
import type { AggregateState } from './aggregate-state';
import { InstanceLocks } from './instance-locks';

/** A transaction that a user has begun, and will end, with what is done in it. */
export class UserTransaction {
  /** Those of the commands in it: it would never end if one of them waited for work that waits for it. */
  readonly locks = new InstanceLocks();
  private readonly states = new Set<AggregateState>();
  private readonly watched = new WeakSet<object>();

  /** @param store The events as the transaction sees them. */
  constructor(readonly store: JoinedEventStore) {}

  /** Takes note of an instance that is folded as the transaction sees it, which may never come to be. */
  hold(state: AggregateState): void {
    this.states.add(state);
    state.heldIn = this;
    const { savepoint } = this.store;
    if (this.watched.has(savepoint)) return;
    this.watched.add(savepoint);
    this.store.onEnd((how) => {
      for (const held of this.states) if (held.heldIn === this) this.letGo(held, how);
      if (how === 'committed') this.states.clear();
    });
  }

  private letGo(state: AggregateState, how: 'committed' | 'rolledBack'): void {
    if (how === 'committed') state.heldIn = undefined;
    else state.isStale = true;
  }
}

/** The transactions that users have begun in one store. */
export class UserTransactions {
  private readonly known = new WeakMap<JoinedEventStore, UserTransaction>();

  constructor(private readonly store: EventStore) {}

  /** @returns what is known of the transaction that a joined store belongs to. */
  of(joined: JoinedEventStore): UserTransaction {
    const transaction = this.known.get(joined) ?? new UserTransaction(joined);
    this.known.set(joined, transaction);
    return transaction;
  }

  /** @returns the transaction that the caller's code runs in, by itself. */
  ambient(): UserTransaction | undefined {
    const joined = isTransactional(this.store) ? this.store.ambient?.() : undefined;
    return joined && this.of(joined);
  }
}
