import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { aggregateMistakes } from './aggregates/aggregate-checks';
import { ForeignEventError, ForeignTransactionError } from './aggregates/aggregate-errors';
import type { AnyAggregate, IdsOf } from './aggregates/aggregate-root';
import { Aggregates } from './aggregates/aggregates';
import { InstanceLocks } from './aggregates/instance-locks';
import { type JoinedAppend, noScope, type Scope, Scopes } from './aggregates/scope';
import { type UserTransaction, UserTransactions } from './aggregates/user-transaction';
import { EventFeed } from './delivery/event-feed';
import { type Class, type InstanceOf, nameOf } from './events/event-class';
import { frozenCopy } from './events/frozen-copy';
import { checkOptions, InvalidArgumentError } from './events/invalid-argument-error';
import type { EventMetadata, Position, RecordedEvent } from './events/recorded-event';
import { validateEvent } from './events/validate-event';
import { givenIdentity, identitiesOf } from './metadata/identity';
import { Registry, streamName } from './metadata/registry';
import type { InlineAppend } from './projections/inline-append';
import { InlineTransaction } from './projections/inline-transaction';
import { projectionMistakes } from './projections/projection-checks';
import { ClosedError } from './projections/projection-errors';
import { ProjectionStorage } from './projections/projection-storage';
import type { SnapshotStats } from './snapshots/snapshot-stats';
import { Snapshots } from './snapshots/snapshots';
import type { Append, AppendResult, Guard, NewEvent } from './store/append';
import { AppendsUnderWay } from './store/appends-under-way';
import type { EventStore } from './store/event-store';
import { isTransactional } from './store/transactional-event-store';
import { TagIndex } from './tags/tag-index';

/** What `EventSourcing.open` takes. */
export interface EventSourcingOptions {
  /** Where events are kept. It is closed together with the `EventSourcing`. */
  readonly store: EventStore;
  /** The aggregates and projections, and the events that none of them handles. Nothing registers by being imported. */
  readonly classes: readonly Class[];
  /**
   * Adds the tags that events in the store lack for `classes`, instead of refusing to start. It takes a while where there
   * are many; others go on appending, and a run that is killed goes on where it was. A store without
   * {@link EventStore.tagSources} does so at every start.
   */
  readonly retag?: boolean;
  /** What time it is; the system's clock unless given. */
  readonly clock?: () => Date;
  /** Makes unique ids for events and correlations; random UUIDs unless given. */
  readonly ids?: () => string;
}

/** Which events `es.events` gives. */
export interface EventsOptions<C extends Class = Class> {
  /** Only later ones: all from the start, unless given. Exclusive. */
  readonly after?: Position | string | undefined;
  /** Only instances of these classes: all registered ones unless given, where an unknown type is an error. */
  readonly types?: readonly C[];
}

/** How `es.transaction` deals with a lost race. */
export interface TransactionOptions {
  /** How often the work is run in all, each time on fresh state: once unless given. A whole number of 1 or more. */
  readonly attempts?: number;
}

/** The guard of `es.append`: the stream's version, or a boundary that must not have changed. */
export type AppendGuard = { readonly version: 'none' | 'exists' | number } | Extract<Guard, { readonly condition: unknown }>;

/** How much an aggregate instance holds. */
export interface AggregateStats {
  /** How many events its state is folded from. */
  readonly events: number;
  /** The version of its own stream. */
  readonly version: number;
  /** Whether a snapshot of it is stored that loading can begin at. */
  readonly hasSnapshot: boolean;
}

