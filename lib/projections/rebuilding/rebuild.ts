import { EventSourcingError } from '../../event-sourcing-error';
import { nameOf } from '../../events/event-class';
import { InvalidArgumentError } from '../../events/invalid-argument-error';
import type { GenerationRecord } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { type ParkedEvent, parkedIn } from '../parking/parked-event';
import { ClosedError } from '../projection-errors';
import type { RunnerEnvironment } from '../running/runner-environment';
import { Build, type OnFailure } from './build';
import { promote } from './promotion';
import { RebuildCancelledError, RebuildFailedError } from './rebuild-errors';
import { type OnProgress, RebuildMeter } from './rebuild-progress';

/** How a caller follows a rebuild. */
export interface FollowOptions {
  /** Told how far it is, up to ten times a second, and at the end. */
  readonly onProgress?: OnProgress;
  /**
   * Gives it up: what was built is dropped. Only the waiting ends where the work is another's as well: another call in this
   * process waits for it, it began at start-up, or another process does it.
   */
  readonly signal?: AbortSignal;
}

/** How a projection is rebuilt. */
export interface RebuildOptions extends FollowOptions {
  /**
   * `'stop'`, unless given: at the first event that fails the rebuild ends, and what serves stays. `'park'`: such an event is
   * parked, as when the projection runs, and listed in the report.
   */
  readonly onFailure?: OnFailure;
}

/** What a rebuild has done. */
export interface RebuildReport {
  readonly projection: string;
  readonly version: number;
  /** The number of the state that serves now. */
  readonly generation: number;
  /** How many events it is folded from. */
  readonly events: number;
  /** How many of them this call has applied; other processes, or a call before that was broken off, have applied the rest. */
  readonly applied: number;
  /** The events that are parked. */
  readonly failures: readonly ParkedEvent[];
  readonly seconds: number;
}

/** What a rebuild works with. */
export interface RebuildParts {
  readonly definition: ProjectionDefinition;
  readonly environment: RunnerEnvironment;
  readonly onFailure: OnFailure;
  /** @returns the generation to be filled, which may be half full. */
  begin(): Promise<GenerationRecord>;
  /** What becomes of it when the work is given up. */
  readonly onCancel: 'drop' | 'leave';
  /** Called once another generation serves. */
  promoted(): void;
}

/** Pauses before what failed and may pass by itself is tried again: they grow from the first to the second. */
const shortestPauseMs = 100;
const longestPauseMs = 5_000;

const later = setTimeout;

/** One rebuild of a projection in this process, which several callers may wait for. */
export class Rebuild {
  private readonly listeners = new Set<OnProgress>();
  private readonly stop = new AbortController();
  private readonly meter: RebuildMeter;
  private callers = 0;
  private isHalted = false;
  private applied = 0;
  private failures = 0;
  private readonly began = performance.now();
  private readonly done: Promise<RebuildReport>;

  constructor(private readonly parts: RebuildParts) {
    this.meter = new RebuildMeter(parts.environment.place, parts.definition, this.listeners);
    this.done = this.run();
    this.done.catch(() => undefined);
  }

  /** Whether several calls wait for it. */
  get isShared(): boolean {
    return this.callers > 1;
  }

  /** @returns when it is over, however that came about. */
  async over(): Promise<void> {
    await this.done.catch(() => undefined);
  }

  /**
   * Waits for the end.
   *
   * @throws {@link RebuildCancelledError} when the signal aborts; otherwise what the work ended with.
   */
  async join({ onProgress, signal }: FollowOptions = {}): Promise<RebuildReport> {
    const { projection } = this.parts.definition;
    this.callers += 1;
    // Each call has one of its own, also where several give the same function.
    const listener: OnProgress | undefined = onProgress && ((progress) => onProgress(progress));
    if (listener !== undefined) this.listeners.add(listener);
    const left = abortion(signal);
    try {
      const outcome = await Promise.race([this.done, left.aborted]);
      if (outcome !== 'aborted') return outcome;
      if (this.callers > 1) throw new RebuildCancelledError(projection, signal?.reason, 'not waited for');
      this.stop.abort(signal?.reason);
      // It may just have come to its end.
      return await this.done;
    } finally {
      left.end();
      this.callers -= 1;
      if (listener !== undefined) this.listeners.delete(listener);
    }
  }

