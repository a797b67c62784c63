import { nameOf } from './event-class';
import { isOpaque, refusedScalar } from './frozen-copy';
import { Misfit } from './misfit';
import type { Place } from './place';

/** Says whether `value` is a JSON value that has no parts. */
export function isJsonScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** Says whether `value` is an object of no class. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && prototype.constructor?.name === 'Object';
}

/**
 * Passes what `JSON.stringify` and `JSON.parse` give back equal. Properties that are undefined are left out by them.
 *
 * @throws {@link Misfit} for anything else.
 */
export function checkJson(value: unknown, place: Place): void {
  if (isJsonScalar(value)) return;
  if (typeof value !== 'object' || value === null) throw misfit(value, place);
  if (place.isTooDeep) throw new Misfit(place, 'is nested too deeply');
  if (Array.isArray(value)) {
    checkArray(value, place);
    for (let index = 0; index < value.length; index += 1) {
      if (!isJsonScalar(value[index])) checkJson(value[index], place.item(index));
    }
  } else {
    if (!isPlainObject(value)) throw misfit(value, place);
    checkKeys(value, place);
    for (const key of Object.keys(value)) checkKey(value as Record<string, unknown>, key, place);
  }
}

/** @throws {@link Misfit} when an array is of a class, or has more than its items. */
export function checkArray(value: readonly unknown[], place: Place): void {
  if (value.constructor !== Array && value.constructor?.name !== 'Array') throw misfit(value, place);
  const extra = Object.keys(value).slice(value.length)[0];
  if (extra !== undefined) throw new Misfit(place, `is an array with a property "${extra}", which JSON has no place for`);
}

/** @throws {@link Misfit} when an object has properties that JSON cannot name. */
export function checkKeys(value: object, place: Place): void {
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length === 0) return;
  const symbol = symbols.find((key) => Object.getOwnPropertyDescriptor(value, key)?.enumerable);
  if (symbol !== undefined) throw new Misfit(place, `has a property named ${String(symbol)}, which is a symbol`);
}

function checkKey(object: Record<string, unknown>, key: string, place: Place): void {
  const value = readProperty(object, key, place);
  if (value === undefined) return;
  if (key === '__proto__') throw new Misfit(place, 'has a property named "__proto__"');
  if (!isJsonScalar(value)) checkJson(value, place.key(key));
}

/** @throws {@link Misfit} when a getter does. */
function readProperty(object: Record<string, unknown>, key: string, place: Place): unknown {
  try {
    return object[key];
  } catch (error) {
    throw new Misfit(place.key(key), `cannot be read: ${nameOf(error)}`, undefined, error);
  }
}

/** @returns why a value that JSON has no word for cannot be stored at a place, and what would mend it. */
export function misfit(value: unknown, place: Place): Misfit {
  if (value === undefined) return new Misfit(place, `is ${refusedScalar(value)}`, 'Give null');
  if (typeof value === 'bigint') return undeclared('BigInt', 'a bigint', place);
  if (typeof value !== 'object' || value === null) return new Misfit(place, `is ${refusedScalar(value)}`);
  if (value instanceof Date && Number.isNaN(value.getTime())) return new Misfit(place, 'is an invalid date');
  const name = className(value);
  if (!isPlatform(value) && isOpaque(value)) return new Misfit(place, `is ${nameOf(value)}, whose state cannot be stored`);
  return undeclared(name, isPlatform(value) ? `a ${name}` : nameOf(value), place);
}

function undeclared(name: string, what: string, place: Place): Misfit {
  const property = place.declaredBy;
  if (property === undefined) {
    const remedy = `Plain objects hold JSON values only: give text, or make it an instance of a class with @Type(() => ${name}) on the property`;
    return new Misfit(place, `is ${what} in a plain object`, remedy);
  }
  const where = property === place ? 'it' : `"${property}"`;
  return new Misfit(place, `is ${what}, and no decorator says so`, `Put @Type(() => ${name}) on ${where}`);
}

function isPlatform(value: object): boolean {
  return [Date.prototype, Map.prototype, Set.prototype].includes(Object.getPrototypeOf(value) as never);
}

function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null;
  return prototype?.constructor?.name || 'TheClass';
}

/**
 * Freezes an object and all that is in it.
 *
 * @throws {@link Misfit} when it has a property named `__proto__`.
 */
export function deepFreeze<T extends object>(value: T, place: Place): T {
  if (value instanceof Map || value instanceof Set) {
    for (const [key, item] of value.entries()) {
      freezePart(key, place);
      freezePart(item, place);
    }
  } else if (Array.isArray(value)) {
    for (const item of value) freezePart(item, place);
  } else {
    for (const key of Object.keys(value)) {
      if (key === '__proto__') throw new Misfit(place, 'has a property named "__proto__"');
      const part = (value as Record<string, unknown>)[key];
      if (typeof part === 'object' && part !== null) deepFreeze(part, place.key(key));
    }
  }
  return Object.freeze(value);
}

function freezePart(part: unknown, place: Place): void {
  if (typeof part === 'object' && part !== null) deepFreeze(part, place);
}
