import { nameOf } from './event-class';
import { UnstorablePayloadError } from './unstorable-payload-error';

/**
 * Copies an event's data, prototypes included, and freezes every object of the copy. Data that is deeply frozen
 * already is returned as it is.
 *
 * @throws {@link UnstorablePayloadError} when `data` holds a function, a symbol, `NaN`, an infinity, an invalid
 * date, a cycle, or an object whose state cannot be seen (a promise, a URL, an instance with #private fields),
 * when it is nested too deeply, or when reading it throws.
 */
export function frozenCopy<T extends object>(data: T, type: string): T {
  try {
    if (isFlatAndFrozen(data)) return data;
    return (flatCopy(data) ?? new FrozenCopy(type).copy(data, '')) as T;
  } catch (error) {
    if (error instanceof UnstorablePayloadError) throw error;
    const reason = unreadableReason(error);
    throw new UnstorablePayloadError(type, '', reason, { cause: error });
  }
}

/** @returns what happened when data was read; `tooDeep` when the stack was not deep enough for it. */
export function unreadableReason(error: unknown, tooDeep = 'is nested too deeply'): string {
  if (error instanceof RangeError && error.message.includes('call stack')) return tooDeep;
  return `cannot be read: ${error instanceof Error ? String(error) : nameOf(error)}`;
}

/** Copies what a caller could still change although it is frozen: the `Date`, `Map` and `Set` inside `data`. */
export function guardedCopy<T extends object>(data: T, type: string): T {
  return holdsMutable(data) ? (new FrozenCopy(type).copy(data, '') as T) : data;
}

/** Says whether `value` is, or holds, an object that freezing does not make immutable. */
export function holdsMutable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Date || value instanceof Map || value instanceof Set) return true;
  for (const key in value) if (holdsMutable((value as Record<string, unknown>)[key])) return true;
  return false;
}

function isFlatAndFrozen(data: object): boolean {
  if (!Object.isFrozen(data) || Array.isArray(data)) return false;
  if (data instanceof Date || data instanceof Map || data instanceof Set) return false;
  for (const key in data) {
    const value = (data as Record<string, unknown>)[key];
    if (!isScalar(value)) return false;
  }
  return true;
}

/** @returns a copy when every property of `data` is a scalar, as in most events; undefined when there is more to do. */
function flatCopy(data: object): object | undefined {
  if (Array.isArray(data) || isOpaque(data)) return undefined;
  const copy = Object.create(Object.getPrototypeOf(data)) as Record<string, unknown>;
  for (const key of Object.keys(data)) {
    const value = (data as Record<string, unknown>)[key];
    if (!isScalar(value) || key === '__proto__') return undefined;
    copy[key] = value;
  }
  return Object.freeze(copy);
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return (
    typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || value === null || value === undefined
  );
}

class FrozenCopy {
  private readonly open = new Set<object>();

  constructor(private readonly type: string) {}

  copy(value: unknown, path: string): unknown {
    if (isScalar(value)) return value;
    if (typeof value !== 'object' || value === null) throw this.refuse(path, `is ${refusedScalar(value)}`);
    if (this.open.has(value)) throw this.refuse(path, 'refers back to an object that contains it');
    this.open.add(value);
    const copy = this.copyObject(value, path);
    this.open.delete(value);
    return copy;
  }

  private copyObject(value: object, path: string): object {
    if (Array.isArray(value)) return Object.freeze(Array.from(value, (item, index) => this.copy(item, `${path}[${index}]`)));
    if (value instanceof Date) return this.copyDate(value, path);
    if (value instanceof Map) return Object.freeze(new Map(this.copyPairs(value, path)));
    if (value instanceof Set)
      return Object.freeze(new Set(Array.from(value, (item, index) => this.copy(item, `${path}{${index}}`))));
    if (isOpaque(value)) throw this.refuse(path, `is ${nameOf(value)}, whose state cannot be stored`);
    return Object.freeze(this.copyProperties(value, path));
  }

  private copyDate(value: Date, path: string): Date {
    if (Number.isNaN(value.getTime())) throw this.refuse(path, 'is an invalid date');
    return Object.freeze(new Date(value));
  }

  private copyPairs(value: Map<unknown, unknown>, path: string): [unknown, unknown][] {
    return Array.from(value, ([key, item]) => [this.copy(key, `${path}<key>`), this.copy(item, `${path}<${keyText(key)}>`)]);
  }

  private copyProperties(value: object, path: string): object {
    const copy = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>;
    for (const key of Object.keys(value)) {
      const item = (value as Record<string, unknown>)[key];
      const itemCopy = isScalar(item) ? item : this.copy(item, path === '' ? key : `${path}.${key}`);
      if (key === '__proto__') throw this.refuse(path, 'has a property named "__proto__"');
      copy[key] = itemCopy;
    }
    return copy;
  }

  private refuse(path: string, reason: string): UnstorablePayloadError {
    return new UnstorablePayloadError(this.type, path, reason);
  }
}

/** Says in an error message what a value is that JSON has no word for. */
export function refusedScalar(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  return `${String(value)}, which JSON has no word for`;
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? key : nameOf(key);
}

const opaque = new WeakMap<object, boolean>();

/** Says whether the object has state that its properties do not show. */
export function isOpaque(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return false;
  let isKnown = opaque.get(prototype);
  if (isKnown === undefined) {
    isKnown = hidesState(prototype);
    opaque.set(prototype, isKnown);
  }
  return isKnown;
}

/** The classes of the platform hide state, and those with #private fields. */
function hidesState(prototype: object): boolean {
  for (let link = prototype, next: object | null; ; link = next) {
    next = Object.getPrototypeOf(link) as object | null;
    if (next === null) return false;
    const source = typeof link.constructor === 'function' ? Function.prototype.toString.call(link.constructor) : '';
    if (/\[native code\]|(?<=[;{}\s])#[\w$]+\s*(?:=(?!=)|;)/.test(source)) return true;
  }
}
