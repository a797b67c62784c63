import { digest } from '../../events/digest';
import type { BlockedInstance, GenerationRecord } from '../../store/projection-store';

/**
 * Names what the instances of a projection are folded from, beside the events up to a position: another one after a rebuild, and
 * when an instance begins to stand still, or goes on. Of two readers of one edition, each change after a position is told by the
 * events after it.
 *
 * @returns the generation's number, with a digest of what stands still.
 */
export function editionOf({ generation }: GenerationRecord, blocked: readonly BlockedInstance[]): string {
  // What belongs to no instance changes none.
  const standing = blocked.filter(({ values }) => values !== undefined).map(({ key, event }) => [key, event.position]);
  return standing.length === 0 ? String(generation) : `${generation}.${digest(standing)}`;
}
