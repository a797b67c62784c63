import type { Chunk } from '../feeding/intake';
import { TooManyParkedError } from '../projection-errors';
import type { HeldGeneration } from '../running/held-generation';
import { FailedHandler } from './failed-handler';
import type { ProjectionFailure } from './parked-event';

/**
 * What comes before the event that is too much is to be kept by itself: people want to see what is parked.
 *
 * @throws {@link FailedHandler} of that event, {@link TooManyParkedError} where it is the first one.
 */
export function checkParked(
  failures: readonly ProjectionFailure[],
  { events }: Chunk,
  { definition, blocked }: Pick<HeldGeneration, 'definition' | 'blocked'>,
): void {
  const { maxParked } = definition.folding.options;
  const free = Math.max(0, maxParked - blocked.byKey.size);
  if (failures.length <= free) return;
  const places = new Map(events.map(({ id }, index) => [id, index]));
  const placeOf = ({ event }: ProjectionFailure): number => places.get(event.id) ?? 0;
  const excess = failures.toSorted((one, other) => placeOf(one) - placeOf(other))[free] as ProjectionFailure;
  if (placeOf(excess) > 0) throw new FailedHandler(excess.error, excess.event);
  throw new TooManyParkedError(definition.projection, maxParked);
}
