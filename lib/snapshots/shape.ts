import { digest } from '../events/digest';
import { nameOf } from '../events/event-class';
import type { Upcasting } from '../events/upcasting';
import type { ClassModel } from '../metadata/class-model';

/**
 * Puts in short what a class looks like: its ids, what it handles and by which ids, its guard, and the properties of a
 * fresh instance with their kinds. What its handlers do is for its author's revision to tell.
 *
 * @param guard Which events an instance is folded from.
 */
export function shapeOf(
  model: ClassModel,
  guard: 'stream' | 'boundary',
  { fresh, upcasting }: { readonly fresh: object; readonly upcasting: Upcasting },
): string {
  const { name, ids, handlers, aggregate, projection } = model;
  return digest([
    projection === undefined ? 'aggregate' : 'projection',
    name,
    guard,
    ids,
    handlers.map(({ event, sources }) => [...upcasting.lineOf(event.type), event.schemaVersion, sources.map(String)]),
    [aggregate?.strict ?? false, (aggregate?.ignores ?? []).map(nameOf)],
    Object.entries(fresh)
      .filter(([key]) => !ids.includes(key))
      .map(([key, value]) => [key, kindOf(value)])
      .sort(),
  ]);
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return nameOf((Object.getPrototypeOf(value) as object | null)?.constructor);
}
