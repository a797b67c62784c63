import type { GenerationId, GenerationRecord, ProjectionStore } from '../../lib/store/projection-store';

/** @returns a place for projections that does what `other` does, but for the given members. */
export function placeOver(other: ProjectionStore, members: Partial<ProjectionStore>): ProjectionStore {
  return over(other, members);
}

/** @returns what does as `other` does, but for the given members. */
export function over<T extends object>(other: T, members: Partial<T>): T {
  return new Proxy(other, {
    get: (target, key) => {
      if (key in members) return Reflect.get(members, key) as unknown;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** @returns the record as it is now; the given one when it is gone. */
export async function presentOf<R extends GenerationId>(place: ProjectionStore, given: R): Promise<GenerationRecord | R> {
  const records = await place.records(given.projection);
  return records.find(({ generation }) => generation === given.generation) ?? given;
}
