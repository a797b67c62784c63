import { randomUUID } from 'node:crypto';
import { AggregateRepository } from './aggregates/aggregate-repository';
import type { AnyAggregate, IdsOf } from './aggregates/aggregate-root';
import { Aggregates } from './aggregates/aggregates';
import { noScope, Scopes } from './aggregates/scope';
import { EventFeed } from './delivery/event-feed';
import { type Class, type InstanceOf } from './events/event-class';
import type { EventMetadata, Position, RecordedEvent } from './events/recorded-event';
import { type AppendGuard, Appending, checkGuard } from './front-door/appending';
import { checkOpening, opening, reading } from './front-door/check-opening';
import { checkAllStored, checkStored } from './front-door/check-stored';
import { EventMaker } from './front-door/event-maker';
import type { EventSourcingOptions } from './front-door/event-sourcing-options';
import { checkEvents, type EventsOptions, feedOf } from './front-door/events-options';
import { type CloseOptions, graceOf, Lifetime } from './front-door/lifetime';
import { openedRegistry } from './front-door/opened-registry';
import type { AggregateStats, SystemStats } from './front-door/stats';
import { Surroundings } from './front-door/surroundings';
import { type TransactionOptions, Transactions } from './front-door/transactions';
import { streamName } from './metadata/boundaries';
import { givenIdentity } from './metadata/identity';
import { Registry } from './metadata/registry';
import type { StoredEvents } from './metadata/unreadable-events';
import { ProjectionStorage } from './projections/projection-storage';
import { runOptions } from './projections/run-options';
import { Snapshots } from './snapshots/snapshots';
import type { AppendResult, Guard } from './store/append';
import { type Appended } from './store/append-tracker';
import { TagIndex } from './tags/tag-index';

export type { AppendGuard } from './front-door/appending';
export type { EventSourcingOptions } from './front-door/event-sourcing-options';
export type { EventsOptions } from './front-door/events-options';
export type { CloseOptions } from './front-door/lifetime';
export type { AggregateStats, SystemStats } from './front-door/stats';
export type { TransactionOptions } from './front-door/transactions';

/**
 * The front door: aggregates to command, projections to read, events to follow, and the registry to ask.
 *
 * @example
 * ```ts
 * const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, AccountBalance] });
 * const account = await es.load(Account, { accountId });
 * await account.deposit(50);
 * ```
 */
export class EventSourcing {
  /** The read models. */
  readonly projections: ProjectionStorage;
  private current: Registry;
  private readonly tags: TagIndex;
  private readonly scopes = new Scopes();
  private readonly lifetime = new Lifetime(this.scopes);
  private readonly surroundings: Surroundings;
  private readonly transactions: Transactions;
  private readonly appending: Appending;
  private readonly maker: EventMaker;
  private readonly aggregates: Aggregates;
  private readonly snapshots: Snapshots;
  private closing: Promise<void> | undefined;

  private constructor(private readonly options: EventSourcingOptions) {
    const { store, clock: now = () => new Date(), ids: newId = randomUUID } = options;
    const { scopes } = this;
    const registry = () => this.current;
    const checkOpen = () => this.checkOpen();
    this.current = openedRegistry(options, options);
    this.surroundings = new Surroundings(scopes, store);
    this.tags = new TagIndex(store);
    this.snapshots = new Snapshots({ store, now });
    this.projections = new ProjectionStorage({
      store,
      snapshots: this.snapshots,
      registry,
      register: (classes) => this.register(classes),
      now,
      causedBy: (event, work) => this.surroundings.reactionTo(event, work),
      services: options,
      ...runOptions(options.projections),
    });
    this.transactions = new Transactions(store, scopes, () => this.aggregates);
    const { tags, transactions, projections } = this;
    this.appending = new Appending({ store, registry, tags, scopes, transactions, projections, checkOpen });
    this.maker = new EventMaker({ registry, scopes, newId, now });
    this.aggregates = new Aggregates({
      registry: this.current,
      store,
      snapshots: this.snapshots,
      scopes,
      newId,
      now,
      append: (appends) => this.appending.commit(appends),
      userTransaction: () => transactions.current(),
      admit: () => this.lifetime.admit(),
    });
  }

