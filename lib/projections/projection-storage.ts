import { setTimeout as delay } from 'node:timers/promises';
import { filter, firstValueFrom, map, merge, NEVER, Observable, Subject, startWith, take, timer } from 'rxjs';
import { type Class, nameOf as textOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { ClassModel } from '../metadata/class-model';
import { givenIdentity, type Identity } from '../metadata/identity';
import type { Registry } from '../metadata/registry';
import type { Snapshots } from '../snapshots/snapshots';
import type { EventStore } from '../store/event-store';
import { follow } from '../store/follow';
import { AsyncProjection } from './async-projection';
import { copyState } from './copy-state';
import type { Documents, DocumentsEnvironment, Instance } from './documents';
import { InlineAppend } from './inline-append';
import { InlineProjection } from './inline-projection';
import type { InlineTransaction } from './inline-transaction';
import { LiveProjection } from './live-projection';
import type { ParkedEvent, ProjectionFailure } from './parked-event';
import { ProjectionClass } from './projection-class';
import { CaughtUpTimeoutError, ClosedError, LiveProjectionError, NotParkedError } from './projection-errors';
import { Router } from './router';

type Kept = AsyncProjection | InlineProjection;

/** What a timer can hold; a longer one would fire at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** Data of a class by which an instance is found: some of its properties. */
export type Ids<T> = Partial<{ [K in keyof T]: T[K] }>;

/** How long `caughtUp` waits for which position. */
export interface CaughtUpOptions {
  /** The position to reach: the newest one at the time of the call, unless given. */
  readonly position?: Position | string | undefined;
  /** Milliseconds of 0 or more, `Infinity` for no limit; 5000 unless given. */
  readonly timeoutMs?: number;
}

/** What the projections of one `EventSourcing` are made with. */
export interface ProjectionStorageOptions {
  readonly store: EventStore;
  readonly snapshots: Snapshots;
  readonly registry: () => Registry;
  /** Registers more classes, late. */
  readonly register: (classes: readonly Class[]) => Promise<void>;
  readonly now: () => Date;
}

/**
 * The projections: what people read. It routes each recorded event, in order, to the instances that the event's ids
 * name, and answers with copies of them.
 */
export class ProjectionStorage {
  private readonly router = new Router();
  private readonly kept = new Map<ClassModel, Kept>();
  private readonly live = new Map<ClassModel, LiveProjection>();
  private readonly failures = new Subject<ProjectionFailure>();
  private readonly progress = new Subject<void>();
  private readonly closed = new Subject<void>();
  private readonly stop = new AbortController();
  private readonly environment: DocumentsEnvironment & { router: Router; failed(error: unknown): void };
  private feeding: Promise<void> | undefined;

  /** @internal */
  constructor(private readonly options: ProjectionStorageOptions) {
    this.environment = {
      store: options.store,
      router: this.router,
      now: options.now,
      report: (failure) => this.report(failure),
      progressed: () => this.progress.next(),
      failed: (error) => warn(`A projection could not read the store and tries again: ${String(error)}`),
    };
  }

  /**
   * Reads one instance as it is now; while an async handler changes it, as it is when that has ended.
   *
   * @param ids All ids of the class: `{ accountId }`. May be left out for a class without ids.
   * @returns a copy, which the reader may keep and change; undefined when no event belongs to the instance.
   * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
   * @throws {@link ProjectionError} when the projection is live and a handler throws.
   */
  async get<T extends object>(target: Class<T>, ids?: Ids<T>): Promise<T | undefined> {
    const model = this.modelOf(target);
    const identity = givenIdentity(model, ids);
    const live = this.live.get(model);
    return (await (live === undefined ? this.documentsOf(model).get(identity) : live.get(identity))) as T | undefined;
  }

  /** @returns copies of all instances that have state, in the order they appeared. Not for live projections. */
  async all<T extends object>(target: Class<T>): Promise<T[]> {
    const { instances } = this.documentsOf(this.modelOf(target));
    const identities = [...instances.values()].flatMap(({ identity }) => identity ?? []);
    const states = await Promise.all(identities.map((identity) => this.documentsOf(this.modelOf(target)).get(identity)));
    return states.filter((state) => state !== undefined) as T[];
  }

  /**
   * Watches one instance: as it is now (undefined when there is none), then after every change.
   *
   * @returns copies. It completes when this is closed, and goes on after a failure, which {@link errors} reports;
   * only a live projection's ends with a {@link ProjectionError} when a handler throws.
   * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
   */
  watch<T extends object>(target: Class<T>, ids?: Ids<T>): Observable<T | undefined> {
    const model = this.modelOf(target);
    const identity = givenIdentity(model, ids);
    const live = this.live.get(model);
    return (live === undefined ? watchDocument(this.documentsOf(model), identity) : live.watch(identity)) as Observable<
      T | undefined
    >;
  }

  /** @returns a copy of each instance that changes from now on. It completes when this is closed. */
  changes<T extends object>(target: Class<T>): Observable<T> {
    const model = this.modelOf(target);
    const live = this.live.get(model);
    if (live !== undefined) return live.changes() as Observable<T>;
    return this.documentsOf(model)
      .changes()
      .pipe(map((state) => copyState(state) as T));
  }

  /**
   * Waits until a projection, or all of them, show everything up to a position. A parked event does not hold it up.
   *
   * @throws {@link CaughtUpTimeoutError} when it takes longer than `timeoutMs`.
   * @throws {@link ClosedError} when this is closed meanwhile.
   * @throws {@link InvalidPositionError} when the position is none of this store.
   * @throws {@link InvalidArgumentError} when an option is unknown or not possible.
   */
  async caughtUp(target?: Class, options: CaughtUpOptions = {}): Promise<void> {
    const { store } = this.options;
    const model = target === undefined ? undefined : this.modelOf(target);
    checkOptions('caughtUp', options, ['position', 'timeoutMs']);
    const { timeoutMs = 5_000 } = options;
    if (!(typeof timeoutMs === 'number' && timeoutMs >= 0))
      throw new InvalidArgumentError(`caughtUp cannot wait for ${textOf(timeoutMs)} ms. Give 0 or more.`);
    const position = options.position === undefined ? await store.head() : store.position(options.position);
    if (this.stop.signal.aborted) throw new ClosedError();
    const awaited = [...this.kept].filter(([other]) => model === undefined || other === model).map(([, kept]) => kept);
    if (position === undefined) return;
    const reached = () => awaited.every((kept) => kept.hasReached(position));
    if (reached()) return;
    const done = this.progress.pipe(
      startWith(undefined),
      filter(reached),
      map(() => 'reached' as const),
    );
    const late = timeoutMs > longestTimeoutMs ? NEVER : timer(timeoutMs).pipe(map(() => 'late' as const));
    const over = merge(done, late, this.closed.pipe(map(() => 'closed' as const)));
    const outcome = await firstValueFrom(over.pipe(take(1)));
    if (outcome === 'closed') throw new ClosedError();
    if (outcome === 'late')
      throw new CaughtUpTimeoutError(awaited.filter((kept) => !kept.hasReached(position)).map(nameOf), position, timeoutMs);
  }

  /** @returns the events that are parked, of one projection or of all. */
  async parked(target?: Class): Promise<ParkedEvent[]> {
    if (target !== undefined) return this.documentsOf(this.modelOf(target)).parked();
    return [...this.kept.values()].flatMap((kept) => kept.documents.parked());
  }

  /**
   * Tries parked events again, each with what waits behind it: of one instance, or of all when `ids` is left out.
   *
   * @throws {@link NotParkedError} when the instance has none.
   */
  async retry<T extends object>(target: Class<T>, ids?: Ids<T>): Promise<void> {
    const { documents, instances } = this.parkedInstances(target, ids);
    for (const instance of instances) await documents.retry(instance);
  }

  /**
   * Leaves the parked event out of one instance for good, and goes on with what waits behind it.
   *
   * @param ids The `ids` of the parked event: undefined for those that name no instance, which are all skipped.
   * @throws {@link NotParkedError} when the instance has none.
   */
  async skip<T extends object>(target: Class<T>, ids: Ids<T> | undefined): Promise<void> {
    const { documents, instances } = this.parkedInstances(target, ids, 'unrouted');
    for (const instance of instances) await documents.skip(instance);
  }

  /**
   * @returns every failure of a handler, also those that are tried again. It never ends with an error. While nobody
   * subscribes, failures are process warnings instead.
   */
  errors(): Observable<ProjectionFailure> {
    return this.failures.asObservable();
  }

  /** Adds projections to a running system. @returns when their history has been folded. */
  async register(...classes: Class[]): Promise<void> {
    await this.options.register(classes);
    const added = classes.map((target) => this.modelOf(target));
    this.create(added, 'by itself');
    await Promise.all(added.map((model) => this.kept.get(model)?.catchUp()));
    this.feed();
  }

  /** How many projections run: those that keep state. */
  get running(): number {
    return this.stop.signal.aborted ? 0 : this.kept.size;
  }

  /** @internal Begins to fold what is stored. */
  async start(): Promise<void> {
    this.create(this.options.registry().allModels(), 'with the router');
    this.feed();
    await Promise.all(this.inline.map((projection) => projection.catchUp()));
  }

  /** @internal The work of inline projections in one append, or undefined when there is none. */
  inlineAppend(): InlineAppend | undefined {
    const { inline } = this;
    return inline.length === 0 ? undefined : new InlineAppend(inline);
  }

  /** @internal Begins the work of inline projections in an append of a transaction; undefined when there are none. */
  inlineIn(transaction: InlineTransaction): InlineAppend | undefined {
    const { inline } = this;
    return inline.length === 0 ? undefined : transaction.begin(inline);
  }

  /** @internal Whether there are inline projections, which take part in appends. */
  get hasInline(): boolean {
    return this.inline.length > 0;
  }

  /** @internal */
  async close(): Promise<void> {
    this.stop.abort();
    await this.feeding;
    for (const kept of this.kept.values()) kept.close();
    this.router.close();
    this.closed.next();
    for (const subject of [this.failures, this.progress, this.closed]) subject.complete();
  }

  private get inline(): InlineProjection[] {
    return [...this.kept.values()].filter((kept) => kept instanceof InlineProjection);
  }

  private create(models: readonly ClassModel[], start: 'with the router' | 'by itself'): void {
    for (const model of models) {
      if (model.projection === undefined) continue;
      const projection = new ProjectionClass(model);
      if (model.projection.mode === 'live') this.live.set(model, new LiveProjection(projection, this.options));
      else if (model.projection.mode === 'inline') this.kept.set(model, new InlineProjection(projection, this.environment));
      else this.kept.set(model, new AsyncProjection(projection, this.environment, start));
    }
  }

  private feed(): void {
    if (this.kept.size > 0) this.feeding ??= this.follow();
  }

  /** Hands every event of the store to the router, for as long as this is open. */
  private async follow(): Promise<void> {
    while (!this.stop.signal.aborted) {
      try {
        const { position } = this.router;
        const after = position === undefined ? {} : { after: position };
        for await (const chunk of follow(this.options.store, after, this.stop.signal)) await this.route(chunk);
        return;
      } catch (error) {
        this.environment.failed(error);
        await delay(200, undefined, { ref: false });
      }
    }
  }

  private async route(chunk: readonly RecordedEvent[]): Promise<void> {
    for (const event of chunk) this.router.next(event);
    const { position } = this.router;
    for (const projection of this.inline) {
      if (position !== undefined && !projection.isStaging && !projection.hasReached(position)) await projection.catchUp();
    }
    this.progress.next();
  }

  private modelOf(target: Class): ClassModel {
    return this.options.registry().modelOf(target, 'projection');
  }

  private documentsOf(model: ClassModel): Documents {
    const kept = this.kept.get(model);
    if (kept === undefined) throw new LiveProjectionError(model.name);
    return kept.documents;
  }

  /** @param left Which instances are meant when `ids` is left out. */
  private parkedInstances(
    target: Class,
    ids: object | undefined,
    left: 'all' | 'unrouted' = 'all',
  ): { documents: Documents; instances: Instance[] } {
    const model = this.modelOf(target);
    const documents = this.documentsOf(model);
    const parked = documents.parkedInstances();
    if (ids === undefined && left === 'all') return { documents, instances: parked };
    const key = ids && givenIdentity(model, ids).key;
    const instances = parked.filter(({ identity }) => identity?.key === key);
    if (instances.length === 0) throw new NotParkedError(model.name, ids);
    return { documents, instances };
  }

  private report(failure: ProjectionFailure): void {
    if (this.failures.observed) this.failures.next(failure);
    else warn(`${failure.error.message}${failure.isParked ? ' (parked)' : ' (tried again)'}`);
  }
}

function nameOf({ projection }: Kept): string {
  return projection.name;
}

function watchDocument(documents: Documents, identity: Identity): Observable<object | undefined> {
  return new Observable((subscriber) => {
    const begin = (): void => {
      const work = documents.workOn(identity);
      if (work !== undefined) {
        work.then(begin, begin);
        return;
      }
      if (subscriber.closed) return;
      documents
        .watch(identity.key)
        .pipe(map((state) => copyState(state)))
        .subscribe(subscriber);
      subscriber.add(() => documents.unwatch(identity.key));
      subscriber.next(documents.peek(identity));
    };
    begin();
  });
}

function warn(message: string): void {
  process.emitWarning(message, 'EventfoldWarning');
}
