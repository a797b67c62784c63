import type { Class } from '../events/event-class';
import type { AnyAggregate, IdsOf } from './aggregate-root';

/** What loads aggregates of any class: an `EventSourcing`. */
export interface AggregateLoader {
  load<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): Promise<A>;
  loadOrCreate<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): Promise<A>;
  create<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): Promise<A>;
}

/**
 * Loads the aggregates of one class: what a service takes that has to do with no other. Made by `es.repositoryOf`.
 *
 * @example
 * ```ts
 * const accounts = es.repositoryOf(Account);
 * const account = await accounts.load({ accountId });
 * ```
 */
export class AggregateRepository<A extends AnyAggregate> {
  /** @internal */
  constructor(
    /** The class of its aggregates. */
    readonly target: Class<A>,
    private readonly loader: AggregateLoader,
  ) {}

  /**
   * Loads an aggregate: folds the events that it depends on.
   *
   * @param ids All ids of the class: `{ accountId }`.
   * @throws {@link AggregateNotFoundError} when it has no events; otherwise as {@link EventSourcing.load}.
   */
  load(ids: IdsOf<A>): Promise<A> {
    return this.loader.load(this.target, ids);
  }

  /** Loads an aggregate as {@link load} does, or begins a new one when it has no events. */
  loadOrCreate(ids: IdsOf<A>): Promise<A> {
    return this.loader.loadOrCreate(this.target, ids);
  }

  /**
   * Begins a new aggregate. Nothing is stored before its first command.
   *
   * @throws {@link AggregateExistsError} when it has events; also from its first command, when it has got some since.
   */
  create(ids: IdsOf<A>): Promise<A> {
    return this.loader.create(this.target, ids);
  }
}