  /**
   * Checks the classes and opens the store for them.
   *
   * @throws {@link StartUpError} with every mistake in the annotations, each with class, member and remedy.
   * @throws {@link UnreadableEventsError} when events are stored of a type or version that the code has no way from.
   * @throws {@link UntaggedEventsError} when events in the store lack tags by which a class finds them.
   * @throws {@link InvalidArgumentError} when `options` lacks a store or the classes.
   */
  static async open(options: EventSourcingOptions): Promise<EventSourcing> {
    checkOpening(options, 'EventSourcing.open', opening);
    const es = new EventSourcing(options);
    await checkStored(options, es.current);
    if (options.retag || options.store.tagSources === undefined) await es.tags.complete(es.current);
    else await es.tags.check(es.current);
    await es.begin();
    return es;
  }

  /**
   * Adds the tags that events in the store lack for `classes`, as `open({ …, retag: true })` does, and opens nothing: for a
   * step of its own before a release. The store stays open.
   *
   * @returns how many events got a tag.
   * @throws {@link StartUpError} or {@link InvalidArgumentError} as {@link open}.
   * @throws {@link UntaggableEventError} when a stored event does not say to which instances it belongs.
   */
  static async retag(options: Pick<EventSourcingOptions, (typeof reading)[number]>): Promise<number> {
    checkOpening(options, 'EventSourcing.retag', reading);
    return new TagIndex(options.store).complete(openedRegistry(options));
  }

  /**
   * Looks at every stored event's name and version: whether the code reads them all. It reads no payloads; it takes a while in a
   * large store.
   *
   * @returns what is stored, and what becomes of it; nothing where the store does not tell.
   * @throws {@link UnreadableEventsError} with all that cannot be read.
   */
  async check(): Promise<readonly StoredEvents[]> {
    this.checkOpen();
    return checkAllStored(this.options.store, this.current);
  }

  /** What is registered, and how it hangs together. */
  get registry(): Registry {
    return this.current;
  }

