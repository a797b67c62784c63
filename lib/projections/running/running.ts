import { type Observable, Subject } from 'rxjs';
import type { Class } from '../../events/event-class';
import { InvalidArgumentError } from '../../events/invalid-argument-error';
import type { Position } from '../../events/recorded-event';
import type { ClassModel } from '../../metadata/class-model';
import type { Registry } from '../../metadata/registry';
import type { Snapshots } from '../../snapshots/snapshots';
import type { EventStore } from '../../store/event-store';
import type { GenerationRecord, ProjectionStore } from '../../store/projection-store';
import { Feed } from '../feeding/feed';
import { ProjectionClass } from '../folding/projection-class';
import { ProjectionDefinition } from '../folding/projection-definition';
import { InlineAppend } from '../inline/inline-append';
import { InlineHooks } from '../inline/inline-hooks';
import type { ProjectionFailure } from '../parking/parked-event';
import { stateKindOf } from '../projection-checks';
import { ClosedError } from '../projection-errors';
import { type ProjectionStatus, statusOf } from '../projection-status';
import { LiveProjection } from '../reading/live-projection';
import { reach } from '../reading/reach';
import { Rebuilds } from '../rebuilding/rebuilds';
import { answerMismatch } from '../rebuilding/version-mismatch';
import type { RegisteredProjections } from '../registered-projections';
import type { Services } from '../services';
import { servingRecord } from '../serving-record';
import { type KeptEnvironment, KeptProjection } from './kept-projection';
import { Outages } from './outages';
import { runToPosition, untilReached } from './run-to-position';
import type { RunnerEnvironment } from './runner-environment';

/** What projections are run with. */
export interface RunningOptions {
  readonly store: EventStore;
  readonly snapshots: Snapshots;
  readonly registry: () => Registry;
  readonly now: () => Date;
  /** Runs `work` so that what is stored in it is a consequence of the event. */
  readonly causedBy: RunnerEnvironment['causedBy'];
  readonly leaseMs: number;
  readonly owner: string;
  readonly run: 'auto' | 'manual' | 'off';
  readonly services: Services;
}

/** The running of projections and reactors in this process, from the start to the close. */
export class Running {
  readonly environment: KeptEnvironment;
  readonly rebuilds: Rebuilds;
  readonly hooks = new InlineHooks((transaction) => new InlineAppend(this.registered.inline, this.place, transaction));
  /** Whether it is not closed. */
  isOpen = true;
  private readonly failures = new Subject<ProjectionFailure>();
  private readonly moved = new Subject<void>();
  private readonly closed = new Subject<void>();
  private readonly feed: Feed;
  private isStarted = false;

  constructor(
    private readonly registered: RegisteredProjections,
    private readonly place: ProjectionStore,
    private readonly options: RunningOptions,
  ) {
    const { store, now, owner, leaseMs, causedBy } = options;
    const outages = new Outages(warn);
    this.feed = new Feed(store, (error) => {
      const names = this.registered.kept.map(({ name }) => name);
      outages.tell(names, `The store could not be read for ${names.join(', ')}, and it tries again: ${String(error)}`);
    });
    this.environment = {
      store,
      place: this.place,
      feed: this.feed,
      owner,
      leaseMs,
      now,
      causedBy,
      report: (failure) => this.report(failure),
      superseded: () => undefined,
      moved: () => this.moved.next(),
      closed: this.closed,
      mismatched: (projection, serving) => this.mismatched(projection, serving),
      warn,
      trouble: (projections, message) => outages.tell(projections, message),
    };
    this.rebuilds = new Rebuilds(this.environment);
  }

  /** Every failure of a handler in this process. While nobody subscribes, failures are process warnings instead. */
  get errors(): Observable<ProjectionFailure> {
    return this.failures.asObservable();
  }

  /** Begins to fold what is stored. */
  async open(): Promise<void> {
    this.isStarted = this.options.run === 'auto';
    await this.add(this.options.registry().allModels());
  }

  /** Runs them, as far as no other process does. @throws {@link InvalidArgumentError} where the process is not to. */
  async start(): Promise<void> {
    this.checkOpen();
    this.checkRunning('start');
    this.isStarted = true;
    await Promise.all(this.registered.kept.map((kept) => kept.start()));
  }

  /** Ends running them: the chunks under way are kept. */
  async stop(): Promise<void> {
    this.isStarted = false;
    await Promise.all(this.registered.kept.map((kept) => kept.stop()));
    await this.rebuilds.halt('background');
  }

