import type { EventSourcing } from '../event-sourcing';
import type { ProjectionState, ProjectionStatus } from '../projections/projection-status';

/** When things are no longer well. */
export interface HealthOptions {
  /** How long the oldest event that a projection has not folded may have been stored; 30 seconds unless given. */
  readonly maxLagSeconds?: number | undefined;
  /** How long a projection that lags may make no progress; 10 seconds unless given. */
  readonly stalledAfterSeconds?: number | undefined;
  /** On how many instances of a projection an event may be parked; any number unless given. */
  readonly maxParked?: number | undefined;
  /** How long the store may take to answer; 1000 ms unless given. */
  readonly timeoutMs?: number | undefined;
}

/** How one projection does. */
export interface ProjectionHealth {
  readonly projection: string;
  readonly state: ProjectionState;
  readonly lag: { readonly events: number; readonly seconds: number };
  /** On how many instances an event is parked. */
  readonly parked: number;
  /** It lags, and has made no progress for too long, or nobody runs it. */
  readonly isStalled: boolean;
  readonly isHealthy: boolean;
}

/** How an `EventSourcing` does. It holds no message of a database or a handler, and may be shown. */
export interface Health {
  readonly isHealthy: boolean;
  readonly store: { readonly isReachable: boolean; readonly milliseconds: number };
  /** None while the store cannot be reached. */
  readonly projections: readonly ProjectionHealth[];
}

/** Since when a projection is seen at its checkpoint. */
interface Sight {
  readonly checkpoint: string | undefined;
  readonly since: number;
}

/** What earlier calls saw. */
const sights = new WeakMap<EventSourcing, Map<string, Sight>>();

/** Taken here, so that fake timers in a user's tests do not stop it. */
const later = setTimeout;

/**
 * Says how the store and every projection that keeps state do, whichever process runs them. A projection is stalled when it lags
 * and was at the same checkpoint in all calls of the last `stalledAfterSeconds`: call it regularly. A paused one is healthy:
 * somebody wants it so.
 *
 * @returns what there is to say; it never rejects, and takes little longer than `timeoutMs`.
 */
export async function healthOf(es: EventSourcing, options: HealthOptions = {}): Promise<Health> {
  const { timeoutMs = 1_000 } = options;
  const start = performance.now();
  const statuses = await inTime(statusesOf(es), timeoutMs);
  const store = { isReachable: statuses !== undefined, milliseconds: Math.round(performance.now() - start) };
  const projections = (statuses ?? []).map((status) => projectionHealth(status, stuckSeconds(es, status), options));
  return { isHealthy: store.isReachable && projections.every(({ isHealthy }) => isHealthy), store, projections };
}

async function statusesOf(es: EventSourcing): Promise<ProjectionStatus[]> {
  await es.head();
  return es.projections.status();
}

/** @returns what is found; undefined when it cannot be, or not in time. */
async function inTime<T>(finding: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = later(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([finding, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** @returns for how many seconds a projection has been seen where it is. */
function stuckSeconds(es: EventSourcing, { projection, checkpoint, lag }: ProjectionStatus): number {
  const seen = sights.get(es) ?? new Map<string, Sight>();
  sights.set(es, seen);
  const now = performance.now();
  const last = seen.get(projection);
  if (lag.events > 0 && last !== undefined && last.checkpoint === checkpoint) return (now - last.since) / 1_000;
  if (lag.events === 0) seen.delete(projection);
  else seen.set(projection, { checkpoint, since: now });
  return 0;
}

function projectionHealth(status: ProjectionStatus, stuck: number, options: HealthOptions): ProjectionHealth {
  const { maxLagSeconds = 30, stalledAfterSeconds = 10, maxParked = Number.POSITIVE_INFINITY } = options;
  const { projection, state, lag, parked } = status;
  const isAtRest = state === 'paused' || state === 'rebuilding';
  const isStalled = !isAtRest && lag.events > 0 && (state === 'stopped' || state === 'failed' || stuck >= stalledAfterSeconds);
  const isLate = !isAtRest && lag.seconds > maxLagSeconds;
  const isHealthy = !isStalled && !isLate && state !== 'failed' && parked <= maxParked;
  return { projection, state, lag, parked, isStalled, isHealthy };
}
