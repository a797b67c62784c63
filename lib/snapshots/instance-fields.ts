import { type Fields, isVisible, Obstacle } from './state-text';

/**
 * Collects what is state in an instance: its own properties but the ids, and but the functions that a fresh instance
 * has as well.
 *
 * @throws {@link Obstacle} when a property is hidden or computed, or a handler has put a function into it.
 */
export function fieldsOf(instance: object, fresh: object, ids: readonly string[]): Fields {
  const fields = new Map<string, unknown>();
  for (const key of Reflect.ownKeys(instance)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(instance, key) as PropertyDescriptor;
    if (ids.includes(key as string) || isSameFunction(descriptor.value, Reflect.get(fresh, key))) continue;
    if (typeof key === 'symbol' || !isVisible(descriptor) || !descriptor.writable || !descriptor.configurable)
      throw new Obstacle(String(key), 'is no ordinary property');
    fields.set(key, descriptor.value);
  }
  return fields;
}

/** Makes a fresh instance what the one was that the fields were collected from. */
export function putFields(fresh: object, fields: Fields, ids: readonly string[]): void {
  for (const [key, value] of Object.entries(fresh)) {
    if (!fields.has(key) && !ids.includes(key) && typeof value !== 'function') Reflect.deleteProperty(fresh, key);
  }
  for (const [key, value] of fields)
    Object.defineProperty(fresh, key, { value, configurable: true, enumerable: true, writable: true });
}

/** Each instance has its own closure of an arrow function in a field, but their text is the same. */
function isSameFunction(one: unknown, other: unknown): boolean {
  return typeof one === 'function' && typeof other === 'function' && (one === other || String(one) === String(other));
}
