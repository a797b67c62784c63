import type { Observable } from 'rxjs';
import { type Class, nameOf as textOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import type { Position } from '../events/recorded-event';
import type { Append, AppendResult, BeforeCommit } from '../store/append';
import type { ProjectionStore } from '../store/projection-store';
import type { RunInAppend } from './inline/inline-hooks';
import type { ParkedEvent, ProjectionFailure } from './parking/parked-event';
import { ParkedEvents } from './parking/parked-events';
import { changePause } from './projection-pause';
import type { ProjectionStatus } from './projection-status';
import { projectionStoreOf } from './projection-store-of';
import { type CaughtUpOptions, checkCaughtUp } from './reading/caught-up-options';
import type { Ids, ParkedIds } from './reading/ids';
import { Instances } from './reading/instances';
import { NewestAppended } from './reading/newest-appended';
import { ProjectionReader } from './reading/projection-reader';
import type { Update, UpdatesOptions } from './reading/update';
import type { ComparisonReport } from './rebuilding/comparison';
import { checkFollowing, type FollowOptions, type RebuildOptions, type RebuildReport } from './rebuilding/rebuild';
import { RegisteredProjections } from './registered-projections';
import { Running, type RunningOptions } from './running/running';

/** What the projections of one `EventSourcing` are made with. */
export interface ProjectionStorageOptions extends RunningOptions {
  /** Registers more classes, late. */
  readonly register: (classes: readonly Class[]) => Promise<void>;
}

/**
 * The projections: what people read. It routes each recorded event, in order, to the instances that the event's ids
 * name, keeps them, and answers with copies of them. It hands the reactors their events as well, which are found here by their
 * status, and by what is parked; but there is nothing of them to read, and nothing to rebuild.
 */
export class ProjectionStorage {
  private readonly place: ProjectionStore;
  private readonly registered: RegisteredProjections;
  private readonly instances: Instances;
  private readonly parkedEvents: ParkedEvents;
  private readonly newest: NewestAppended;
  private readonly work: Running;

  /** @internal */
  constructor(private readonly options: ProjectionStorageOptions) {
    const { store, registry } = options;
    this.place = projectionStoreOf(store);
    this.registered = new RegisteredProjections(registry);
    this.instances = new Instances(this.registered, store, this.place);
    this.newest = new NewestAppended(store);
    this.work = new Running(this.registered, this.place, options);
    this.parkedEvents = new ParkedEvents(this.registered, this.work.environment);
  }

  /**
   * Reads one instance as it is kept now.
   *
   * @param ids All ids of the class: `{ accountId }`. May be left out for a class without ids.
   * @returns a copy, which the reader may keep and change; undefined when no event belongs to the instance.
   * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
   * @throws {@link ProjectionError} when the projection is live and a handler throws.
   * @throws {@link CustomProjectionError} when it is custom: it is read where its handlers write.
   * @throws {@link ReactorError} when it is a reactor.
   */
  get<T extends object>(target: Class<T>, ids?: Ids<T>): Promise<T | undefined> {
    return this.instances.get(target, ids);
  }

  /** @returns copies of all instances. Not for live and custom projections. An entity's Repository finds some of them. */
  all<T extends object>(target: Class<T>): Promise<T[]> {
    return this.instances.all(target);
  }

  /**
   * Watches one instance: as it is now (undefined when there is none), then after every change that is kept, whichever
   * process made it.
   *
   * @returns copies. It completes when this is closed, and goes on after a failure, which {@link errors} reports;
   * only a live projection's ends with a {@link ProjectionError} when a handler throws.
   * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
   */
  watch<T extends object>(target: Class<T>, ids?: Ids<T>): Observable<T | undefined> {
    return this.instances.watch(target, ids);
  }

  /**
   * Follows one instance as {@link watch} does, or each that changes, with what a subscriber needs to go on later where it was: a
   * browser that reconnects, say. Deleted instances are told of as well.
   *
   * Without `ids` it begins with a `start`; there is another one when a rebuild has put other instances in place. What was retried,
   * skipped or rebuilt while nobody listened has changed instances without an event: who gives the `edition` beside the position is
   * told by `hasMissed` to read everything anew.
   *
   * @returns updates in the order of their positions. It completes when this is closed, and otherwise fails as {@link watch}.
   * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
   * @throws {@link InvalidPositionError} when `after` is no position of this store.
   * @throws {@link InvalidArgumentError} when an option is unknown or not possible.
   */
  updates<T extends object>(target: Class<T>, options: UpdatesOptions<T> = {}): Observable<Update<T>> {
    return this.instances.updates(target, options);
  }

  /** @returns a copy of each instance that changes from now on, whichever process changed it. It completes when this is closed. */
  changes<T extends object>(target: Class<T>): Observable<T> {
    return this.instances.changes(target);
  }

  /**
   * Waits until a projection, or all of them, show everything up to a position, whichever process runs them, and until this
   * process has told of it who watches. A parked event does not hold it up; one that is tried again by itself does.
   *
   * @param target A projection, or a reactor, which has handled everything then. Without it, all projections: what reactors do
   * is nothing that a reader waits for.
   * @throws {@link CaughtUpTimeoutError} when it takes longer than `timeoutMs`.
   * @throws {@link ClosedError} when this is closed meanwhile.
   * @throws {@link InvalidPositionError} when the position is none of this store.
   * @throws {@link InvalidArgumentError} when an option is unknown or not possible.
   */
  async caughtUp(target?: Class, options: CaughtUpOptions = {}): Promise<void> {
    const model = target === undefined ? undefined : this.registered.modelOf(target);
    checkCaughtUp(options);
    this.work.checkOpen();
    const { position, timeoutMs = 5_000 } = options;
    const awaited = this.registered.kept.filter((kept) => (model === undefined ? !kept.isReactor : kept.model === model));
    await this.work.reach(awaited, () => this.newest.awaited(position), timeoutMs);
  }

  /** @returns the events that are parked, of one projection or of all. */
  parked(target?: Class): Promise<ParkedEvent[]> {
    return this.parkedEvents.of(target);
  }

  /**
   * Tries parked events again, each with what waits behind it: one that {@link parked} gave, that of one instance, or all of a
   * projection when `ids` is left out. In one transaction for each, whichever process runs the projection.
   *
   * Those of a reactor are tried by the process that runs it, soon after: `caughtUp(SomeReactor)` waits for it.
   *
   * @throws {@link NotParkedError} when the instance has none, or another one by now.
   */
  retry(parked: ParkedEvent): Promise<void>;
  retry<T extends object>(target: Class<T>, ids?: ParkedIds<T>): Promise<void>;
  retry(target: Class | ParkedEvent, ids?: object): Promise<void> {
    return this.parkedEvents.retry(target, ids);
  }

  /**
   * Leaves the parked event out of one instance for good, and goes on with what waits behind it: one that {@link parked} gave,
   * or that of the instance of these `ids`.
   *
   * @param ids The `ids` of the parked event: undefined for those that name no instance, which are all skipped.
   * @throws {@link NotParkedError} when the instance has none, or another one by now.
   */
  skip(parked: ParkedEvent): Promise<void>;
  skip<T extends object>(target: Class<T>, ids: ParkedIds<T> | undefined): Promise<void>;
  skip(target: Class | ParkedEvent, ids?: object): Promise<void> {
    return this.parkedEvents.skip(target, ids);
  }

  /**
   * @returns every failure of a handler in this process, also those that are tried again. It never ends with an error.
   * While nobody subscribes, failures are process warnings instead.
   */
  errors(): Observable<ProjectionFailure> {
    return this.work.errors;
  }

  /**
   * Adds projections and reactors to a running system.
   *
   * @returns when the history of the projections has been folded. One that stands still, as it is paused or has failed, is not
   * waited for: {@link status} tells of it.
   */
  async register(...classes: Class[]): Promise<void> {
    await this.options.register(classes);
    const added = classes.map((target) => this.registered.modelOf(target));
    await this.work.add(added);
    await this.work.caughtUpWithHistory(added);
  }

  /**
   * @returns what reads this one projection, for a service that has to do with no other.
   * @throws {@link NotRegisteredError} when the class is no registered projection.
   */
  of<T extends object>(target: Class<T>): ProjectionReader<T> {
    this.registered.modelOf(target);
    return new ProjectionReader(target, this);
  }

  /**
   * Runs the async projections and the reactors in this process, as far as no other one does. Harmless when they run.
   *
   * @throws {@link InvalidArgumentError} in a process that was opened with `projections: { run: 'off' }`.
   */
  start(): Promise<void> {
    return this.work.start();
  }

  /**
   * Ends running them: the chunks under way are kept, with their checkpoints, and other processes may take over at once. A
   * reactor's handler is waited for up to `leaseMs`; then its `context.signal` aborts.
   */
  stop(): Promise<void> {
    return this.work.stop();
  }

  /**
   * Runs projections, as far as no other process does, up to the newest event that is stored now, and stops those that did not
   * run before: for a job of its own, with `open({ …, projections: { run: 'manual' } })`. It waits for no parked event, and for
   * no projection that is paused, has failed, or does not run here.
   *
   * @param target One projection; all unless given.
   * @returns how each does then.
   * @throws {@link InvalidArgumentError} in a process that was opened with `projections: { run: 'off' }`.
   */
  runOnce(target?: Class): Promise<ProjectionStatus[]> {
    return this.work.runOnce(target, () => this.newest.awaited(undefined));
  }

  /**
   * @param target One projection or reactor; all that keep state, and all reactors, unless given.
   * @returns how each does, whichever process runs it.
   */
  async status(target?: Class): Promise<ProjectionStatus[]> {
    this.work.checkOpen();
    return this.work.statusOf(this.registered.keptOrAll(target));
  }

  /**
   * Has a projection stand still in all processes, until it is resumed; also across restarts. Inline ones are passed over by
   * appends, and catch up when they are resumed.
   *
   * @returns when nothing more is applied, by anybody.
   */
  async pause(target: Class): Promise<void> {
    this.work.checkOpen();
    await changePause(this.registered.keptOf(this.registered.modelOf(target)), 'pause', this.place);
  }

  /** Has a projection go on where it was, also one that failed as a whole. */
  async resume(target: Class): Promise<void> {
    this.work.checkOpen();
    await changePause(this.registered.keptOf(this.registered.modelOf(target)), 'resume', this.place);
  }

  /**
   * Folds a projection anew, beside what serves, which goes on being read and kept up to date until the new state has caught up
   * and takes its place at once. What served before is kept for {@link rollback} until {@link dropKept} or the next rebuild.
   *
   * One process works on it; others that call it meanwhile wait for the same, and take over when that one dies. What a process
   * has left half done that died is gone on with by the next call. A second call in one process joins the first.
   *
   * A custom projection is emptied by its `reset`, and filled again: readers see it being filled.
   *
   * @returns what was done, once the new state serves.
   * @throws {@link RebuildFailedError} at the first event that fails, unless `onFailure` is `'park'`. What was built stays for a
   * look until the next rebuild, which begins anew.
   * @throws {@link RebuildCancelledError} when `signal` aborts: what was built is dropped.
   * @throws {@link RebuildUnderWayError} during a rollback or comparison in this process.
   * @throws {@link OutdatedProjectionError} when a newer version of the class serves, or is being built.
   * @throws {@link CustomProjectionError} when a custom projection has no `reset`.
   * @throws {@link ReactorError} when it is a reactor.
   */
  async rebuild(target: Class, options: RebuildOptions = {}): Promise<RebuildReport> {
    this.work.checkOpen();
    checkOptions('rebuild', options, ['onProgress', 'signal', 'onFailure']);
    checkFollowing('rebuild', options);
    const { onFailure = 'stop' } = options;
    if (onFailure !== 'stop' && onFailure !== 'park')
      throw new InvalidArgumentError(`rebuild takes onFailure 'stop' or 'park', not ${textOf(onFailure)}.`);
    return this.work.rebuilds.rebuild(this.registered.foldedOf(this.registered.modelOf(target)), options);
  }

  /**
   * Tells what a rebuild would change, and changes nothing: it builds beside what serves, compares the two instance by instance,
   * each as of one position, and drops what it has built. Columns that TypeORM or users keep by themselves are left out.
   *
   * @throws {@link RebuildFailedError} at the first event that fails.
   * @throws {@link RebuildCancelledError} when `signal` aborts.
   * @throws {@link RebuildUnderWayError} during a rebuild or rollback, in whichever process.
   * @throws {@link OutdatedProjectionError}, {@link CustomProjectionError} or {@link ReactorError}.
   */
  async compare(target: Class, options: FollowOptions = {}): Promise<ComparisonReport> {
    this.work.checkOpen();
    checkOptions('compare', options, ['onProgress', 'signal']);
    checkFollowing('compare', options);
    return this.work.rebuilds.compare(this.registered.foldedOf(this.registered.modelOf(target)), options);
  }

  /**
   * Has what served before the last rebuild serve again, once it has caught up. What serves now is kept in its turn.
   *
   * @throws {@link NothingKeptError} when nothing is kept, or it is of another version than the class of this process, whose
   * handlers cannot have it catch up.
   * @throws {@link RebuildCancelledError} when `signal` aborts: the next call goes on with it.
   * @throws {@link RebuildUnderWayError} during a rebuild or comparison.
   */
  async rollback(target: Class, options: FollowOptions = {}): Promise<RebuildReport> {
    this.work.checkOpen();
    checkOptions('rollback', options, ['onProgress', 'signal']);
    checkFollowing('rollback', options);
    return this.work.rebuilds.rollback(this.registered.foldedOf(this.registered.modelOf(target)), options);
  }

  /** Removes what served before the last rebuild. Harmless when nothing is kept. */
  async dropKept(target: Class): Promise<void> {
    this.work.checkOpen();
    await this.work.rebuilds.dropKept(this.registered.foldedOf(this.registered.modelOf(target)));
  }

  /** How many projections and reactors run: those that keep state, or a place in the log. */
  get running(): number {
    return this.work.isOpen ? this.registered.size : 0;
  }

  /** @internal Begins to fold what is stored. */
  open(): Promise<void> {
    return this.work.open();
  }

  /** @internal Whether there are inline projections, which take part in appends. */
  get hasInline(): boolean {
    return this.registered.inline.length > 0;
  }

  /** @internal The work of inline projections in one append. */
  inlineHook(appends: readonly Append[], run: RunInAppend): BeforeCommit {
    return this.work.hooks.hookOf(appends, run);
  }

  /** @internal Takes note of what this process has appended. */
  tell(result: AppendResult): void {
    this.newest.tell(result);
  }

  /** @internal The position of the newest event that this process has appended. */
  get lastAppended(): Position | undefined {
    return this.newest.position;
  }

  /** @internal */
  close(): Promise<void> {
    return this.work.close();
  }
}
