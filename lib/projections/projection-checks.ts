import type { ClassModel } from '../metadata/class-model';
import type { Mistake } from '../metadata/mistake';

/** Finds what is wrong with a projection class that only this layer can see. */
export function projectionMistakes(model: ClassModel): Mistake[] {
  const { class: target, aggregate, projection } = model;
  if (projection === undefined || aggregate !== undefined || !('emit' in target.prototype)) return [];
  const remedy = 'Do not extend AggregateRoot; to act on events, subscribe to es.events';
  return [{ code: 'RESERVED_NAME', class: target.name, member: 'emit', problem: 'a projection cannot emit', remedy }];
}
