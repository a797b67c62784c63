import type { Class } from '../events/event-class';
import type { Position } from '../events/recorded-event';
import type { ProjectionMode } from '../metadata/slots';
import type { EventStore } from '../store/event-store';
import type { GenerationRecord, ProjectionStore, StateKind } from '../store/projection-store';
import type { RebuildProgress } from './rebuilding/rebuild-progress';
import type { KeptProjection } from './running/kept-projection';

/**
 * How a projection does: it folds what is stored; it shows what is stored; it was told to stand still; its next state is being
 * built beside the one that serves; nobody runs it, or not this process; it cannot go on.
 */
export type ProjectionState = 'catching up' | 'live' | 'paused' | 'rebuilding' | 'stopped' | 'failed';

/** How a rebuild that is under way anywhere does. */
export interface RebuildStatus extends Omit<RebuildProgress, 'projection'> {
  readonly version: number;
  readonly generation: number;
  /** The process that works on it; undefined when none does. */
  readonly owner: string | undefined;
  /** Why it cannot go on. */
  readonly failure: string | undefined;
}

/** How a projection does, whichever process runs it. */
export interface ProjectionStatus {
  readonly projection: string;
  readonly class: Class;
  readonly mode: ProjectionMode;
  readonly kind: StateKind;
  readonly state: ProjectionState;
  /** Why this process does not run it, or it does not run at all. */
  readonly reason: string | undefined;
  /** The version of what serves; the class's while nothing does. */
  readonly version: number;
  /** The number of what serves: each rebuild makes the next. Undefined while nothing does. */
  readonly generation: number | undefined;
  /** Everything up to here is folded, or parked. */
  readonly checkpoint: Position | undefined;
  /** The newest position of the store. */
  readonly head: Position | undefined;
  /** How many events of its types it has not folded, and for how many seconds the first of them has been stored. */
  readonly lag: { readonly events: number; readonly seconds: number };
  readonly eventsPerSecond: number;
  /** On how many instances an event is parked. */
  readonly parked: number;
  /** The process that runs it; undefined when none does. */
  readonly owner: string | undefined;
  /** What kept it from going on, last. */
  readonly lastError: string | undefined;
  readonly rebuild: RebuildStatus | undefined;
  /** The version of what served before the last rebuild, and is kept. */
  readonly kept: number | undefined;
}

/** What a status is found out with. */
export interface StatusOptions {
  readonly store: EventStore;
  readonly place: ProjectionStore;
  readonly now: () => Date;
  /** @returns why a rebuild in the background failed for good. */
  readonly rebuildFailure: (kept: KeptProjection) => unknown;
  /** Whether this process builds its next state, or waits for it. */
  readonly isBuilding: (kept: KeptProjection) => boolean;
}

/** Who is behind by events that were stored so recently shows what there is as soon as may be, in seconds. */
const liveSeconds = 2;

/** @returns how a projection does now. */
export async function statusOf(kept: KeptProjection, options: StatusOptions): Promise<ProjectionStatus> {
  const { definition, name, version } = kept;
  const { store, place, now } = options;
  const records = await place.records(name);
  const [serving, building, earlier] = (['serving', 'building', 'kept'] as const).map((role) =>
    records.find((record) => record.role === role),
  );
  const { types, options: declared } = definition.folding;
  const { events, since } = await place.behind(types, serving?.checkpoint);
  const seconds = since === undefined ? 0 : Math.max(0, (now().getTime() - Date.parse(since)) / 1_000);
  const blocked = serving === undefined ? [] : await place.blocked(serving);
  const failure = options.rebuildFailure(kept);
  const trouble = kept.runner?.state === 'failed' ? messageOf(kept.runner.lastError) : undefined;
  const lastError = serving?.failure ?? messageOf(failure) ?? trouble;
  const hasFailed = failure !== undefined || trouble !== undefined;
  const isBuilding = building?.owner !== undefined || (kept.isNewer && kept.isStarted) || options.isBuilding(kept);
  // What was refused may have been replaced since, and be about to run.
  const refusal = serving?.version === version ? undefined : kept.refusal;
  const found: Found = { kept, serving, refusal, isBuilding, hasFailed };
  const isRun = serving?.owner !== undefined || kept.isStarted;
  return {
    projection: name,
    class: definition.target,
    mode: declared.mode,
    kind: definition.kind,
    state: stateOf(found, { events, seconds }),
    reason: refusal ?? (!isRun && declared.mode === 'async' ? 'No process runs it.' : undefined),
    version: serving?.version ?? version,
    generation: serving?.generation,
    checkpoint: serving?.checkpoint,
    head: await store.head(),
    lag: { events, seconds },
    eventsPerSecond: serving?.eventsPerSecond ?? 0,
    parked: blocked.filter((instance) => instance.failure.retryAt === undefined).length,
    owner: serving?.owner,
    lastError,
    rebuild: building && (await rebuildOf(building, types, place)),
    kept: earlier?.version,
  };
}

interface Found {
  readonly kept: KeptProjection;
  readonly serving: GenerationRecord | undefined;
  /** Why this process does not run it. */
  readonly refusal: string | undefined;
  readonly isBuilding: boolean;
  readonly hasFailed: boolean;
}

function stateOf({ kept, serving, refusal, isBuilding, hasFailed }: Found, lag: ProjectionStatus['lag']): ProjectionState {
  if (serving?.isPaused) return 'paused';
  if (serving?.failure !== undefined || hasFailed) return 'failed';
  if (isBuilding) return 'rebuilding';
  if (refusal !== undefined || serving === undefined) return 'stopped';
  const isShown = lag.events === 0 || lag.seconds <= liveSeconds;
  // Appends keep an inline projection, whoever runs it.
  if (kept.isInline && isShown) return 'live';
  // This process is about to run it.
  if (serving.owner === undefined && kept.isStarted) return lag.events === 0 ? 'live' : 'catching up';
  if (serving.owner === undefined) return 'stopped';
  return isShown ? 'live' : 'catching up';
}

async function rebuildOf(
  { version, generation, owner, failure, checkpoint, eventsPerSecond }: GenerationRecord,
  types: readonly string[],
  place: ProjectionStore,
): Promise<RebuildStatus> {
  const total = (await place.behind(types, undefined)).events;
  const left = checkpoint === undefined ? total : (await place.behind(types, checkpoint)).events;
  const secondsLeft = left === 0 ? 0 : eventsPerSecond > 0 ? Math.ceil(left / eventsPerSecond) : undefined;
  const progress = { events: total - left, total, eventsPerSecond, secondsLeft, position: checkpoint };
  return { version, generation, owner, failure, ...progress };
}

function messageOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof Error ? error.message : String(error);
}
