import type { DeclaredType, Variants } from './declared-type';
import { type Class, nameOf } from './event-class';
import { deepFreeze, isPlainObject } from './json-value';
import { Misfit } from './misfit';
import type { Place } from './place';
import { otherThan, unreadable, type ValueCodec } from './value-codec';

/** How instances of one class are stored as plain objects, and made of them again. */
export interface Mapper {
  encode(instance: object, place: Place): object;
  decode(plain: object, place: Place): object;
  /** @returns what a property holds in a new instance, before its data is set. */
  initial(property: string): unknown;
}

/** @returns the codec of values of `target`, and of no subclass. */
export function instanceOf(target: Class, mapperOf: (target: Class) => Mapper): ValueCodec {
  return {
    encode(value, place) {
      if (isOf(target, value)) return mapperOf(target).encode(value, place);
      const isSubclass = value instanceof target;
      const mapped = otherThan(target.name, value, place);
      throw isSubclass ? new Misfit(place, mapped.reason, 'Name the subclass in a discriminator of its @Type') : mapped;
    },
    decode(value, place) {
      if (isOf(target, value)) return deepFreeze(value, place);
      if (!isStoredObject(value)) throw unreadable(target.name, 'an object', value, place);
      return mapperOf(target).decode(value, place);
    },
  };
}

/** @returns the codec of values of several classes, whose names are stored in a property of the plain objects. */
export function variantOf(base: DeclaredType['value'], variants: Variants, mapperOf: (target: Class) => Mapper): ValueCodec {
  const { property, isKept, byName } = variants;
  const names = new Map([...byName].map(([name, target]) => [target, name]));
  // What is stored is an Object too, which says nothing of what it is.
  const instances = [...names.keys(), ...(base === undefined || base === (Object as Class) ? [] : [base])];
  return {
    encode(value, place) {
      const target = [...names.keys()].find((variant) => isOf(variant, value));
      if (target === undefined) throw otherThan([...names.keys()].map(({ name }) => name).join(' or '), value, place);
      const name = names.get(target);
      const mapper = mapperOf(target);
      const own = (value as Record<string, unknown>)[property];
      const later = isKept ? name : mapper.initial(property);
      if (own !== later) {
        const remedy = isKept ? `Give it ${nameOf(name)}` : 'Let the discriminator name another property, or keep this one';
        throw new Misfit(place.property(property), `is ${nameOf(own)}, and would come back as ${nameOf(later)}`, remedy);
      }
      return { ...mapper.encode(value as object, place), [property]: name };
    },
    decode(value, place) {
      if (typeof value === 'object' && value !== null && instances.some((known) => isOf(known, value)))
        return deepFreeze(value, place);
      if (!isStoredObject(value)) throw unreadable(base?.name ?? 'a class', 'an object', value, place);
      const { [property]: name, ...rest } = value;
      const target = byName.get(name);
      if (target === undefined) {
        const known = [...byName.keys()].map(nameOf).join(', ');
        throw new Misfit(place.property(property), `is ${nameOf(name)}, which names no class; known are ${known}`);
      }
      return mapperOf(target).decode(isKept ? value : rest, place);
    },
  };
}

function isOf(target: Class, value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === target.prototype;
}

function isStoredObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlainObject(value);
}