/** What an `EventSourcing` has done since it was opened. */
export interface SystemStats {
  /** Commands and transactions carried through; those called within another count with it. */
  readonly commandsProcessed: number;
  /** Projections that keep state and run. */
  readonly projectionsRunning: number;
  /** What snapshots saved, and why they did not. */
  readonly snapshots: SnapshotStats;
}

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
  /** Classes were registered after the start. */
  private hasGrown = false;
  private readonly underWay = new AppendsUnderWay();
  private readonly tags: TagIndex;
  private readonly scopes = new Scopes();
  private readonly transactions: UserTransactions;
  /** What inline projections staged in the transactions of users. */
  private readonly staged = new WeakMap<UserTransaction, InlineTransaction>();
  private readonly aggregates: Aggregates;
  private readonly snapshots: Snapshots;
  private readonly stop = new AbortController();
  private readonly now: () => Date;
  private readonly newId: () => string;

  private constructor(private readonly options: EventSourcingOptions) {
    setMaxListeners(0, this.stop.signal);
    this.now = options.clock ?? (() => new Date());
    this.newId = options.ids ?? randomUUID;
    this.current = registryOf(options.classes);
    const { store } = options;
    this.tags = new TagIndex(store);
    this.snapshots = new Snapshots({ store, now: this.now });
    this.projections = new ProjectionStorage({
      store,
      snapshots: this.snapshots,
      registry: () => this.current,
      register: (classes) => this.register(classes),
      now: this.now,
    });
    this.transactions = new UserTransactions(store);
    this.aggregates = new Aggregates({
      registry: this.current,
      store,
      snapshots: this.snapshots,
      scopes: this.scopes,
      newId: this.newId,
      now: this.now,
      append: (appends) => this.commit(appends),
      userTransaction: () => this.userTransaction(),
    });
  }

  /**
   * Checks the classes and opens the store for them.
   *
   * @throws {@link StartUpError} with every mistake in the annotations, each with class, member and remedy.
   * @throws {@link UntaggedEventsError} when events in the store lack tags by which a class finds them.
   * @throws {@link InvalidArgumentError} when `options` lacks a store or the classes.
   */
  static async open(options: EventSourcingOptions): Promise<EventSourcing> {
    checkOpening(options, 'EventSourcing.open', ['store', 'classes', 'retag', 'clock', 'ids']);
    const es = new EventSourcing(options);
    if (options.retag || options.store.tagSources === undefined) await es.tags.complete(es.current);
    else await es.tags.check(es.current);
    await es.projections.start();
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
  static async retag(options: Pick<EventSourcingOptions, 'store' | 'classes'>): Promise<number> {
    checkOpening(options, 'EventSourcing.retag', ['store', 'classes']);
    return new TagIndex(options.store).complete(registryOf(options.classes));
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
    if (typeof first === 'function' && typeof second !== 'function')
      return this.ownTransaction(first as () => PromiseLike<T> | T, second as TransactionOptions | undefined);
    checkFunction('es.transaction', second);
    if (options !== undefined)
      throw new InvalidArgumentError(
        'es.transaction(manager, work) takes no options: what the work wrote cannot be taken back here. Begin your transaction again.',
      );
    const scope = this.scopes.getStore() ?? noScope;
    const transaction = this.transactionOn(first, scope);
    const work = second as () => PromiseLike<T> | T;
    return this.scopes.run({ ...scope, transaction }, () => this.aggregates.transaction(work, 1));
  }

  private async ownTransaction<T>(work: () => PromiseLike<T> | T, options: TransactionOptions = {}): Promise<T> {
    checkOptions('es.transaction', options, ['attempts']);
    const { attempts = 1 } = options;
    if (!Number.isSafeInteger(attempts) || attempts < 1)
      throw new InvalidArgumentError(`es.transaction cannot make ${nameOf(attempts)} attempts. Give 1 or more.`);
    return this.aggregates.transaction(work, attempts);
  }

  /**
   * Runs `work`; every event emitted or appended in it carries `metadata`, beside what an outer call gave.
   *
   * @throws {@link UnstorablePayloadError} when `metadata` could not be stored.
   */
  withMetadata<T>(metadata: EventMetadata, work: () => T): T {
    checkFunction('es.withMetadata', work);
    checkMetadata(metadata);
    const scope = this.scopes.getStore() ?? noScope;
    return this.scopes.run({ ...scope, metadata: { ...scope.metadata, ...frozenCopy(metadata, 'metadata') } }, work);
  }

  /**
   * Runs `work` as a consequence of `event`: what is stored in it has the event's correlation id, and the event's id
   * as its causation id. Subscribers of {@link events} run so by themselves.
   */
  causedBy<T>(event: RecordedEvent, work: () => T): T {
    checkFunction('es.causedBy', work);
    if (typeof event?.id !== 'string' || typeof event.metadata !== 'object' || event.metadata === null)
      throw new InvalidArgumentError(`es.causedBy takes a recorded event, not ${nameOf(event)}.`);
    return this.withMetadata(causeOf(event), work);
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
    checkOptions('es.events', options, ['after', 'types']);
    if (options.types !== undefined && !Array.isArray(options.types))
      throw new InvalidArgumentError(`es.events takes types as an array of event classes, not ${nameOf(options.types)}.`);
    const types = options.types?.map((event) => this.current.eventOf(event).type);
    const after = options.after === undefined ? undefined : store.position(options.after);
    return new EventFeed({
      store,
      query: { ...(after !== undefined && { after }), ...(types && { criteria: [{ types }] }) },
      eventByType: (type) => this.current.eventByType(type),
      causedBy: (event, react) => this.reactTo(event, react),
      signal: this.stop.signal,
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
    if (guard === undefined || guard === null || (guard as { version?: unknown }).version === 'any') {
      throw new InvalidArgumentError(
        'es.append needs a guard: { version } or { condition }. es.appendUnguarded is the call without one.',
      );
    }
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
   * for; commands that run are not, and fail. Harmless when called again.
   */
  async close(): Promise<void> {
    if (this.stop.signal.aborted) return;
    this.stop.abort();
    await this.projections.close();
    await this.snapshots.settled();
    await this.options.store.close();
  }

  /** A subscriber is no part of the command or transaction in which it subscribed. */
  private reactTo(event: RecordedEvent, react: () => void): void {
    const { metadata } = this.scopes.getStore() ?? noScope;
    this.scopes.run({ metadata: { ...metadata, ...causeOf(event) } }, react);
  }

  private async appendEvents(stream: string, events: readonly object[], guard: Guard): Promise<AppendResult> {
    this.checkOpen();
    if (typeof stream !== 'string' || stream === '')
      throw new InvalidArgumentError(`The stream to append to is text of one character or more, not ${nameOf(stream)}.`);
    if (!Array.isArray(events)) throw new InvalidArgumentError(`The events to append are an array, not ${nameOf(events)}.`);
    const metadata = this.ambientMetadata();
    return this.commit([
      { stream, guard, events: (events as readonly object[]).map((event) => this.newEvent(stream, event, metadata)) },
    ]);
  }

  private newEvent(stream: string, event: object, metadata: EventMetadata): NewEvent {
    if (typeof event !== 'object' || event === null)
      throw new InvalidArgumentError(`${nameOf(event)} is no event. Make one with createEvent(SomeEvent, {…}).`);
    const { class: target, type, schemaVersion } = this.current.eventOf(event.constructor);
    validateEvent(target, event);
    const data = frozenCopy(event, type);
    this.checkOwner(stream, type, data);
    return { id: this.newId(), type, schemaVersion, data, metadata, time: this.now(), tags: this.current.tagsOf(type, data) };
  }

  /** An event of a closed aggregate lies in the stream of its instance, or its version would guard nothing. */
  private checkOwner(stream: string, type: string, data: object): void {
    const owner = this.current.ownerOf(type);
    if (owner === undefined) return;
    const owners = identitiesOf(owner.model, owner.handler, data);
    const streams = owners.map(({ values }) => streamName(owner.model, values));
    if (streams.length === 1 && streams[0] === stream) return;
    throw new ForeignEventError(
      `${type} belongs into ${streams.map((name) => `"${name}"`).join(', ') || 'no stream'} of ${owner.model.name}, not into "${stream}". See es.streamOf.`,
    );
  }

  private ambientMetadata(): EventMetadata {
    const { metadata } = this.scopes.getStore() ?? noScope;
    const id = this.newId();
    return { ...metadata, correlationId: metadata.correlationId ?? id, causationId: metadata.causationId ?? id };
  }

  /** Appends to the store, with inline projections in its transaction; joins the append whose inline projections run. */
  private async commit(appends: readonly Append[]): Promise<AppendResult> {
    this.checkOpen();
    const joined = this.scopes.getStore()?.joined?.transaction;
    const tagged = this.hasGrown || this.tags.forOthers.isAny ? this.tagged(appends) : appends;
    if (joined !== undefined) return joined.append(tagged);
    const transaction = this.userTransaction();
    if (transaction !== undefined) return this.commitIn(transaction, tagged);
    const underWay = this.underWay.begin();
    try {
      const inline = this.projections.inlineAppend();
      return await (inline === undefined ? this.options.store.append(tagged) : this.commitInline(tagged, inline));
    } finally {
      underWay.end();
    }
  }

  private async commitInline(appends: readonly Append[], inline: InlineAppend): Promise<AppendResult> {
    try {
      const result = await this.appendWith(this.options.store, appends, () => inline);
      inline.settle();
      return result;
    } catch (error) {
      inline.discard();
      throw error;
    }
  }

  /** Appends in a transaction of a user's: what inline projections fold is settled when that commits. */
  private async commitIn(transaction: UserTransaction, appends: readonly Append[]): Promise<AppendResult> {
    const { store } = transaction;
    const underWay = this.underWay.begin();
    store.onEnd(() => underWay.end());
    if (!this.projections.hasInline) return store.append(appends);
    const staged = this.staged.get(transaction) ?? new InlineTransaction();
    this.staged.set(transaction, staged);
    let inline: InlineAppend | undefined;
    const drop = () => inline && staged.drop(inline);
    store.onEnd((how) => {
      if (how === 'committed') staged.settle();
      else drop();
    });
    try {
      return await this.appendWith(store, appends, () => {
        inline ??= this.projections.inlineIn(staged) as InlineAppend;
        return inline;
      });
    } catch (error) {
      drop();
      throw error;
    }
  }

  /** Appends to a store with inline projections in the append's transaction. */
  private async appendWith(store: EventStore, appends: readonly Append[], inlineOf: () => InlineAppend): Promise<AppendResult> {
    const scope = this.scopes.getStore() ?? noScope;
    const joined: JoinedAppend = { transaction: undefined, locks: new InstanceLocks() };
    try {
      return await store.append(appends, (events, transaction) => {
        joined.transaction = transaction;
        const inline = inlineOf();
        const fold = () => this.scopes.run({ ...scope, unit: undefined, joined }, () => inline.fold(events));
        const preparing = inline.prepare(transaction);
        return preparing === undefined ? fold() : preparing.then(fold);
      });
    } finally {
      joined.transaction = undefined;
    }
  }

  /** The transaction that the caller's code runs in: the one that `es.transaction` was given, or one around it. */
  private userTransaction(): UserTransaction | undefined {
    return this.scopes.getStore()?.transaction ?? this.transactions.ambient();
  }

  private transactionOn(manager: object, { joined }: Scope): UserTransaction {
    const { store } = this.options;
    if (!isTransactional(store))
      throw new InvalidArgumentError(
        `es.transaction(manager, work) needs a store on a database, such as TypeOrmEventStore; ${nameOf(store)} knows no transactions but its own. Leave the manager out: es.transaction(work).`,
      );
    const transaction = this.transactions.of(store.within(manager));
    if (joined?.transaction !== undefined && transaction !== this.userTransaction())
      throw new ForeignTransactionError(
        'An inline handler called es.transaction with another transaction than that of its append. Leave the manager out, or do it outside of the handler.',
      );
    return transaction;
  }

  /** Events may have been made before a class was registered that asks for tags on them; others may ask for more. */
  private tagged(appends: readonly Append[]): Append[] {
    const tagsOf = ({ type, data, tags = [] }: NewEvent) => {
      const own = this.hasGrown ? this.current.tagsOf(type, data) : tags;
      return [...own, ...this.tags.forOthers.tagsOf(type, data)];
    };
    return appends.map((append) => ({
      ...append,
      events: append.events.map((event) => ({ ...event, tags: tagsOf(event) })),
    }));
  }

  private async register(classes: readonly Class[]): Promise<void> {
    this.checkOpen();
    if (this.scopes.getStore()?.joined?.transaction !== undefined)
      throw new InvalidArgumentError('An inline handler cannot register projections. Do it when its append is over.');
    if (this.userTransaction() !== undefined)
      throw new InvalidArgumentError('Projections cannot be registered within a transaction. Do it when that is over.');
    const wanted = this.current.with(classes);
    for (const target of classes) wanted.modelOf(target, 'projection');
    if (!this.options.retag) await this.tags.check(wanted);
    // Others may have been registered meanwhile.
    const extended = this.current.with(classes);
    this.current = extended;
    this.hasGrown = true;
    await this.underWay.ended();
    await this.tags.complete(extended);
  }

  private checkOpen(): void {
    if (this.stop.signal.aborted) throw new ClosedError();
  }
}

function causeOf({ id, metadata }: RecordedEvent): EventMetadata {
  return { correlationId: metadata.correlationId ?? id, causationId: id };
}

function checkFunction(call: string, work: unknown): void {
  if (typeof work !== 'function') throw new InvalidArgumentError(`${call} takes a function, not ${nameOf(work)}.`);
}

function checkMetadata(metadata: EventMetadata): void {
  const prototype: unknown = typeof metadata === 'object' && metadata !== null ? Object.getPrototypeOf(metadata) : undefined;
  if (prototype !== null && prototype !== Object.prototype)
    throw new InvalidArgumentError(`es.withMetadata takes a plain object, not ${nameOf(metadata)}.`);
  for (const key of ['correlationId', 'causationId'] as const) {
    if (metadata[key] !== undefined && typeof metadata[key] !== 'string')
      throw new InvalidArgumentError(`es.withMetadata takes text for ${key}, not ${nameOf(metadata[key])}.`);
  }
}

function registryOf(classes: readonly Class[]): Registry {
  return Registry.of(classes, (model) => [...aggregateMistakes(model), ...projectionMistakes(model)]);
}

function checkOpening(options: EventSourcingOptions, call: string, known: readonly string[]): void {
  checkOptions(call, options, known);
  if (typeof options.store?.append !== 'function')
    throw new InvalidArgumentError(`${call} needs a store, such as new InMemoryEventStore().`);
  if (!Array.isArray(options.classes))
    throw new InvalidArgumentError(`${call} needs classes, an array, not ${nameOf(options.classes)}.`);
  if (options.retag !== undefined && typeof options.retag !== 'boolean')
    throw new InvalidArgumentError(`EventSourcing.open({ retag }) takes true or false, not ${nameOf(options.retag)}.`);
  for (const key of ['clock', 'ids'] as const)
    if (options[key] !== undefined) checkFunction(`EventSourcing.open({ ${key} })`, options[key]);
}
