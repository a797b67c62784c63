import { nameOf } from './event-class';
import { checkArray, checkJson, deepFreeze, isJsonScalar, misfit } from './json-value';
import { Misfit } from './misfit';
import type { Place } from './place';

/** How values of one declared type are stored as JSON, and made again of it. Neither way meets null. */
export interface ValueCodec {
  /** @throws {@link Misfit} when `value` would not come back equal. */
  encode(value: unknown, place: Place): unknown;
  /**
   * @returns the value, deeply frozen. One that is of the declared type already is returned as it is.
   * @throws {@link Misfit} when `value` is no stored form of the type.
   */
  decode(value: unknown, place: Place): unknown;
}

/** What nothing is declared of: JSON values. */
export const json: ValueCodec = {
  encode(value, place) {
    checkJson(value, place);
    return value;
  },
  decode: (value, place) => (typeof value === 'object' && value !== null ? deepFreeze(value, place) : value),
};

/** A `Date`, as ISO 8601 text. */
export const date: ValueCodec = {
  encode(value, place) {
    if (!(value instanceof Date)) throw otherThan('Date', value, place);
    if (value.constructor !== Date) throw new Misfit(place, `is ${nameOf(value)}, and would come back as a Date`, 'Give a Date');
    if (Number.isNaN(value.getTime())) throw misfit(value, place);
    return value.toISOString();
  },
  decode(value, place) {
    if (value instanceof Date) return Object.freeze(value);
    const made = typeof value === 'string' && isoDate.test(value) ? new Date(value) : undefined;
    if (made === undefined || Number.isNaN(made.getTime())) throw unreadable('Date', 'text of a date', value, place);
    return Object.freeze(made);
  },
};

const isoDate = /^(?:\d{4}|[+-]\d{6})-\d\d/;

/** A `bigint`, as decimal text. */
export const bigint: ValueCodec = {
  encode(value, place) {
    if (typeof value !== 'bigint') throw otherThan('BigInt', value, place);
    return String(value);
  },
  decode(value, place) {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
    if (Number.isSafeInteger(value)) return BigInt(value as number);
    throw unreadable('BigInt', 'decimal text', value, place);
  },
};

/** @returns the codec of a `Map`, as an array of `[key, value]` pairs. */
export function mapOf(values: ValueCodec): ValueCodec {
  return {
    encode(value, place) {
      if (!(value instanceof Map) || value.constructor !== Map) throw otherThan('Map', value, place);
      if (place.isTooDeep) throw new Misfit(place, 'is nested too deeply');
      return Array.from(value as Map<unknown, unknown>, ([key, item]) => {
        checkMapKey(key, place);
        return [key, encodePart(values, item, place.entry(key))];
      });
    },
    decode(value, place) {
      if (value instanceof Map) return deepFreeze(value, place);
      if (!Array.isArray(value)) throw unreadable('Map', 'an array of pairs', value, place);
      const map = new Map<unknown, unknown>();
      for (const [index, pair] of value.entries()) {
        if (!Array.isArray(pair) || pair.length !== 2) throw unreadable('Map', 'a pair', pair, place.item(index));
        map.set(pair[0], decodePart(values, pair[1], place.entry(pair[0])));
      }
      return Object.freeze(map);
    },
  };
}

function checkMapKey(key: unknown, place: Place): void {
  if (isJsonScalar(key)) return;
  throw new Misfit(place, `has the key ${nameOf(key)}`, 'Keys of a Map are text, numbers, true, false or null');
}

/** @returns the codec of a `Set`, as an array. */
export function setOf(items: ValueCodec): ValueCodec {
  return {
    encode(value, place) {
      if (!(value instanceof Set) || value.constructor !== Set) throw otherThan('Set', value, place);
      if (place.isTooDeep) throw new Misfit(place, 'is nested too deeply');
      return Array.from(value as Set<unknown>, (item, index) => encodePart(items, item, place.member(index)));
    },
    decode(value, place) {
      if (value instanceof Set) return deepFreeze(value, place);
      if (!Array.isArray(value)) throw unreadable('Set', 'an array', value, place);
      return Object.freeze(new Set(value.map((item, index) => decodePart(items, item, place.member(index)))));
    },
  };
}

/** @returns the codec of an array of `items`. */
export function listOf(items: ValueCodec): ValueCodec {
  return {
    encode(value, place) {
      if (!Array.isArray(value)) throw otherThan('Array', value, place);
      checkArray(value, place);
      if (place.isTooDeep) throw new Misfit(place, 'is nested too deeply');
      return Array.from(value, (item, index) => encodePart(items, item, place.item(index)));
    },
    decode(value, place) {
      if (!Array.isArray(value)) throw unreadable('Array', 'an array', value, place);
      return Object.freeze(value.map((item, index) => decodePart(items, item, place.item(index))));
    },
  };
}

/** @returns the codec of one item, or of an array of items, or of arrays of them: no stored form of an item is an array. */
export function oneOrMany(items: ValueCodec): ValueCodec {
  const either: ValueCodec = {
    encode: (value, place) => (Array.isArray(value) ? list : items).encode(value, place),
    decode: (value, place) => (Array.isArray(value) ? list : items).decode(value, place),
  };
  const list = listOf(either);
  return either;
}

function encodePart(codec: ValueCodec, value: unknown, place: Place): unknown {
  if (value === undefined) throw misfit(value, place);
  return value === null ? null : codec.encode(value, place);
}

function decodePart(codec: ValueCodec, value: unknown, place: Place): unknown {
  return value === null ? null : codec.decode(value, place);
}

/** @returns the refusal of a value that is of another type than its class declares. */
export function otherThan(declared: string, value: unknown, place: Place): Misfit {
  const isContainer = value instanceof Map || value instanceof Set;
  const kind = value instanceof Map ? 'Map' : 'Set';
  const remedy = isContainer
    ? `Compile with "emitDecoratorMetadata", or put @Reflect.metadata('design:type', ${kind}) on it`
    : `Give ${declared === 'BigInt' ? 'a bigint' : `a ${declared}`}`;
  return new Misfit(place, `is ${nameOf(value)} where the class says ${declared}`, remedy);
}

/** @returns the report of a stored value that is no stored form of what its class declares. */
export function unreadable(declared: string, form: string, value: unknown, place: Place): Misfit {
  return new Misfit(place, `is ${nameOf(value)}, where the class says ${declared}, which is stored as ${form}`);
}
