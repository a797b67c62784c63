import type { GenerationRecord } from '../../store/projection-store';
import { ClosedError } from '../projection-errors';
import type { ReachOptions } from '../reading/reach';
import type { KeptProjection } from '../running/kept-projection';
import type { RunnerEnvironment } from '../running/runner-environment';
import { Build } from './build';
import { Comparison, type ComparisonReport } from './comparison';
import type { FollowOptions } from './rebuild';
import { beginning } from './rebuild-beginning';
import { RebuildCancelledError, RebuildUnderWayError } from './rebuild-errors';
import { RebuildMeter } from './rebuild-progress';

/** Instances that events go on changing are looked at so often. */
const mostLooks = 30;

/** What a comparison works with. */
export type CompareEnvironment = RunnerEnvironment & Pick<ReachOptions, 'closed'>;

/** Builds a projection beside what serves, compares the two, and drops what was built. */
export async function compare(
  kept: KeptProjection,
  follow: FollowOptions,
  environment: CompareEnvironment,
): Promise<ComparisonReport> {
  const { place } = environment;
  const left = (await place.records(kept.name)).find(({ role }) => role === 'building');
  if (left?.owner !== undefined) throw new RebuildUnderWayError(kept.name, 'rebuild');
  const building = await beginning(kept, environment)();
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  follow.signal?.addEventListener('abort', abort);
  if (follow.signal?.aborted) abort();
  const closing = environment.closed.subscribe(abort);
  const work = new CompareWork(kept, building, follow, { ...environment, signal: stop.signal });
  try {
    return await work.run();
  } finally {
    follow.signal?.removeEventListener('abort', abort);
    closing.unsubscribe();
    await work.end();
  }
}

class CompareWork {
  private readonly build: Build;
  private readonly meter: RebuildMeter;
  private holding: NodeJS.Timeout | undefined;

  constructor(
    private readonly kept: KeptProjection,
    private readonly building: GenerationRecord,
    private readonly follow: FollowOptions,
    private readonly environment: CompareEnvironment & { readonly signal: AbortSignal },
  ) {
    const { signal, place } = environment;
    const { definition } = kept;
    this.meter = new RebuildMeter(place, definition, new Set(follow.onProgress && [follow.onProgress]));
    this.build = new Build(building, { definition, environment, meter: this.meter, onFailure: 'stop', signal });
  }

  async run(): Promise<ComparisonReport> {
    const { place, store } = this.environment;
    const { definition } = this.kept;
    await this.meter.begin(this.building);
    await this.fill();
    await this.build.stop();
    const comparison = new Comparison({ store, place, definition, building: await this.hold() });
    let left = await comparison.compareAll();
    await this.checkHeld();
    for (let looks = 0; left > 0 && looks < mostLooks; looks += 1) {
      await this.fill();
      left = await comparison.compareLeft();
    }
    await this.build.stop();
    this.meter.end(this.build.applied, this.build.position);
    return comparison.report();
  }

  async end(): Promise<void> {
    clearInterval(this.holding);
    await this.build.stop();
    const { place, owner } = this.environment;
    const there = (await place.records(this.kept.name)).find(({ generation }) => generation === this.building.generation);
    // Somebody who waited for it may go on with it.
    if (there?.role === 'building' && (there.owner === undefined || there.owner === owner))
      await place.drop(this.kept.definition, this.building);
  }

  private async fill(): Promise<void> {
    const end = await this.build.untilAtHead();
    if (end === 'at head') return;
    if (end === 'gone') throw new RebuildUnderWayError(this.kept.name, 'rebuild');
    if (this.follow.signal?.aborted) throw new RebuildCancelledError(this.kept.name, this.follow.signal.reason);
    throw new ClosedError();
  }

  /** Keeps others from going on with what was built. @returns its record, which stays as it is. */
  private async hold(): Promise<GenerationRecord> {
    const { place, owner, leaseMs } = this.environment;
    const held = await place.take(this.building, owner, leaseMs);
    if (held?.role !== 'building') throw new RebuildUnderWayError(this.kept.name, 'rebuild');
    this.holding = setInterval(() => {
      place.renew(this.building, owner, leaseMs).catch(() => undefined);
    }, leaseMs / 3).unref();
    return held;
  }

  private async checkHeld(): Promise<void> {
    clearInterval(this.holding);
    const { place, owner, leaseMs, signal } = this.environment;
    if (signal.aborted) await this.fill();
    const held = await place.renew(this.building, owner, leaseMs);
    if (held?.role !== 'building') throw new RebuildUnderWayError(this.kept.name, 'rebuild');
  }
}
