import { setTimeout as delay } from 'node:timers/promises';
import type { Class } from '../events/event-class';
import type { EventMetadata, Position, RecordedEvent } from '../events/recorded-event';
import type { ClassModel } from '../metadata/class-model';
import { givenIdentity, type Identity } from '../metadata/identity';
import type { Registry } from '../metadata/registry';
import { type ClassSnapshots, type Recalled, snapshotsOf } from '../snapshots/class-snapshots';
import { resume } from '../snapshots/resume';
import type { SnapshotMiss } from '../snapshots/snapshot-stats';
import type { Snapshots } from '../snapshots/snapshots';
import type { Append, AppendResult } from '../store/append';
import type { EventQuery } from '../store/event-query';
import type { EventStore } from '../store/event-store';
import { AggregateClass, handlerAtWork, replay } from './aggregate-class';
import {
  AggregateExistsError,
  AggregateNotFoundError,
  MisplacedEmitError,
  ReplayError,
  UnfinishedCommandError,
} from './aggregate-errors';
import { type AnyAggregate, stateOf } from './aggregate-root';
import type { AggregateState } from './aggregate-state';
import { InstanceLocks } from './instance-locks';
import { noScope, type Scope, type Scopes } from './scope';
import { type UnitEnvironment, UnitOfWork } from './unit-of-work';
import type { UserTransaction } from './user-transaction';

/** How often a command is run in all when it loses its race. */
const commandAttempts = 5;

/** The longest pause before another attempt, in milliseconds. */
const longestPauseMs = 1_000;

/** What the aggregates of one `EventSourcing` are made with. */
export interface AggregatesOptions {
  readonly registry: Registry;
  readonly store: EventStore;
  readonly snapshots: Snapshots;
  readonly scopes: Scopes;
  readonly newId: () => string;
  readonly now: () => Date;
  readonly append: (appends: readonly Append[]) => Promise<AppendResult>;
  /** The transaction that the caller's code runs in, begun by a user. */
  readonly userTransaction: () => UserTransaction | undefined;
  /** Asks whether a command or transaction may begin. @returns what to call when it has ended. */
  readonly admit: () => () => void;
}

/** Up to which event an instance is folded: a version of its stream, or a position in its boundary. */
type Point = Pick<AggregateState, 'version' | 'position'>;

/** How an instance begins at a snapshot: what to fold after it, or why it cannot. */
type Beginning = AsyncIterable<readonly RecordedEvent[]> | SnapshotMiss;

type Bound = AggregateState & { readonly definition: AggregateClass; readonly identity: Identity };

interface BoundClass {
  readonly definition: AggregateClass;
  /** A class whose instances run their commands here, and otherwise are the user's. */
  readonly maker: Class;
}

/** Loads aggregates, runs their commands, and commits what they emit. */
export class Aggregates implements UnitEnvironment {
  readonly locks = new InstanceLocks();
  /** How many commands and transactions were carried through. */
  processed = 0;
  private readonly bound = new Map<ClassModel, BoundClass>();

  constructor(private readonly options: AggregatesOptions) {}

  async load<A extends AnyAggregate>(target: Class<A>, ids: object | undefined, whenNew: 'refuse' | 'allow'): Promise<A> {
    const root = this.instantiate(target, ids);
    const state = stateOf(root);
    await this.refresh(state);
    if (state.folded === 0 && whenNew === 'refuse') throw new AggregateNotFoundError(...this.nameOf(state));
    return root;
  }

  async create<A extends AnyAggregate>(target: Class<A>, ids: object | undefined): Promise<A> {
    const root = this.instantiate(target, ids);
    stateOf(root).mustBeNew = true;
    await this.refresh(stateOf(root));
    return root;
  }

  async statsOf(target: Class<AnyAggregate>, ids: object | undefined): Promise<AggregateState> {
    return stateOf(await this.load(target, ids, 'allow'));
  }

