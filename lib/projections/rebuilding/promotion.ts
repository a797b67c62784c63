import type { Position } from '../../events/recorded-event';
import type { BlockedInstance, Changes, GenerationRecord, PromotionTransaction } from '../../store/projection-store';
import { Fold } from '../folding/fold';
import { FailedHandler } from '../parking/failed-handler';
import type { BuildOptions } from './build';
import { RebuildFailedError } from './rebuild-errors';

/** What a generation is promoted with. */
export type PromotionOptions = Pick<BuildOptions, 'definition' | 'environment' | 'onFailure'>;

/**
 * Has a generation serve that is built, and nobody's any more. It is never behind what served before: what it lacks by then is
 * folded while both are held.
 *
 * @returns false when somebody else has changed one of the two: nothing was done.
 * @throws {@link RebuildFailedError} when an event fails that is not to be parked.
 */
export async function promote(generation: number, options: PromotionOptions): Promise<boolean> {
  const { definition, environment } = options;
  const { place } = environment;
  const records = await place.records(definition.projection);
  const building = records.find((record) => record.generation === generation);
  const serving = records.find(({ role }) => role === 'serving');
  if (building?.role !== 'building' || building.owner !== undefined) return false;
  if (serving !== undefined && serving.isPaused !== building.isPaused) {
    await place.mark(building, { isPaused: serving.isPaused });
    return promote(generation, options);
  }
  const blocked = await place.blocked(building);
  try {
    return await place.promote(definition, building, serving, (transaction, upTo) =>
      missing({ building, blocked, transaction, upTo }, options),
    );
  } catch (error) {
    if (!(error instanceof FailedHandler)) throw error;
    await place.mark(building, { failure: error.failure.message });
    throw new RebuildFailedError(definition.projection, error.failure);
  }
}

interface Missing {
  readonly building: GenerationRecord;
  readonly blocked: readonly BlockedInstance[];
  readonly transaction: PromotionTransaction;
  readonly upTo: Position;
}

/** Folds what is missing up to where the serving generation is. */
async function missing(
  { building, blocked, transaction, upTo }: Missing,
  { definition, environment, onFailure }: PromotionOptions,
): Promise<Changes> {
  const fold = new Fold({
    projection: definition.folding,
    load: (ids) => transaction.load(definition, building, ids),
    blocked: new Map(blocked.map((instance) => [instance.key, instance])),
    managers: transaction,
    now: environment.now,
    onFailure: onFailure === 'stop' ? 'throw' : 'park',
  });
  for await (const chunk of transaction.read(building.checkpoint, upTo)) await fold.add(chunk);
  return fold.changes(building.checkpoint, upTo);
}
