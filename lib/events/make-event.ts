import { blankInstance } from './blank-instance';
import { type Class, nameOf } from './event-class';
import { InvalidPayloadError } from './event-errors';
import { reviveNested } from './revive';

/**
 * Makes an instance of an event class from its data. Undefined properties are left out. The constructor runs only
 * when it takes no arguments; plain objects for properties that are declared to be of a class, such as by
 * class-transformer's `@Type`, become instances of it.
 *
 * @throws {@link InvalidPayloadError} when `payload` is no plain data, or names a property that cannot be set.
 */
export function makeEvent<E extends object>(target: Class<E>, payload: unknown): E {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new InvalidPayloadError(target.name, `its payload is ${nameOf(payload)}`);
  }
  const instance = blankInstance(target);
  for (const key of Object.keys(payload)) {
    // An object that is asked for its class would name another one.
    if (key === '__proto__' || key === 'constructor')
      throw new InvalidPayloadError(target.name, `its payload has a property named "${key}"`, undefined, key);
    const value = read(target, payload as Record<string, unknown>, key);
    if (value !== undefined) set(target, instance as Record<string, unknown>, key, value);
  }
  reviveNested(target, instance);
  return instance;
}

function read(target: Class, payload: Record<string, unknown>, key: string): unknown {
  try {
    return payload[key];
  } catch (error) {
    throw new InvalidPayloadError(target.name, `its property "${key}" cannot be read: ${nameOf(error)}`, undefined, key);
  }
}

function set(target: Class, instance: Record<string, unknown>, key: string, value: unknown): void {
  try {
    instance[key] = value;
  } catch (error) {
    const problem = `its property "${key}" cannot be set: ${String(error)}`;
    throw new InvalidPayloadError(target.name, problem, 'Leave out what the class computes', key);
  }
}
