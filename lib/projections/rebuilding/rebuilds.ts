import type { GenerationRecord } from '../../store/projection-store';
import { ClosedError } from '../projection-errors';
import type { ReachOptions } from '../reading/reach';
import type { KeptProjection } from '../running/kept-projection';
import type { RunnerEnvironment } from '../running/runner-environment';
import { compare } from './compare';
import type { ComparisonReport } from './comparison';
import { type FollowOptions, Rebuild, type RebuildOptions, type RebuildParts, type RebuildReport } from './rebuild';
import { beginning, isReopened } from './rebuild-beginning';
import { CustomProjectionError, NothingKeptError, RebuildUnderWayError } from './rebuild-errors';
import { refill } from './refill';

/** What is built beside a projection in this process, and until when. */
interface Work {
  readonly what: 'rebuild' | 'rollback' | 'comparison';
  readonly rebuild?: Rebuild;
  /** Settles when it is over, where it ends by itself when this is closed. */
  readonly over?: Promise<void>;
  /** Nobody but this process has asked for it. */
  isBackground?: boolean;
}

/** The rebuilds of this process: at most one of each projection, which all who ask for it share. */
export class Rebuilds {
  private readonly underWay = new Map<string, Work>();
  /** Why a rebuild failed that nobody waits for. */
  private readonly failures = new Map<string, unknown>();

  constructor(private readonly environment: RunnerEnvironment & Pick<ReachOptions, 'closed'>) {}

  /** @throws {@link RebuildUnderWayError}, `OutdatedProjectionError` and what {@link Rebuild.join} does. */
  rebuild(kept: KeptProjection, { onFailure = 'stop', ...follow }: RebuildOptions): Promise<RebuildReport> {
    if (kept.definition.kind === 'custom') return this.alone(kept, 'rebuild', () => refill(kept, follow, this.environment));
    return this.join(kept, follow, 'rebuild', {
      onFailure,
      onCancel: 'drop',
      begin: beginning(kept, this.environment),
    });
  }

  /** @throws {@link NothingKeptError}, {@link RebuildUnderWayError} and what {@link Rebuild.join} does. */
  async rollback(kept: KeptProjection, follow: FollowOptions): Promise<RebuildReport> {
    if (kept.definition.kind === 'custom')
      throw new CustomProjectionError(kept.name, 'nothing is kept that it could be rolled back to. Rebuild it instead');
    const begin = () => this.reopened(kept);
    // What failed while it served has been parked, too.
    return this.join(kept, follow, 'rollback', { onFailure: 'park', onCancel: 'leave', begin });
  }

  /** @throws {@link RebuildUnderWayError}, {@link CustomProjectionError} and what {@link compare} does. */
  async compare(kept: KeptProjection, follow: FollowOptions): Promise<ComparisonReport> {
    if (kept.definition.kind === 'custom')
      throw new CustomProjectionError(kept.name, 'the framework cannot tell what it would be. Compare it by other means');
    return this.alone(kept, 'comparison', () => compare(kept, follow, this.environment));
  }

  /** Removes what is kept from before a rebuild. */
  async dropKept({ definition }: KeptProjection): Promise<void> {
    const { place } = this.environment;
    const kept = (await place.records(definition.projection)).find(({ role }) => role === 'kept');
    if (kept !== undefined) await place.drop(definition, kept);
  }

  /** Has what serves rebuilt for the newer version that this process has, in the background. */
  upgrade(kept: KeptProjection): void {
    if (this.underWay.has(kept.name) || this.failures.has(kept.name)) return;
    const rebuilding = this.rebuild(kept, {});
    const work = this.underWay.get(kept.name);
    if (work !== undefined) work.isBackground = true;
    rebuilding.catch((error: unknown) => {
      if (error instanceof ClosedError) return;
      if (!this.environment.place.isTransient(error)) this.failures.set(kept.name, error);
      this.environment.warn(`${kept.name} was not rebuilt for its version ${kept.version}: ${String(error)}`);
    });
  }

  /** Whether this process builds what is to serve next, or waits for another one to do so. */
  isBuilding({ name }: KeptProjection): boolean {
    const work = this.underWay.get(name);
    return work !== undefined && work.what !== 'comparison' && work.rebuild !== undefined;
  }

  /** @returns why the last rebuild in the background failed for good. */
  failureOf({ name }: KeptProjection): unknown {
    return this.failures.get(name);
  }

  /** Ends all rebuilds in this process, or those that nobody waits for: they can be gone on with. */
  async halt(which: 'all' | 'background'): Promise<void> {
    const works = [...this.underWay.values()].filter(
      ({ isBackground, rebuild }) => which === 'all' || (isBackground === true && rebuild?.isShared === false),
    );
    await Promise.all(works.map(({ rebuild, over }) => rebuild?.halt() ?? over));
  }

  private join(
    kept: KeptProjection,
    follow: FollowOptions,
    what: Work['what'],
    how: Pick<RebuildParts, 'onFailure' | 'onCancel' | 'begin'>,
  ): Promise<RebuildReport> {
    const other = this.underWay.get(kept.name);
    if (other !== undefined && (other.what !== what || other.rebuild === undefined))
      return Promise.reject(new RebuildUnderWayError(kept.name, other.what));
    return (other?.rebuild ?? this.begin(kept, what, how)).join(follow);
  }

  /** Runs what needs the place beside a projection for itself. */
  private async alone<T>({ name }: KeptProjection, what: Work['what'], work: () => Promise<T>): Promise<T> {
    const other = this.underWay.get(name);
    if (other !== undefined) throw new RebuildUnderWayError(name, other.what);
    const working = work();
    const over = working.then(
      () => undefined,
      () => undefined,
    );
    this.underWay.set(name, { what, over });
    try {
      return await working;
    } finally {
      this.underWay.delete(name);
    }
  }

  private begin(kept: KeptProjection, what: Work['what'], how: Pick<RebuildParts, 'onFailure' | 'onCancel' | 'begin'>): Rebuild {
    const { definition, name } = kept;
    const promoted = () => {
      this.failures.delete(name);
      kept.restart();
    };
    const rebuild = new Rebuild({ definition, environment: this.environment, promoted, ...how });
    this.underWay.set(name, { what, rebuild });
    void rebuild.over().then(() => this.underWay.delete(name));
    return rebuild;
  }

  private async reopened(kept: KeptProjection): Promise<GenerationRecord> {
    const { definition, name, version } = kept;
    const { place } = this.environment;
    const records = await place.records(name);
    const building = records.find(({ role }) => role === 'building');
    const earlier = building ?? records.find(({ role }) => role === 'kept');
    if (building !== undefined && !isReopened(building, records)) throw new RebuildUnderWayError(name, 'rebuild');
    if (earlier?.version !== version) throw new NothingKeptError(name, earlier?.version, version);
    const serving = records.find(({ role }) => role === 'serving');
    if (earlier.kind !== definition.kind || earlier.kind !== serving?.kind)
      throw new NothingKeptError(name, earlier.version, version, 'another kind');
    if (building === undefined && !(await place.reopen(definition))) return this.reopened(kept);
    // It is to catch up, whatever it stood still for.
    await place.mark(earlier, { isPaused: false, failure: undefined });
    return (await place.records(name)).find(({ generation }) => generation === earlier.generation) ?? this.reopened(kept);
  }
}
