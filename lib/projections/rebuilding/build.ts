import type { Position } from '../../events/recorded-event';
import type { GenerationId, GenerationRecord, ProjectionStore } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { ProjectionError } from '../projection-errors';
import { Runner } from '../running/runner';
import type { RunnerEnvironment } from '../running/runner-environment';
import { RebuildFailedError } from './rebuild-errors';
import type { RebuildMeter } from './rebuild-progress';

/** What becomes of an event that fails while a generation is built. */
export type OnFailure = 'stop' | 'park';

/** What a generation is built with. */
export interface BuildOptions {
  readonly definition: ProjectionDefinition;
  readonly environment: RunnerEnvironment;
  readonly meter: RebuildMeter;
  readonly onFailure: OnFailure;
  /** Ends the work. */
  readonly signal: AbortSignal;
}

/** How the filling of a generation went: it is at the head; it is not this one's to fill any more; it was to end. */
export type BuildEnd = 'at head' | 'gone' | 'aborted';

/** It is looked at least so often whether there is something new, in milliseconds. */
const lookAgainMs = 50;

/** At the head, it is waited so often for what serves not to be further. */
const mostLooks = 20;

/** Taken here, so that fake timers in a user's tests do not stop it. */
const later = setTimeout;

/** Fills a generation beside the one that serves, or stands by while another process does. */
export class Build {
  /** Whether it was this process's turn to fill it. */
  hasLed = false;
  private readonly runner: Runner;
  private isGone = false;
  private looks = 0;
  private wake: (() => void) | undefined;

  constructor(
    private readonly record: GenerationRecord,
    private readonly options: BuildOptions,
  ) {
    const { definition, environment, onFailure, signal } = options;
    const around: RunnerEnvironment = {
      ...environment,
      report: () => undefined,
      superseded: () => {
        this.isGone = true;
        this.wake?.();
      },
      moved: () => this.wake?.(),
      // What ends the work is told to who asked for it.
      warn: () => undefined,
      trouble: (projections, message) => {
        if (environment.place.isTransient(this.runner.lastError)) environment.trouble(projections, message);
      },
    };
    this.runner = new Runner(definition, record, around, onFailure === 'stop' ? 'strict' : 'at once');
    signal.addEventListener('abort', () => this.wake?.(), { once: true });
  }

  /** How many events it has applied. */
  get applied(): number {
    return this.runner.applied;
  }

  /** Whether nobody else has applied events to it meanwhile. */
  get isAlone(): boolean {
    return this.runner.isAlone;
  }

  get position(): Position | undefined {
    return this.runner.position;
  }

  /**
   * Fills the generation as long as there is something to fill it with. It goes on after that until it is stopped.
   *
   * @throws {@link RebuildFailedError} when an event fails that is not to be parked, or something that does not pass by itself.
   */
  async untilAtHead(): Promise<BuildEnd> {
    for (;;) {
      if (this.options.signal.aborted) return 'aborted';
      if (this.isGone) return 'gone';
      this.runner.start();
      await this.checkFailure();
      await this.measure();
      if (this.runner.state === 'live' && !this.runner.isRetrying && (await this.isLevel())) return 'at head';
      await this.turn();
    }
  }

  /** @returns when what was done is kept, and the lease given up. */
  stop(): Promise<void> {
    return this.runner.stop();
  }

  private async checkFailure(): Promise<void> {
    const { runner, record } = this;
    if (runner.state !== 'failed') return;
    const { definition, environment } = this.options;
    const { place } = environment;
    const { lastError } = runner;
    const cause = lastError instanceof ProjectionError ? lastError.cause : lastError;
    const isPassing = lastError !== undefined && place.isTransient(cause);
    // By another process: what this one came upon last has nothing to do with it.
    const marked = (await recordOf(place, record))?.failure;
    if (isPassing && marked === undefined) return;
    await runner.stop();
    const failed = isPassing ? marked : (lastError ?? marked);
    // It has begun anew since.
    if (failed === undefined) return;
    if (!isPassing && lastError !== undefined) await place.mark(record, { failure: messageOf(lastError) });
    throw new RebuildFailedError(definition.projection, failed);
  }

  private async measure(): Promise<void> {
    const { meter, environment } = this.options;
    const { runner } = this;
    if (runner.state === 'live' || runner.state === 'catching up') {
      this.hasLed = true;
      meter.at(runner.applied, runner.position);
    } else if (runner.state === 'waiting' && !this.hasLed) {
      const record = await recordOf(environment.place, this.record);
      if (record !== undefined) await meter.lookAt(record);
    }
  }

  /** Says whether what serves is not further: what little may be missing is folded while it is swapped, and all wait for it. */
  private async isLevel(): Promise<boolean> {
    const { place, store } = this.options.environment;
    this.looks += 1;
    if (this.looks > mostLooks) return true;
    const serving = (await place.records(this.record.projection)).find(({ role }) => role === 'serving');
    const { position } = this.runner;
    if (serving?.checkpoint === undefined) return true;
    return position !== undefined && store.compare(position, serving.checkpoint) >= 0;
  }

  private async turn(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = later(resolve, lookAgainMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }
}

async function recordOf(place: ProjectionStore, { projection, generation }: GenerationId): Promise<GenerationRecord | undefined> {
  return (await place.records(projection)).find((record) => record.generation === generation);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