  /**
   * Loads an aggregate: folds the events that it depends on.
   *
   * @param ids All ids of the class: `{ accountId }`.
   * @throws {@link AggregateNotFoundError} when it has no events.
   * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
   * @throws {@link NotRegisteredError} when the class is no registered aggregate.
   * @throws {@link HandlerError} when a handler throws, {@link ReplayError} when its history is not in order.
   */
  async load<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): Promise<A> {
    this.checkOpen();
    return this.aggregates.load(target, ids, 'refuse');
  }

  /** Loads an aggregate as {@link load} does, or begins a new one when it has no events. */
  async loadOrCreate<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): Promise<A> {
    this.checkOpen();
    return this.aggregates.load(target, ids, 'allow');
  }

  /**
   * Begins a new aggregate. Nothing is stored before its first command.
   *
   * @throws {@link AggregateExistsError} when it has events; also from its first command, when it has got some since.
   */
  async create<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): Promise<A> {
    this.checkOpen();
    return this.aggregates.create(target, ids);
  }

  /**
   * @returns what loads aggregates of this one class, for a service that has to do with no other.
   * @throws {@link NotRegisteredError} when the class is no registered aggregate.
   */
  repositoryOf<A extends AnyAggregate>(target: Class<A>): AggregateRepository<A> {
    this.current.modelOf(target, 'aggregate');
    return new AggregateRepository(target, this);
  }

  /**
   * Runs `work`, and stores the events of all commands called in it together: all, or none when it rejects. Within a
   * command or another transaction it joins that one. A command in it that rejects after something was emitted makes
   * it reject as well, even if `work` catches the error: its half of the work cannot be taken back alone.
   *
   * @returns what `work` resolves to.
   * @throws {@link OptimisticLockError} when a race is lost `attempts` times. The work is run once unless told
   * otherwise, for only its author knows whether it may run twice.
   * @throws {@link UnfinishedCommandError} when `work` resolves before a command called in it has.
   */
  transaction<T>(work: () => PromiseLike<T> | T, options?: TransactionOptions): Promise<T>;
  /**
   * Runs `work` as part of a transaction of yours: events of commands and of `es.append`, inline projections and the rows
   * that you write on `manager` are committed, or rolled back, together, by you. What is loaded in it is as the
   * transaction sees it; nobody else hears of anything before your outermost commit.
   *
   * @param manager What stands for the open transaction: for a `TypeOrmEventStore` the `EntityManager` of
   * `dataSource.transaction(async (manager) => …)`, or of a transaction nested in it.
   * @returns what `work` resolves to. The work is run once: who loses a race runs the transaction around it again.
   * @throws {@link UnfitTransactionError} when no transaction is open on `manager`, or it is another DataSource's.
   * @throws {@link ForeignTransactionError} within a command or transaction that is not part of this one.
   */
  transaction<T>(manager: object, work: () => PromiseLike<T> | T): Promise<T>;
  async transaction<T>(first: object, second?: object, options?: object): Promise<T> {
    this.checkOpen();
    return this.transactions.run(first, second, options);
  }

  /**
   * Runs `work`; every event emitted or appended in it carries `metadata`, beside what an outer call gave.
   *
   * @throws {@link UnstorablePayloadError} when `metadata` could not be stored.
   */
  withMetadata<T>(metadata: EventMetadata, work: () => T): T {
    return this.surroundings.withMetadata(metadata, work);
  }

  /**
   * Runs `work`, and tells it what was appended in it: of all that the process appends, what this call, or this request, did.
   *
   * @param work Called with the newest position, which follows what is committed in it, also after `work` has returned.
   * @example
   * ```ts
   * await es.trackAppends(async (appended) => {
   *   await account.deposit(50);
   *   response.setHeader('Eventfold-Position', String(appended.position));
   * });
   * ```
   */
  trackAppends<T>(work: (appended: Appended) => T): T {
    return this.surroundings.trackAppends(work);
  }

  /**
   * Runs `work` as a consequence of `event`: what is stored in it has the event's correlation id, and the event's id
   * as its causation id. Subscribers of {@link events} run so by themselves.
   */
  causedBy<T>(event: RecordedEvent, work: () => T): T {
    return this.surroundings.causedBy(event, work);
  }

  /**
   * Follows recorded events: history first, then live, each once and in order. Subscribe, or write
   * `for await (const event of es.events())`, which reads no faster than the loop. It completes when this is closed.
   *
   * @throws {@link InvalidPositionError} when `after` is no position of this store.
   * @throws {@link NotRegisteredError} when a class in `types` is no registered event.
   */
  events<C extends Class = Class>(options: EventsOptions<C> = {}): EventFeed<InstanceOf<C>> {
    const { store } = this.options;
    checkEvents(options);
    return new EventFeed({
      store,
      ...feedOf(options, this.current, store),
      upcasting: () => this.current.upcasting,
      causedBy: (event, react) => this.surroundings.reactTo(event, react),
      signal: this.lifetime.signal,
    });
  }

  /**
   * Appends events without an aggregate, under a guard. They are stored at once, by themselves: also within a command
   * or `es.transaction(work)`, whose failure then does not take them back; in a transaction of yours as part of that.
   *
   * @param stream Text of one character or more; {@link streamOf} names an aggregate's.
   * @param events Made with `createEvent`, or instances of event classes.
   * @throws {@link OptimisticLockError} when the guard does not hold.
   * @throws {@link ForeignEventError} when an event belongs into the stream of an aggregate, and this is another.
   * @throws {@link EventValidationError}, {@link UnstorablePayloadError} or {@link NotRegisteredError} for bad events.
   */
  async append(stream: string, events: readonly object[], guard: AppendGuard): Promise<AppendResult> {
    checkGuard(guard);
    return this.appendEvents(stream, events, guard);
  }

  /** Appends events to a stream, whatever it holds. Otherwise as {@link append}. */
  async appendUnguarded(stream: string, events: readonly object[]): Promise<AppendResult> {
    return this.appendEvents(stream, events, { version: 'any' });
  }

  /**
   * @returns the name of the stream to which an aggregate instance's events are appended.
   * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
   */
  streamOf<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): string {
    const model = this.current.modelOf(target, 'aggregate');
    return streamName(model, givenIdentity(model, ids).values);
  }

  /** @returns how much one aggregate instance holds: zeros when it has no events. */
  async statsOf<A extends AnyAggregate>(target: Class<A>, ids: IdsOf<A>): Promise<AggregateStats> {
    this.checkOpen();
    const { folded, version, snapshotAt } = await this.aggregates.statsOf(target, ids);
    return { events: folded, version, hasSnapshot: snapshotAt > 0 };
  }

  /**
   * The position of the newest event that this process has appended; undefined while it has none. A text: in a response it
   * tells the next request, which may meet another process, what to wait for with `caughtUp`.
   */
  get lastAppended(): Position | undefined {
    return this.projections.lastAppended;
  }

  /**
   * @returns the position of the newest event that is stored, whichever process appended it; undefined while there is none.
   * @throws what the store throws when it cannot be reached.
   */
  async head(): Promise<Position | undefined> {
    this.checkOpen();
    return this.options.store.head();
  }

  /**
   * Takes a text from outside for a position: of a header, say.
   *
   * @throws {@link InvalidPositionError} when it is no position of this store. A database cannot tell one that it has not yet
   * given from one that it has.
   */
  position(text: string): Position {
    return this.options.store.position(text);
  }

  /** @returns what was done since this was opened. */
  stats(): SystemStats {
    return {
      commandsProcessed: this.aggregates.processed,
      projectionsRunning: this.projections.running,
      snapshots: this.snapshots.stats(),
    };
  }

  /**
   * Closes the store and everything that follows it; observables complete. Snapshots that are being made are waited
   * for, and so is what a reactor is doing, up to `leaseMs`; other commands that run only as long as `graceMs` says. An append
   * that is under way then is stored, or fails. Harmless when called again.
   *
   * @throws {@link InvalidArgumentError} when an option is unknown or not possible.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const graceMs = graceOf(options);
    this.closing ??= this.shut(graceMs);
    this.lifetime.isEnding = true;
    await this.closing;
  }

  private async shut(graceMs: number): Promise<void> {
    if (graceMs > 0) await this.lifetime.atRest(graceMs, this.appending.underWay);
    this.lifetime.end();
    await this.projections.close();
    this.lifetime.hasDrained = true;
    await this.snapshots.settled();
    await this.options.store.close();
  }

  private async appendEvents(stream: string, events: readonly object[], guard: Guard): Promise<AppendResult> {
    this.checkOpen();
    const { unit, joined, transaction } = this.scopes.getStore() ?? noScope;
    // What belongs to work under way may be what that waits for.
    const isOwn = unit === undefined && joined === undefined && transaction === undefined;
    if (isOwn) this.lifetime.checkAdmits();
    return this.appending.commit([{ stream, guard, events: this.maker.make(stream, events) }]);
  }

  private async begin(): Promise<void> {
    try {
      await this.projections.open();
    } catch (error) {
      await this.projections.close();
      throw error;
    }
  }

  private async register(classes: readonly Class[]): Promise<void> {
    this.checkOpen();
    this.transactions.checkOutside();
    const wanted = this.current.with(classes);
    for (const target of classes) wanted.modelOf(target, 'projection');
    if (!this.options.retag) await this.tags.check(wanted);
    // Others may have been registered meanwhile.
    const extended = this.current.with(classes);
    this.current = extended;
    this.appending.hasGrown = true;
    await this.appending.underWay.ended();
    await this.tags.complete(extended);
  }

  private checkOpen(): void {
    this.lifetime.checkOpen();
  }
}
