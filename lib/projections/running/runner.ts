import type { Position } from '../../events/recorded-event';
import type { GenerationRecord } from '../../store/projection-store';
import { Breath } from '../feeding/breath';
import { type Chunk, Intake } from '../feeding/intake';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { FailedHandler } from '../parking/failed-handler';
import { TooManyParkedError } from '../projection-errors';
import { FoldWork } from './fold-work';
import { HeldGeneration } from './held-generation';
import { ReactorWork } from './reactor-work';
import type { RunnerEnvironment, RunnerPace } from './runner-environment';
import type { RunnerWork } from './runner-work';
import { endsWithin, Wait } from './wait';

/** How a runner stands. */
export type RunnerState = 'waiting' | 'catching up' | 'live' | 'paused' | 'failed' | 'stopped';

const shortestBackOffMs = 50;
const longestBackOffMs = 5_000;

/** Who waits for a lease does not ask for it more often, in milliseconds. */
const standByMs = 250;

/** What appends may have left is not looked for more often, in milliseconds. */
const behindMs = 250;

/** A handler of a reactor that was told to end is given so long for it, in milliseconds. */
const interruptedMs = 500;

/**
 * Runs one generation of an async projection, in the one process that holds its lease: reads chunks, folds them, and keeps
 * rows and checkpoint together.
 */
export class Runner {
  /** What failed last, as a whole. */
  lastError: unknown;
  /** How many events it has applied. */
  applied = 0;
  private readonly intake: Intake;
  private readonly breath = new Breath();
  private readonly held: HeldGeneration;
  private readonly work: RunnerWork;
  private readonly wait = new Wait(() => this.isStopping);
  private running: Promise<void> | undefined;
  private isStopping = false;
  private failures = 0;

  constructor(
    readonly definition: ProjectionDefinition,
    private readonly target: Pick<GenerationRecord, 'generation' | 'role' | 'checkpoint'>,
    private readonly environment: RunnerEnvironment,
    private readonly pace: RunnerPace,
  ) {
    const { store, feed } = environment;
    const joined = pace === 'behind appends' ? undefined : feed;
    this.held = new HeldGeneration(definition, target, environment);
    this.intake = new Intake(definition.folding, store, joined, () => this.wake());
    this.work =
      definition.kind === 'reactor' ? new ReactorWork(this.held, environment) : new FoldWork(this.held, environment, pace);
  }

  start(): void {
    if (this.running !== undefined) return;
    this.isStopping = false;
    this.held.isAbandoned = false;
    this.running = this.run().finally(() => {
      this.running = undefined;
    });
  }

  get generation(): number {
    return this.target.generation;
  }

  /**
   * @returns when the chunk under way is kept, and the lease given up; or when a handler did not end for as long as a lease is
   * given, which another process takes then.
   */
  async stop(): Promise<void> {
    const { running } = this;
    this.isStopping = true;
    this.wake();
    if (running === undefined || (await endsWithin(running, this.environment.leaseMs))) return;
    this.work.interrupt?.();
    if (this.work.interrupt !== undefined && (await endsWithin(running, interruptedMs))) return;
    this.held.isAbandoned = true;
    this.environment.warn(`${this.definition.projection} was stopped in the middle of a handler that does not end.`);
  }

  /** Has it look at once for something to do. */
  wake(): void {
    this.wait.wake();
  }

  /** Whether nobody else has applied anything to it since this was made, as far as is known. */
  get isAlone(): boolean {
    return this.held.isAlone;
  }

  /** Has it read its record again, which somebody in this process has changed. */
  refresh(): void {
    this.held.doubt();
    this.wake();
  }

  get state(): RunnerState {
    if (this.running === undefined || this.isStopping) return 'stopped';
    if (this.held.record === undefined) return this.failures > 0 ? 'failed' : 'waiting';
    if (this.isPaused(this.held.record)) return 'paused';
    if (this.held.record.failure !== undefined || this.failures > 2) return 'failed';
    return this.intake.isAtHead ? 'live' : 'catching up';
  }

  /** Whether it is this process that runs the projection, and what it knows is so, as far as it knows. */
  get isLeading(): boolean {
    return this.held.isCertain;
  }

  /** Everything up to here is applied or parked, as far as this process knows. */
  get position(): Position | undefined {
    return this.held.position;
  }

  /** What of that is kept. */
  get checkpoint(): Position | undefined {
    return this.held.record?.checkpoint;
  }

