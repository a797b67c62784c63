/** Changes whatever can be changed in `value`, down to the dates, maps and sets inside. */
export function tamperWith(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof Date) value.setTime(value.getTime() + 1);
  if (value instanceof Map) tamperWithMap(value);
  if (value instanceof Set) value.add('changed');
  for (const key of Object.keys(value)) {
    const inner = Reflect.get(value, key) as unknown;
    tamperWith(inner);
    // On a frozen object these do nothing, and say so by returning false.
    Reflect.set(value, key, typeof inner === 'object' ? ['changed'] : 'changed');
  }
  Reflect.set(value, Array.isArray(value) ? value.length : 'added', 'changed');
}

function tamperWithMap(map: Map<unknown, unknown>): void {
  for (const inner of map.values()) tamperWith(inner);
  map.set('changed', 'changed');
}
