import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { type DeclaredType, declaredType, dynamicType, isScalarClass } from './declared-type';
import type { Class } from './event-class';
import { isPlainObject } from './json-value';

const declaredTypes = new WeakMap<Class, Map<string, DeclaredType | undefined>>();

/** Makes the plain objects that are given for properties of a class, as their decorators say, instances of it. */
export function reviveNested(target: Class, instance: object): void {
  const values = instance as Record<string, unknown>;
  for (const key of Object.keys(values)) {
    const declared = declaredOnce(target, key);
    if (declared === undefined) continue;
    const value = declared.isDynamic ? dynamicType(target, key, instance) : declared.value;
    values[key] = revive({ ...declared, value }, values[key]);
  }
}

function declaredOnce(target: Class, key: string): DeclaredType | undefined {
  let known = declaredTypes.get(target);
  if (known === undefined) {
    known = new Map();
    declaredTypes.set(target, known);
  }
  if (!known.has(key)) known.set(key, declaredType(target, key));
  return known.get(key);
}

function revive(declared: DeclaredType, given: unknown): unknown {
  if (Array.isArray(given)) return given.map((item) => revive(declared, item));
  if (given instanceof Map) return new Map(Array.from(given, ([key, item]) => [key, revive(declared, item)]));
  if (given instanceof Set) return new Set(Array.from(given, (item) => revive(declared, item)));
  const { value, variants, container } = declared;
  if (value === (Date as Class)) return typeof given === 'string' && container !== 'one' ? new Date(given) : given;
  if (typeof given !== 'object' || given === null || (container === 'one' && !isPlainObject(given))) return given;
  const variant = variants?.byName.get((given as Record<string, unknown>)[variants.property]);
  const target = variant ?? value;
  if (target === undefined || isScalarClass(target) || target === (BigInt as unknown) || given instanceof target) return given;
  if (variant === undefined || variants?.isKept) return plainToInstance(target as ClassConstructor<object>, given);
  const { [variants?.property as string]: _name, ...rest } = given as Record<string, unknown>;
  return plainToInstance(target as ClassConstructor<object>, rest);
}
