import { nameOf } from './event-class';
import type { Violation } from './event-errors';
import { Place } from './place';

/**
 * Compares what a schema was given with what it makes of it: by default values, by coercion, by leaving out what it does not know.
 * An event is stored as it was emitted, so what is checked has to be that.
 */
export function schemaDifferences(given: object, made: unknown): Violation[] {
  const found: Violation[] = [];
  compare(given, made, { place: Place.payload, found });
  return found;
}

interface Comparison {
  readonly place: Place;
  readonly found: Violation[];
}

function compare(given: unknown, made: unknown, at: Comparison): void {
  if (given === made || (Number.isNaN(given) && Number.isNaN(made))) return;
  if (!isObject(given) || !isObject(made) || kindOf(given) !== kindOf(made) || at.place.isTooDeep) report(given, made, at);
  else if (given instanceof Date) {
    if (given.getTime() !== (made as unknown as Date).getTime()) report(given, made, at);
  } else if (given instanceof Map) compare([...given], [...(made as unknown as Map<unknown, unknown>)], at);
  else if (given instanceof Set) compare([...given], [...(made as unknown as Set<unknown>)], at);
  else compareParts(given, made, at);
}

function compareParts(given: Parts, made: Parts, { place, found }: Comparison): void {
  const added = Object.keys(made).filter((key) => !Object.hasOwn(given, key));
  for (const key of [...Object.keys(given), ...added]) {
    if (given[key] === made[key]) continue; // as nearly always: its place is not asked for
    const part = Array.isArray(given) ? place.item(Number(key)) : place.key(key);
    compare(given[key], made[key], { place: part, found });
  }
}

function report(given: unknown, made: unknown, { place, found }: Comparison): void {
  const property = place.toString();
  const subject = property === '' ? 'it' : property;
  found.push({ property, rule: 'unchanged', message: `${subject} ${howChanged(given, made)}` });
}

function howChanged(given: unknown, made: unknown): string {
  if (given === undefined)
    return `is missing, and its schema makes ${nameOf(made)} of that: give it, or give the class that value`;
  if (made === undefined) return 'is left out by its schema: name it there too';
  return `is ${nameOf(given)}, and its schema makes ${nameOf(made)} of it: give it as it is to be stored`;
}

type Parts = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null;
}

/** Schemas make plain objects of instances. */
function kindOf(value: object): unknown {
  return [Array, Date, Map, Set].find((kind) => value instanceof kind);
}