  /** Whether an instance waits to be tried again by itself. */
  get isRetrying(): boolean {
    return this.held.blocked.isRetrying;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      try {
        if (await this.isKeptByAppends()) await this.waitForAppends();
        else if (await this.lead()) await this.step();
        else await this.standBy();
        this.failures = 0;
      } catch (error) {
        await this.bear(error);
      }
    }
    await this.letGo();
  }

  /** Says whether appends see to everything, so that there is nothing to lead. */
  private async isKeptByAppends(): Promise<boolean> {
    if (this.pace !== 'behind appends' || this.held.record !== undefined) return false;
    const { store, place } = this.environment;
    // Read first: what appends store and fold from here on is no reason to lead.
    const head = await store.head();
    const records = await place.records(this.definition.projection);
    const own = records.find(({ generation }) => generation === this.generation);
    if (own === undefined || own.role !== this.target.role) return false;
    if (own.isPaused || own.failure !== undefined || head === undefined) return true;
    if (own.checkpoint === undefined || store.compare(own.checkpoint, head) < 0) return false;
    // No append tries what is to be tried again.
    return (await place.blocked(own)).every(({ failure }) => failure.retryAt === undefined);
  }

  private async waitForAppends(): Promise<void> {
    const { store, leaseMs } = this.environment;
    const hearing = store.appended().subscribe(() => this.wake());
    await this.wait.pause(leaseMs);
    hearing.unsubscribe();
    await this.wait.pause(behindMs, 'through');
  }

  /** Waits for its turn: until whoever has the lease gives it up, or should have renewed it. */
  private async standBy(): Promise<void> {
    const { place, leaseMs } = this.environment;
    const hearing = place.progressed().subscribe((name) => {
      if (name === undefined || name === this.definition.projection) this.wake();
    });
    await this.wait.pause(leaseMs / 3);
    hearing.unsubscribe();
    // It may just have been another commit of his.
    await this.wait.pause(standByMs, 'through');
  }

  /** @returns whether the lease is ours, and what is known of the record is true. */
  private async lead(): Promise<boolean> {
    const { place, owner, leaseMs } = this.environment;
    const { held } = this;
    const { id } = held;
    if (held.isLeased) return true;
    const began = Date.now();
    const renewed = held.record && (await place.renew(id, owner, leaseMs));
    const record = renewed ?? (await place.take(id, owner, leaseMs));
    held.leasedUntil = began + leaseMs / 2;
    if (record === undefined) await this.lose();
    else if (record.role !== this.target.role) await this.giveUp();
    else if (record.token !== held.record?.token || record.checkpoint !== held.record?.checkpoint) await this.begin(record);
    else held.record = record;
    return held.record !== undefined;
  }

  private async begin(record: GenerationRecord): Promise<void> {
    await this.held.lookAtTable(record);
    this.held.begin(record, await this.environment.place.blocked(record));
    this.intake.rewind(record.checkpoint);
    this.environment.moved();
  }

  private async lose(): Promise<void> {
    this.held.record = undefined;
    this.intake.leave();
    const records = await this.environment.place.records(this.definition.projection);
    const own = records.find(({ generation }) => generation === this.generation);
    if (own === undefined || own.role !== this.target.role) this.supersede();
  }

  private async giveUp(): Promise<void> {
    this.held.record = undefined;
    this.intake.leave();
    await this.environment.place.release(this.held.id, this.environment.owner);
    this.supersede();
  }

  /** There is nothing more to run. */
  private supersede(): void {
    this.isStopping = true;
    this.environment.superseded();
  }

  private async step(): Promise<void> {
    const record = this.held.record as GenerationRecord;
    if (this.isPaused(record) || record.failure !== undefined) {
      this.intake.leave();
      await this.wait.pause(this.environment.leaseMs / 3);
      this.held.doubt();
      return;
    }
    if (await this.retryDue(record)) return;
    const chunk = await this.intake.next(this.work.size);
    if (chunk === undefined) await this.rest();
    else if (chunk.events.length === 0) await this.advance(chunk);
    else await this.apply(chunk, record);
  }

  /** What is being built goes on: it is to be paused once it serves. */
  private isPaused({ isPaused, role }: GenerationRecord): boolean {
    return isPaused && role !== 'building';
  }

  /** Nothing new concerns the projection: the checkpoint need not be kept each time. */
  private async advance(chunk: Chunk): Promise<void> {
    this.held.idle = chunk.upTo;
    this.intake.done(chunk);
    this.environment.moved();
    if (this.held.idleLeftMs <= 0 || this.checkpoint === undefined) await this.held.keepIdle();
  }

  private async rest(): Promise<void> {
    if (this.isStopping) return;
    const { held } = this;
    if (this.pace === 'behind appends' && !held.blocked.isRetrying) {
      await this.letGo();
      return;
    }
    const untilRetry = held.blocked.dueAt - this.environment.now().getTime();
    const untilRenewal = held.leasedUntil - Date.now();
    await this.wait.pause(Math.max(0, Math.min(untilRetry, untilRenewal, held.idleLeftMs)));
    if (held.idleLeftMs <= 0) await held.keepIdle();
  }

  private async apply(chunk: Chunk, record: GenerationRecord): Promise<void> {
    await this.breath.after(chunk.events.length);
    const began = performance.now();
    try {
      const isKept = await this.work.apply(chunk, record);
      this.work.took(chunk, performance.now() - began, isKept);
      if (!isKept) return;
      this.intake.done(chunk);
      this.held.rate.add(chunk.events.length);
      this.applied += chunk.events.length;
      await this.breath.after(chunk.events.length);
    } catch (error) {
      this.work.failed(chunk, error);
    }
  }

  private async retryDue(record: GenerationRecord): Promise<boolean> {
    const instance = this.held.blocked.due(this.environment.now().getTime());
    if (instance === undefined) return false;
    await this.work.retry(instance, record);
    return true;
  }

  /** Tells of what went wrong, and waits, longer each time. */
  private async bear(thrown: unknown): Promise<void> {
    const { place, warn, trouble } = this.environment;
    const { projection } = this.definition;
    const error = thrown instanceof FailedHandler ? thrown.failure : thrown;
    this.lastError = error;
    this.failures += 1;
    const isBlamed = thrown instanceof FailedHandler && !place.isTransient(thrown.failure.cause);
    const isForGood = error instanceof TooManyParkedError || (this.pace === 'strict' && isBlamed);
    if (isForGood) warn(`${projection} stands still: ${String(error)}`);
    else trouble([projection], `${projection} stands still, and tries again: ${String(error)}`);
    if (isForGood) await place.mark(this.held.id, { failure: String(error) }).catch(() => undefined);
    // Nobody knows whether the last commit was carried out.
    this.held.doubt();
    this.environment.moved();
    if (!this.isStopping) await this.wait.pause(Math.min(longestBackOffMs, shortestBackOffMs * 2 ** this.failures), 'through');
  }

  private async letGo(): Promise<void> {
    this.intake.leave();
    await this.held.release();
  }
}
