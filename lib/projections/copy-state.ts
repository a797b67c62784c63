/** Copies a projection instance with all it holds, prototypes included. Functions are shared. */
export function copyState<T extends object>(state: T): T {
  return copy(state, new Map()) as T;
}

function copy(value: unknown, done: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  if (value instanceof Date) return new Date(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return structuredClone(value);
  if (value instanceof Map) {
    const map = remember(value, new Map<unknown, unknown>(), done);
    for (const [key, item] of value) map.set(copy(key, done), copy(item, done));
    return map;
  }
  if (value instanceof Set) {
    const set = remember(value, new Set<unknown>(), done);
    for (const item of value) set.add(copy(item, done));
    return set;
  }
  const target = remember(value, Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value)), done) as Record<
    string,
    unknown
  >;
  for (const key of Object.keys(value)) target[key] = copy((value as Record<string, unknown>)[key], done);
  return target;
}

function remember<T extends object>(value: object, made: T, done: Map<object, object>): T {
  done.set(value, made);
  return made;
}
