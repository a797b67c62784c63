import type { RecordedEvent } from '../../events/recorded-event';
import type {
  Changes,
  GenerationRecord,
  ProjectionStore,
  ProjectionTransaction,
  QueuedEvent,
  StateDefinition,
} from '../../store/projection-store';
import { FailedHandler } from '../parking/failed-handler';
import { firstFailure } from '../parking/failures';
import type { ProjectionFailure } from '../parking/parked-event';
import { ProjectionError } from '../projection-errors';
import { Fold, type FoldOptions, unroutedKey } from './fold';
import type { Target } from './projection-class';

/** What one event is applied with. */
export interface ApplyOptions extends Omit<FoldOptions, 'load' | 'managers' | 'onFailure'> {
  readonly definition: StateDefinition;
  readonly record: GenerationRecord;
  readonly place: ProjectionStore;
  readonly transaction: ProjectionTransaction;
}

/** What an event is handed to its instances with. */
export interface EachOptions extends Pick<FoldOptions, 'projection' | 'blocked' | 'now'> {
  /** @returns what the event failed with there. @throws what the event is not to blame for. */
  readonly applyTo: (target: Target) => Promise<ProjectionError | undefined>;
}

/** What of an event is kept in queues, and why. */
export interface Kept {
  readonly queued: readonly QueuedEvent[];
  readonly failures: readonly ProjectionFailure[];
}

/** Applies one event to each of its instances, in a savepoint each; those it fails on keep it in their queues. */
export async function applyEvent(
  recorded: RecordedEvent,
  options: ApplyOptions,
): Promise<{ changes: Omit<Changes, 'from' | 'to'>; failures: readonly ProjectionFailure[] }> {
  const applyTo = ({ identity }: Target) => applyInSavepoint(identity.key, recorded, options);
  const { queued, failures } = await applyToEach(recorded, { ...options, applyTo });
  return { changes: { saved: [], removed: [], queued, released: [] }, failures };
}

/** Hands one event to each of its instances, apart; those it fails on, or that stand still, keep it in their queues. */
export async function applyToEach(recorded: RecordedEvent, { projection, blocked, now, applyTo }: EachOptions): Promise<Kept> {
  const queued: QueuedEvent[] = [];
  const failures: ProjectionFailure[] = [];
  const keep = (key: string, values: QueuedEvent['values'], error: ProjectionError): void => {
    const failure = firstFailure(error, projection.options.retry, now());
    queued.push({ key, values, event: recorded, failure });
    const isParked = failure.retryAt === undefined;
    failures.push({ projection: projection.name, ids: error.ids, event: recorded, error, attempts: 1, isParked });
  };
  let targets: readonly Target[] = [];
  try {
    targets = projection.targetsOf(recorded);
  } catch (cause) {
    const { key, values } = projection.streamOf(recorded) ?? { key: unroutedKey(recorded), values: undefined };
    const ids = values && projection.idsOf({ values });
    if (blocked.has(key)) queued.push({ key, values, event: recorded, failure: undefined });
    else keep(key, values, new ProjectionError(projection.name, ids, recorded, cause));
  }
  for (const target of targets) {
    const { key, values } = target.identity;
    if (blocked.has(key)) queued.push({ key, values, event: recorded, failure: undefined });
    else {
      const error = await applyTo(target);
      if (error !== undefined) keep(key, values, error);
    }
  }
  return { queued, failures };
}

async function applyInSavepoint(key: string, event: RecordedEvent, options: ApplyOptions): Promise<ProjectionError | undefined> {
  const { transaction, definition, record, projection, place } = options;
  try {
    await transaction.attempt(async () => {
      const load: FoldOptions['load'] = (ids) => transaction.load(definition, record, ids);
      const fold = new Fold({ ...options, load, managers: transaction, onFailure: 'throw', only: key });
      await fold.add([event]);
      await transaction.write(definition, record, fold.changes(undefined, undefined));
    });
    return undefined;
  } catch (error) {
    const cause = error instanceof FailedHandler ? error.failure.cause : error;
    if (place.isTransient(cause)) throw cause;
    if (error instanceof FailedHandler) return error.failure;
    if (!place.isRefusal(error)) throw error;
    return new ProjectionError(projection.name, idsIn(options, key, event), event, error);
  }
}

function idsIn({ projection }: ApplyOptions, key: string, event: RecordedEvent): Record<string, unknown> | undefined {
  const target = projection.targetsOf(event).find(({ identity }) => identity.key === key);
  return target && projection.idsOf(target.identity);
}
