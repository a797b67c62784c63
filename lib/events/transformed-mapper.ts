import { type ClassConstructor, instanceToPlain, plainToInstance } from 'class-transformer';
import { blankInstance } from './blank-instance';
import { isExcluded } from './declared-type';
import { type Class, nameOf } from './event-class';
import { isOpaque, refusedScalar } from './frozen-copy';
import type { Mapper } from './instance-codec';
import { checkJson, deepFreeze } from './json-value';
import { Misfit } from './misfit';
import type { Place } from './place';

const reverse = 'Make what its decorators do toClassOnly the reverse of what they do toPlainOnly';

/** Maps instances of a class that says itself, by `@Transform`, `@Expose` or `@Exclude`, what its plain form is. */
export class TransformedMapper implements Mapper {
  constructor(private readonly target: Class) {}

  /** What comes back is compared with what was given: nothing else could tell whether the decorators undo each other. */
  encode(instance: object, place: Place): object {
    const stored = storable(run(place, () => instanceToPlain(thawed(instance, place))) as object, place) as object;
    checkSame(instance, this.revive(stored, place), place);
    return stored;
  }

  decode(plain: object, place: Place): object {
    return deepFreeze(this.revive(plain, place), place);
  }

  initial(property: string): unknown {
    return (blankInstance(this.target) as Record<string, unknown>)[property];
  }

  private revive(plain: object, place: Place): object {
    return run(place, () => plainToInstance(this.target as ClassConstructor<object>, thawed(plain, place)));
  }
}

function run<T>(place: Place, transform: () => T): T {
  try {
    return transform();
  } catch (error) {
    if (error instanceof Misfit || error instanceof RangeError) throw error;
    throw new Misfit(place, `cannot be transformed: ${nameOf(error)}`, reverse, error);
  }
}

/** class-transformer writes into what it is given: @returns a copy, prototypes included. */
function thawed<T>(value: T, place: Place): T;
function thawed(value: unknown, place: Place): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new Misfit(place, `is ${refusedScalar(value)}`);
  if (typeof value !== 'object' || value === null) return value;
  if (place.isTooDeep) throw new Misfit(place, 'is nested too deeply');
  if (Array.isArray(value)) return value.map((item, index) => thawed(item, place.item(index)));
  if (value instanceof Date) return new Date(value);
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, thawed(item, place.entry(key))]));
  if (value instanceof Set) return new Set(Array.from(value, (item, index) => thawed(item, place.member(index))));
  if (isOpaque(value)) throw new Misfit(place, `is ${nameOf(value)}, whose state cannot be stored`);
  if (Object.hasOwn(value, '__proto__')) throw new Misfit(place, 'has a property named "__proto__"');
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>;
  for (const key of Object.keys(value)) copy[key] = thawed((value as Record<string, unknown>)[key], place.property(key));
  return copy;
}

/** @returns class-transformer's plain form as JSON values: it leaves dates and bigints as they are. */
function storable(value: unknown, place: Place): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  if (Array.isArray(value)) return value.map((item, index) => storable(item, place.item(index)));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    checkJson(value, place);
    return value;
  }
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([key, part]) => [key, storable(part, place.property(key))]));
}

function checkSame(given: unknown, back: unknown, place: Place): void {
  if (given === back || (Number.isNaN(given) && Number.isNaN(back))) return;
  if (!isObject(given) || !isObject(back) || Object.getPrototypeOf(given) !== Object.getPrototypeOf(back))
    throw changed(given, back, place);
  if (given instanceof Date && back instanceof Date) {
    if (given.getTime() !== back.getTime()) throw changed(given, back, place);
  } else if (given instanceof Map && back instanceof Map) checkSame([...given], [...back], place);
  else if (given instanceof Set && back instanceof Set) checkSame([...given], [...back], place);
  else checkSameParts(given, back, place);
}

function checkSameParts(given: Record<string, unknown>, back: Record<string, unknown>, place: Place): void {
  const target = Object.getPrototypeOf(given)?.constructor as Class | undefined;
  for (const key of new Set([...Object.keys(given), ...Object.keys(back)])) {
    if (target !== undefined && target !== (Object as Class) && !Array.isArray(given) && isExcluded(target, key)) continue;
    checkSame(given[key], back[key], Array.isArray(given) ? place.item(Number(key)) : place.property(key));
  }
}

function changed(given: unknown, back: unknown, place: Place): Misfit {
  const reason = `is ${nameOf(given)}, and would come back from class-transformer as ${nameOf(back)}`;
  if (typeof given === 'bigint')
    return new Misfit(place, reason, 'Put @Transform on it, both ways: class-transformer makes no bigint');
  const name = isObject(given) && typeof back === 'string' ? given.constructor?.name : undefined;
  return new Misfit(place, reason, name === 'Date' ? `Put @Type(() => Date) on "${place}"` : reverse);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