  /** Runs one, or all, up to a position, and stops those that did not run before. @returns how each does then. */
  async runOnce(target: Class | undefined, find: () => Promise<Position | undefined>): Promise<ProjectionStatus[]> {
    this.checkOpen();
    this.checkRunning('runOnce');
    const awaited = this.registered.keptOrAll(target);
    const position = await find();
    await Promise.all(awaited.map((kept) => runToPosition(kept, position, { ...this.environment, rebuilds: this.rebuilds })));
    return this.statusOf(awaited);
  }

  async close(): Promise<void> {
    this.isOpen = false;
    this.closed.next();
    await this.rebuilds.halt('all');
    await this.stop();
    await this.feed.close();
    for (const subject of [this.failures, this.moved, this.closed]) subject.complete();
  }

  /** Waits until projections that were added show what was stored before. */
  async caughtUpWithHistory(added: readonly ClassModel[]): Promise<void> {
    const head = await this.options.store.head();
    const kept = added.flatMap((model) => this.registered.find(model) ?? []).filter(({ isReactor }) => !isReactor);
    if (head !== undefined && this.isStarted) await this.untilReached(kept, head);
  }

  /** Adds those of `models` that are projections or reactors, and not there yet. */
  async add(models: readonly ClassModel[]): Promise<void> {
    const added: KeptProjection[] = [];
    for (const model of models) {
      if (model.projection === undefined || this.registered.has(model)) continue;
      const folding = new ProjectionClass(model, this.options.registry().upcasting, this.options.services);
      if (model.projection.mode === 'live') this.registered.add(new LiveProjection(folding, this.options), model);
      else added.push(new KeptProjection(new ProjectionDefinition(folding, stateKindOf(model, this.place)), this.environment));
    }
    for (const kept of added) this.registered.add(kept, kept.model);
    this.hooks.forget();
    for (const kept of added) {
      if (this.isStarted || kept.isInline) await kept.start();
      else await this.prepare(kept);
    }
    await this.fill(added.filter(({ inline }) => inline !== undefined));
  }

  /** A reactor begins with the first process that lists it, whoever runs it: what is stored from then on is for it. */
  private async prepare(kept: KeptProjection): Promise<void> {
    const serving = kept.isReactor ? await kept.serving() : await servingRecord(kept.definition, this.place);
    if (serving !== undefined) kept.checkKind(serving);
  }

  /** Appends find an inline projection where it ought to be. */
  private async fill(added: readonly KeptProjection[]): Promise<void> {
    const head = await this.options.store.head();
    if (head !== undefined) await this.untilReached(added, head);
    if (!this.isStarted) for (const kept of added) await kept.stop();
  }

  private async untilReached(awaited: readonly KeptProjection[], position: Position): Promise<void> {
    await Promise.all(awaited.map((kept) => untilReached(kept, position, this.environment)));
  }

  /** Waits until projections show everything up to a position. */
  reach(kept: readonly KeptProjection[], find: () => Promise<Position | undefined>, timeoutMs: number): Promise<void> {
    return reach(kept, find, timeoutMs, { ...this.environment, moved: this.moved, closed: this.closed });
  }

  /** @returns how each does, whichever process runs it. */
  statusOf(all: readonly KeptProjection[]): Promise<ProjectionStatus[]> {
    const rebuildFailure = (kept: KeptProjection) => this.rebuilds.failureOf(kept);
    const isBuilding = (kept: KeptProjection) => this.rebuilds.isBuilding(kept);
    return Promise.all(all.map((kept) => statusOf(kept, { ...this.environment, rebuildFailure, isBuilding })));
  }

  private mismatched(kept: KeptProjection, serving: GenerationRecord): Promise<string> {
    const { place, rebuilds, isStarted } = this;
    return answerMismatch(kept, serving, { place, rebuilds, isStarted, warn });
  }

  private report(failure: ProjectionFailure): void {
    if (this.failures.observed) this.failures.next(failure);
    else warn(`${failure.error.message}${failure.isParked ? ' (parked)' : ' (tried again)'}`);
  }

  private checkRunning(call: string): void {
    if (this.options.run === 'off')
      throw new InvalidArgumentError(
        `es.projections.${call}() runs projections, which this process was opened not to do, by projections: { run: 'off' }. Open it with 'manual'.`,
      );
  }

  /** @throws {@link ClosedError}. */
  checkOpen(): void {
    if (!this.isOpen) throw new ClosedError();
  }
}

function warn(message: string): void {
  process.emitWarning(message, 'EventfoldWarning');
}
