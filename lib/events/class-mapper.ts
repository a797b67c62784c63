import { blankInstance } from './blank-instance';
import { declaredType, isTransformed } from './declared-type';
import { type Class, nameOf } from './event-class';
import { isOpaque } from './frozen-copy';
import type { Mapper } from './instance-codec';
import { checkJson, checkKeys, deepFreeze, isJsonScalar } from './json-value';
import { Misfit } from './misfit';
import type { Place } from './place';
import { codecFor, refusedName } from './property-codec';
import { TransformedMapper } from './transformed-mapper';
import type { ValueCodec } from './value-codec';

const mappers = new WeakMap<object, Mapper>();

/** @returns the mapper of a class, made once. */
export function mapperOf(target: Class): Mapper {
  const prototype = target.prototype as object;
  let mapper = mappers.get(prototype);
  if (mapper === undefined) {
    mapper = isTransformed(target) ? new TransformedMapper(target) : new ClassMapper(target);
    mappers.set(prototype, mapper);
  }
  return mapper;
}

/** Property names to remember the codec of: all of any class, but for one that is used as a dictionary. */
const most = 1000;

/** Maps instances by what the decorators of their class say of each property; what they do not speak of is JSON. */
class ClassMapper implements Mapper {
  /** Null: JSON values. */
  private readonly codecs = new Map<string, ValueCodec | null>();
  private readonly isOpaque: boolean;
  private readonly convertsItself: boolean;
  private defaults: Readonly<Record<string, unknown>> | undefined;
  private defaultKeys: readonly string[] = [];

  constructor(private readonly target: Class) {
    this.isOpaque = isOpaque(Object.create(target.prototype as object) as object);
    this.convertsItself = 'toJSON' in (target.prototype as object);
  }

  encode(instance: object, place: Place): object {
    this.check(instance, place);
    const values = instance as Record<string, unknown>;
    return this.isFlat(values) && !this.convertsItself ? instance : this.encodeParts(values, place);
  }

  private encodeParts(values: Record<string, unknown>, place: Place): object {
    let plain: Record<string, unknown> | undefined = this.convertsItself ? {} : undefined;
    const keys = Object.keys(values);
    for (const key of keys) {
      const value = read(values, key, place);
      if (value === undefined) continue;
      const stored = this.encodeProperty(value, key, place);
      if (stored !== value && plain === undefined) plain = firstOf(values, keys, key);
      if (plain !== undefined) plain[key] = stored;
    }
    return plain ?? values;
  }

  decode(plain: object, place: Place): object {
    return this.isFlat(plain as Record<string, unknown>) ? this.decodeFlat(plain, place) : this.decodeParts(plain, place);
  }

  /** Says whether there are only JSON values without parts, and nothing else is declared: so it is of most events. */
  private isFlat(values: Record<string, unknown>): boolean {
    try {
      for (const key in values) {
        if (!isJsonScalar(values[key]) || this.codecOf(key) !== null) return false;
      }
      return true;
    } catch {
      return false; // a getter threw: it is named where the parts are read one by one
    }
  }

  private decodeFlat(plain: object, place: Place): object {
    try {
      return Object.freeze(Object.assign(blankInstance(this.target), plain));
    } catch {
      return this.decodeParts(plain, place); // says which property it is
    }
  }

  private decodeParts(plain: object, place: Place): object {
    let key = '';
    try {
      const instance = blankInstance(this.target) as Record<string, unknown>;
      for (key of Object.keys(plain)) {
        const value = (plain as Record<string, unknown>)[key];
        if (value !== undefined) instance[key] = this.decodeProperty(value, key, place);
      }
      return Object.freeze(instance);
    } catch (error) {
      if (error instanceof Misfit || error instanceof RangeError) throw error;
      const where = key === '' ? place : place.property(key);
      throw new Misfit(where, `cannot be set in an instance of ${this.target.name}: ${String(error)}`, undefined, error);
    }
  }

  initial(property: string): unknown {
    this.defaults ??= this.findDefaults();
    return this.defaults[property];
  }

  private encodeProperty(value: unknown, key: string, place: Place): unknown {
    const codec = this.codecOf(key);
    if (codec !== null) return value === null && codec !== refusedName ? null : codec.encode(value, place.property(key));
    if (!isJsonScalar(value)) checkJson(value, place.property(key));
    return value;
  }

  private decodeProperty(value: unknown, key: string, place: Place): unknown {
    const codec = this.codecOf(key);
    if (codec !== null) return value === null && codec !== refusedName ? null : codec.decode(value, place.property(key));
    return typeof value === 'object' && value !== null ? deepFreeze(value, place.property(key)) : value;
  }

  /** Refuses an instance that, as such, would not come back equal. */
  private check(instance: object, place: Place): void {
    if (this.isOpaque) throw new Misfit(place, `is ${nameOf(instance)}, whose state cannot be stored`);
    if (place.isTooDeep) throw new Misfit(place, 'is nested too deeply');
    checkKeys(instance, place);
    this.defaults ??= this.findDefaults();
    for (const key of this.defaultKeys) {
      if ((instance as Record<string, unknown>)[key] !== undefined) continue;
      throw new Misfit(place.property(key), `is undefined, where a new ${this.target.name} has a value`, 'Give null');
    }
  }

  private findDefaults(): Readonly<Record<string, unknown>> {
    const defaults = blankInstance(this.target) as Record<string, unknown>;
    this.defaultKeys = Object.keys(defaults).filter((key) => defaults[key] !== undefined);
    return defaults;
  }

  private codecOf(key: string): ValueCodec | null {
    const codec = this.codecs.get(key);
    if (codec !== undefined) return codec;
    if (this.codecs.size >= most) this.codecs.clear();
    const made = key === '__proto__' ? refusedName : (codecFor(declaredType(this.target, key), mapperOf) ?? null);
    this.codecs.set(key, made);
    return made;
  }
}

function read(values: Record<string, unknown>, key: string, place: Place): unknown {
  try {
    return values[key];
  } catch (error) {
    throw new Misfit(place.property(key), `cannot be read: ${nameOf(error)}`, undefined, error);
  }
}

/** @returns a plain object with the properties before `last`. */
function firstOf(values: Record<string, unknown>, keys: readonly string[], last: string): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const key of keys) {
    if (key === last) break;
    plain[key] = values[key];
  }
  return plain;
}