  /** Runs `work` so that all events of the commands called in it are stored together. */
  async transaction<T>(work: () => PromiseLike<T> | T, attempts: number): Promise<T> {
    const scope = this.options.scopes.getStore() ?? noScope;
    if (scope.unit !== undefined && !scope.unit.isOver) return scope.unit.join(work);
    if (scope.unit?.hasFailed) throw new UnfinishedCommandError(1);
    const end = scope.joined?.transaction === undefined ? this.options.admit() : () => undefined;
    try {
      return await this.attempt(work, attempts, scope);
    } finally {
      end();
    }
  }

  private async attempt<T>(work: () => PromiseLike<T> | T, attempts: number, scope: Scope): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const unit = new UnitOfWork(this, scope.joined?.transaction && scope.joined.locks);
      try {
        const result = await this.options.scopes.run({ ...scope, unit }, work);
        await unit.commit();
        this.processed += 1;
        return result;
      } catch (error) {
        await unit.rollback();
        if (!unit.hasLost(error) || attempt >= attempts) throw error;
        await delay(Math.random() * Math.min(2 ** attempt, longestPauseMs));
      }
    }
  }

  newId(): string {
    return this.options.newId();
  }

  now(): Date {
    return this.options.now();
  }

  metadata(): EventMetadata {
    return (this.options.scopes.getStore() ?? noScope).metadata;
  }

  unit(): UnitOfWork | undefined {
    return this.options.scopes.getStore()?.unit;
  }

  userTransaction(): UserTransaction | undefined {
    return this.options.userTransaction();
  }

  tagsOf(type: string, data: object): readonly string[] {
    return this.options.registry.boundaries.tagsOf(type, data);
  }

  append(appends: readonly Append[]): Promise<AppendResult> {
    return this.options.append(appends);
  }

  /** Folds what was stored since the instance was last folded. */
  async refresh(state: AggregateState): Promise<void> {
    const { store } = this;
    const transaction = this.userTransaction();
    if (state.isStale || (state.heldIn !== undefined && state.heldIn !== transaction)) this.reset(state);
    else if (state.moment !== undefined && state.moment === store.moment) return state.checkExpectation();
    transaction?.hold(state);
    try {
      await this.fold(state);
    } catch (error) {
      // A handler may have changed half of the state.
      state.isStale = true;
      throw error;
    }
    state.moment = store.moment;
    if (state.mustBeNew && state.folded > 0) throw new AggregateExistsError(...this.nameOf(state));
    state.checkExpectation();
  }

  /** Folds the instance anew up to where it was, to forget what was emitted and not stored. */
  async restore(state: AggregateState): Promise<void> {
    const { position, version } = state;
    try {
      this.reset(state);
      this.userTransaction()?.hold(state);
      if (version > 0 || position !== undefined) await this.fold(state, { position, version });
    } catch {
      // Why the unit of work failed matters more; the instance is folded anew before its next use.
      state.isStale = true;
    }
  }

  /** Makes a snapshot in the background, where the commit calls for one. */
  committed(state: AggregateState, before: number, position: Position | undefined): void {
    const { definition, identity, folded, version } = state as Bound;
    const { snapshots, model } = definition;
    if (snapshots?.isDue(folded, state.snapshotAt, before) !== true) return;
    state.snapshotAt = folded;
    const take = () => this.takeSnapshot(this.bind(model), snapshots, identity, { folded, version, position });
    // By then nobody's transaction is open around it.
    const takeLater = () => snapshots.later(identity, () => this.options.scopes.run(noScope, take));
    const transaction = this.userTransaction();
    if (transaction === undefined) takeLater();
    else transaction.store.onEnd((how) => (how === 'committed' ? takeLater() : undefined));
  }

  /**
   * Folds an instance of its own from what is stored: a command may have changed the state by itself, and its events
   * may be taken back with a transaction around it.
   */
  private async takeSnapshot(
    bound: BoundClass,
    snapshots: ClassSnapshots,
    identity: Identity,
    end: Point & { readonly folded: number },
  ): Promise<void> {
    const recalled = await snapshots.recall(identity);
    if (typeof recalled !== 'string' && !snapshots.isDue(end.folded, recalled.snapshot.folded, 0)) return;
    const root = this.instance(bound, identity);
    const state = stateOf(root);
    await this.fold(state, end, recalled);
    const { folded, version, position, last, snapshotAt } = state;
    if (last === undefined || position === undefined || !snapshots.isDue(folded, snapshotAt, 0)) return;
    const snapshot = snapshots.make(root, identity, { ...last, folded, version, position });
    if (snapshot !== undefined) await snapshots.save(snapshot);
  }

  /** @param recalled The instance's snapshot, when it was looked for already. */
  private async fold(state: AggregateState, end?: Point, recalled?: Recalled | SnapshotMiss): Promise<void> {
    const { definition } = state as Bound;
    const { store } = this;
    const isPast = (event: RecordedEvent) =>
      definition.isOpen && end?.position !== undefined && store.compare(event.position, end.position) > 0;
    const chunks =
      definition.snapshots === undefined || state.position !== undefined
        ? undefined
        : await this.begin(state as Bound, definition.snapshots, end, recalled);
    for await (const chunk of chunks ?? store.read(queryAfter(state as Bound, state, end)).chunks()) {
      const events = end === undefined ? chunk : chunk.filter((event) => !isPast(event));
      const { position } = state;
      replay(() => foldChunk(state, definition, events));
      if (definition.snapshots !== undefined) state.last = lastOf(events, position) ?? state.last;
      if (events.length < chunk.length) return;
    }
  }

  /** Puts the instance to where its snapshot is. @returns what to fold after it, or undefined for all there is. */
  private async begin(
    state: Bound,
    snapshots: ClassSnapshots,
    end: Point | undefined,
    known: Recalled | SnapshotMiss | undefined,
  ): Promise<AsyncIterable<readonly RecordedEvent[]> | undefined> {
    const recalled = known ?? (await snapshots.recall(state.identity, this.store.snapshots));
    const beginning = typeof recalled === 'string' ? recalled : await this.beginAt(state, recalled, end);
    const isHit = typeof beginning !== 'string';
    if (known === undefined && isHit) snapshots.hit();
    if (known === undefined && !isHit) snapshots.missed(state.identity, beginning);
    return isHit ? beginning : undefined;
  }

  private async beginAt(state: Bound, { snapshot, instance }: Recalled, end: Point | undefined): Promise<Beginning> {
    const { isOpen } = state.definition;
    const { version, folded, position, eventId, previous } = snapshot;
    if (!isOpen && end !== undefined && version > end.version) return 'newer';
    const query = queryAfter(state, { version: version - 1, position: previous }, end);
    const chunks = await resume(this.store, query, snapshot, isOpen ? end?.position : undefined);
    if (typeof chunks === 'string') return chunks;
    become(state, instance);
    Object.assign(state, { version, folded, position, snapshotAt: folded, last: { eventId, previous } });
    return chunks;
  }

  /** The events as the caller's code sees them. */
  private get store(): EventStore {
    return this.userTransaction()?.store ?? this.options.store;
  }

  private reset(state: AggregateState): void {
    const { definition, identity } = state as Bound;
    become(state, this.construct(this.bind(definition.model), identity));
  }

  private instantiate<A extends AnyAggregate>(target: Class<A>, ids: object | undefined): A {
    const model = this.options.registry.modelOf(target, 'aggregate');
    const identity = givenIdentity(model, ids);
    return this.instance(this.bind(model), identity) as A;
  }

  private instance(bound: BoundClass, identity: Identity): AnyAggregate {
    const root = this.construct(bound, identity) as AnyAggregate;
    const state = stateOf(root);
    state.definition = bound.definition;
    state.identity = identity;
    return root;
  }

  private construct({ definition, maker }: BoundClass, identity: Identity): object {
    const root = Reflect.construct(definition.model.class, [], maker) as Record<string, unknown>;
    for (const [index, id] of definition.model.ids.entries()) root[id] = identity.values[index];
    return root;
  }

  private bind(model: ClassModel): BoundClass {
    const known = this.bound.get(model);
    if (known !== undefined) return known;
    const prototype = Object.create(model.class.prototype as object) as Record<string | symbol, unknown>;
    for (const { method } of model.commands) {
      const command = prototype[method] as (...args: unknown[]) => PromiseLike<unknown>;
      const run = this.execute.bind(this);
      const value = function (this: AnyAggregate, ...args: unknown[]): Promise<unknown> {
        return run(this, method, () => command.apply(this, args));
      };
      Object.defineProperty(prototype, method, { value, configurable: true, writable: true });
    }
    const { registry } = this.options;
    const snapshots = snapshotsOf(this.options.snapshots, {
      model,
      guard: registry.boundaries.isOpen(model) ? 'boundary' : 'stream',
      upcasting: registry.upcasting,
      construct: (identity) => this.construct(bound, identity),
    });
    const bound: BoundClass = { definition: new AggregateClass(model, registry, snapshots), maker: subclass(prototype) };
    this.bound.set(model, bound);
    return bound;
  }

  private execute(root: AnyAggregate, method: string | symbol, command: () => PromiseLike<unknown>): Promise<unknown> {
    const work = handlerAtWork();
    if (work === 'replay') return Promise.resolve();
    if (work === 'emit') {
      throw new MisplacedEmitError(
        `${root.constructor.name}.${String(method)}`,
        'was called in a handler',
        'Handlers change state; decide in a command',
      );
    }
    const state = stateOf(root);
    return this.transaction(() => {
      const unit = this.options.scopes.getStore()?.unit as UnitOfWork;
      return unit.run(state, command);
    }, commandAttempts);
  }

  private nameOf({ definition, identity }: AggregateState): [string, Record<string, unknown>] {
    const { model } = definition as AggregateClass;
    return [model.name, (definition as AggregateClass).idsOf(identity as Identity)];
  }
}

