import type { BlockedInstance, GenerationRecord, ProjectionStore } from '../store/projection-store';
import type { ProjectionDefinition } from './folding/projection-definition';

/** @returns what is kept of the generation that serves; undefined where none does yet. */
export async function servingRecord(
  { projection }: ProjectionDefinition,
  place: ProjectionStore,
): Promise<GenerationRecord | undefined> {
  return (await place.records(projection)).find(({ role }) => role === 'serving');
}

/** @returns the instances that stand still, of the generation that serves. */
export async function blockedOf(definition: ProjectionDefinition, place: ProjectionStore): Promise<BlockedInstance[]> {
  const serving = await servingRecord(definition, place);
  return serving === undefined ? [] : place.blocked(serving);
}
