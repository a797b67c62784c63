import { ForeignTransactionError } from '../aggregates/aggregate-errors';
import type { Aggregates } from '../aggregates/aggregates';
import { noScope, type Scope, type Scopes } from '../aggregates/scope';
import { type UserTransaction, UserTransactions } from '../aggregates/user-transaction';
import { nameOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import type { EventStore } from '../store/event-store';
import { isTransactional } from '../store/transactional-event-store';
import { checkFunction } from './check-function';

/** How `es.transaction` deals with a lost race. */
export interface TransactionOptions {
  /** How often the work is run in all, each time on fresh state: once unless given. A whole number of 1 or more. */
  readonly attempts?: number;
}

/** The transactions of one `EventSourcing`: its own, and those that users begin. */
export class Transactions {
  private readonly begun: UserTransactions;

  constructor(
    private readonly store: EventStore,
    private readonly scopes: Scopes,
    private readonly aggregates: () => Aggregates,
  ) {
    this.begun = new UserTransactions(store);
  }

  /** The transaction that the caller's code runs in: the one that `es.transaction` was given, or one around it. */
  current(): UserTransaction | undefined {
    return this.scopes.getStore()?.transaction ?? this.begun.ambient();
  }

  /** Runs work with what is stored in it together: `es.transaction`, in either form. */
  run<T>(first: object, second?: object, options?: object): Promise<T> {
    if (typeof first === 'function' && typeof second !== 'function')
      return this.own(first as () => PromiseLike<T> | T, second as TransactionOptions | undefined);
    checkFunction('es.transaction', second);
    if (options !== undefined)
      throw new InvalidArgumentError(
        'es.transaction(manager, work) takes no options: what the work wrote cannot be taken back here. Begin your transaction again.',
      );
    const scope = this.scopes.getStore() ?? noScope;
    const transaction = this.on(first, scope);
    const work = second as () => PromiseLike<T> | T;
    return this.scopes.run({ ...scope, transaction }, () => this.aggregates().transaction(work, 1));
  }

  /** @throws {@link InvalidArgumentError} within a transaction, or an inline handler: projections are registered outside of them. */
  checkOutside(): void {
    if (this.scopes.getStore()?.joined?.transaction !== undefined)
      throw new InvalidArgumentError('An inline handler cannot register projections. Do it when its append is over.');
    if (this.current() !== undefined)
      throw new InvalidArgumentError('Projections cannot be registered within a transaction. Do it when that is over.');
  }

  private async own<T>(work: () => PromiseLike<T> | T, options: TransactionOptions = {}): Promise<T> {
    checkOptions('es.transaction', options, ['attempts']);
    const { attempts = 1 } = options;
    if (!Number.isSafeInteger(attempts) || attempts < 1)
      throw new InvalidArgumentError(`es.transaction cannot make ${nameOf(attempts)} attempts. Give 1 or more.`);
    return this.aggregates().transaction(work, attempts);
  }

  private on(manager: object, { joined }: Scope): UserTransaction {
    const { store } = this;
    if (!isTransactional(store))
      throw new InvalidArgumentError(
        `es.transaction(manager, work) needs a store on a database, such as TypeOrmEventStore; ${nameOf(store)} knows no transactions but its own. Leave the manager out: es.transaction(work).`,
      );
    const transaction = this.begun.of(store.within(manager));
    if (joined?.transaction !== undefined && transaction !== this.current())
      throw new ForeignTransactionError(
        'An inline handler called es.transaction with another transaction than that of its append. Leave the manager out, or do it outside of the handler.',
      );
    return transaction;
  }
}