function foldChunk(state: AggregateState, definition: AggregateClass, chunk: readonly RecordedEvent[]): void {
  const { root, stream } = state;
  const identity = state.identity as Identity;
  for (const event of chunk) {
    if (!definition.isOpen && event.version !== state.version + 1)
      throw new ReplayError(stream, state.version + 1, event.version);
    if (definition.fold(root, identity, event)) state.folded += 1;
    if (event.stream === stream) state.version = event.version;
    state.position = event.position;
  }
}

/** @returns what reads the events of an instance after a point, up to another one in a stream. */
function queryAfter({ definition, identity, stream }: Bound, { version, position }: Point, end: Point | undefined): EventQuery {
  return definition.isOpen
    ? { criteria: definition.criteriaOf(identity), ...(position !== undefined && { after: position }) }
    : { stream, afterVersion: version, ...(end && { limit: end.version - version }) };
}

function lastOf(events: readonly RecordedEvent[], before: Position | undefined): AggregateState['last'] {
  const last = events.at(-1);
  return last && { eventId: last.id, previous: events.at(-2)?.position ?? before };
}

/** Puts the instance to the state of a fresh one, which is used up. */
function become(state: AggregateState, fresh: object): void {
  const { root } = state;
  for (const key of Reflect.ownKeys(root)) if (!Object.hasOwn(fresh, key)) Reflect.deleteProperty(root, key);
  const functions = Object.entries(root).filter(([key, value]) => isFunction(value) && isFunction(Reflect.get(fresh, key)));
  Object.defineProperties(root, Object.getOwnPropertyDescriptors(fresh));
  // An arrow function in a field sees the instance that it was made with, and no other.
  Object.assign(root, Object.fromEntries(functions));
  Object.assign(state, {
    version: 0,
    folded: 0,
    position: undefined,
    isStale: false,
    heldIn: undefined,
    snapshotAt: 0,
    last: undefined,
  });
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function subclass(prototype: object): Class {
  const maker = function AggregateInstance() {};
  maker.prototype = prototype;
  return maker as unknown as Class;
}
