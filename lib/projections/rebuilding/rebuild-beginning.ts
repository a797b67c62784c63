import type { GenerationRecord } from '../../store/projection-store';
import type { KeptProjection } from '../running/kept-projection';
import type { RunnerEnvironment } from '../running/runner-environment';
import { OutdatedProjectionError, RebuildUnderWayError } from './rebuild-errors';

/** Says whether what is being built has served before, and is to serve again. */
export function isReopened(building: GenerationRecord, records: readonly GenerationRecord[]): boolean {
  const serving = records.find(({ role }) => role === 'serving');
  return serving !== undefined && building.generation < serving.generation;
}

/** @returns what begins a generation, or goes on with one that was left. */
export function beginning(
  { definition, name, version }: KeptProjection,
  { place }: Pick<RunnerEnvironment, 'place'>,
): () => Promise<GenerationRecord> {
  let isFirst = true;
  return async () => {
    const records = await place.records(name);
    const newer = records.find((record) => record.role !== 'kept' && record.version > version);
    if (newer !== undefined) throw new OutdatedProjectionError(name, version, newer.version);
    const left = records.find(({ role }) => role === 'building');
    if (left !== undefined && isReopened(left, records)) {
      if (left.owner !== undefined) throw new RebuildUnderWayError(name, 'rollback');
      await place.drop(definition, left);
    } else if (left?.failure !== undefined && left.owner === undefined && isFirst) await place.drop(definition, left);
    isFirst = false;
    // What is promoted takes the place of something, be it empty.
    if (!records.some(({ role }) => role === 'serving')) await place.create(definition, version, 'serving');
    return place.create(definition, version, 'building');
  };
}