  /** Ends the work in this process: it can be gone on with, here or elsewhere. */
  async halt(): Promise<void> {
    this.isHalted = true;
    this.stop.abort();
    await this.over();
  }

  private async run(): Promise<RebuildReport> {
    // Those who asked for it are to hear of all of it.
    await Promise.resolve();
    try {
      return await this.untilDone();
    } catch (error) {
      const { definition, environment } = this.parts;
      if (error instanceof EventSourcingError || environment.place.isTransient(error)) throw error;
      throw new RebuildFailedError(definition.projection, error);
    }
  }

  private async untilDone(): Promise<RebuildReport> {
    for (let building = await this.parts.begin(); ; building = await this.patiently(() => this.parts.begin())) {
      const report = await this.work(building);
      if (report !== undefined) return report;
    }
  }

  /** @returns undefined when the generation is gone, and another one has to be begun. */
  private async work(building: GenerationRecord): Promise<RebuildReport | undefined> {
    await this.patiently(() => this.meter.begin(building));
    const { definition, environment, onFailure } = this.parts;
    const { signal } = this.stop;
    const build = new Build(building, { definition, environment, onFailure, meter: this.meter, signal });
    try {
      for (;;) {
        const end = await this.patiently(() => build.untilAtHead());
        if (end === 'at head') {
          await build.stop();
          if (await this.patiently(() => promote(building.generation, this.parts))) break;
        } else if (end === 'gone') break;
        else return await this.givenUp(build, building);
      }
    } finally {
      await build.stop();
      this.applied += build.applied;
    }
    return this.patiently(() => this.report(building, build));
  }

  private async givenUp(build: Build, building: GenerationRecord): Promise<never> {
    const { definition, environment, onCancel } = this.parts;
    // Who stands by gives up only waiting.
    const isMine = build.hasLed;
    await build.stop();
    if (this.isHalted) throw new ClosedError();
    if (isMine && onCancel === 'drop') await environment.place.drop(definition, building);
    throw new RebuildCancelledError(definition.projection, this.stop.signal.reason, isMine ? 'given up' : 'not waited for');
  }

  /** @returns undefined when another generation serves than the one that was built. */
  private async report({ generation }: GenerationRecord, build: Build): Promise<RebuildReport | undefined> {
    const { definition, environment, promoted } = this.parts;
    const records = await environment.place.records(definition.projection);
    const built = records.find((record) => record.generation === generation);
    // It may have served, and be kept already.
    if (built === undefined || built.role === 'building') return undefined;
    promoted();
    const events = build.isAlone
      ? this.meter.end(build.hasLed ? build.applied : undefined, built.checkpoint)
      : await this.meter.endAt(built.checkpoint);
    const seconds = (performance.now() - this.began) / 1_000;
    const failures = parkedIn(definition, await environment.place.blocked(built));
    const { projection, version } = built;
    return { projection, version, generation, events, applied: this.applied, failures, seconds };
  }

  /** Does it again, after pauses, as long as it fails for reasons that pass by themselves. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await work();
        this.failures = 0;
        return result;
      } catch (error) {
        if (!this.parts.environment.place.isTransient(error)) throw error;
        if (this.stop.signal.aborted) throw new RebuildCancelledError(this.parts.definition.projection, error);
        await this.pause(Math.min(longestPauseMs, shortestPauseMs * 2 ** this.failures));
        this.failures += 1;
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    const { signal } = this.stop;
    await new Promise<void>((resolve) => {
      const timer = later(resolve, ms);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

/** What tells of a signal's end, until nobody wants to know any more. */
function abortion(signal: AbortSignal | undefined): { readonly aborted: Promise<'aborted'>; end(): void } {
  let end = (): void => undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    const tell = (): void => resolve('aborted');
    if (signal?.aborted) tell();
    signal?.addEventListener('abort', tell);
    end = () => signal?.removeEventListener('abort', tell);
  });
  return { aborted, end: () => end() };
}

/** @throws {@link InvalidArgumentError} when what follows a rebuild is of no use. */
export function checkFollowing(call: string, { onProgress, signal }: FollowOptions): void {
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new InvalidArgumentError(`${call} takes a function for onProgress, not ${nameOf(onProgress)}.`);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError(`${call} takes an AbortSignal for signal, not ${nameOf(signal)}.`);
}
