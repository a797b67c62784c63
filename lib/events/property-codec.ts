import { type DeclaredType, isScalarClass } from './declared-type';
import { type Class, isClass } from './event-class';
import { instanceOf, type Mapper, variantOf } from './instance-codec';
import { Misfit } from './misfit';
import type { Place } from './place';
import { bigint, date, json, listOf, mapOf, oneOrMany, setOf, type ValueCodec } from './value-codec';

/** The codec of a property named `__proto__`, which would set the prototype. */
export const refusedName: ValueCodec = {
  encode: (_value, place) => refuseName(place),
  decode: (_value, place) => refuseName(place),
};

function refuseName(place: Place): never {
  throw new Misfit(place, 'is a name that would change the class of what holds it');
}

/** @returns the codec of what is declared of a property; undefined when that is no more than JSON. */
export function codecFor(declared: DeclaredType | undefined, mapperOf: (target: Class) => Mapper): ValueCodec | undefined {
  if (declared === undefined) return undefined;
  const { container, value, variants } = declared;
  const one = variants === undefined ? codecOfClass(value, mapperOf) : variantOf(value, variants, mapperOf);
  const many = one === json || value === Map || value === Set ? one : oneOrMany(one);
  if (container === 'map') return mapOf(many);
  if (container === 'set') return setOf(many);
  if (container === 'list') return listOf(many);
  const codec = container === 'any' ? many : one;
  return codec === json ? undefined : codec;
}

function codecOfClass(value: Class | undefined, mapperOf: (target: Class) => Mapper): ValueCodec {
  if (value === (Date as Class)) return date;
  if (value === (BigInt as unknown)) return bigint;
  if (value === Map) return mapOf(json);
  if (value === Set) return setOf(json);
  return !isClass(value) || isScalarClass(value) ? json : instanceOf(value, mapperOf);
}
