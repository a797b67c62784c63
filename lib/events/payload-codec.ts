import { mapperOf } from './class-mapper';
import { type Class, isClass, nameOf } from './event-class';
import { frozenCopy } from './frozen-copy';
import { checkJson, isPlainObject } from './json-value';
import { Misfit } from './misfit';
import { Place } from './place';
import { UnstorablePayloadError } from './unstorable-payload-error';

/**
 * @returns the JSON text that an event's data is stored as. Data of a class is stored as the class's decorators say,
 * and `decode` makes an equal instance of it again; a plain object is stored as JSON.
 * @throws {@link UnstorablePayloadError} when `data` holds what would not come back equal, such as a `Date` of which
 * no decorator says that it is one.
 */
export function encodePayload(data: object, type: string): string {
  try {
    return JSON.stringify(plainForm(data));
  } catch (error) {
    throw refusal(error, data, type);
  }
}

/**
 * @returns the plain form that an instance is stored in. What its class does not say how to store is left as it is, for a
 * store in memory keeps that too.
 */
export function storedForm(data: object): object {
  try {
    return JSON.parse(JSON.stringify(plainForm(data))) as object;
  } catch (error) {
    if (error instanceof Misfit) return { ...data };
    throw error;
  }
}

function plainForm(data: object): object {
  const place = Place.payload;
  if (Array.isArray(data)) throw new Misfit(place, 'is an array');
  if (isPlainObject(data)) {
    checkJson(data, place);
    return data;
  }
  const prototype = Object.getPrototypeOf(data) as { constructor?: unknown };
  const target = prototype.constructor;
  if (!isClass(target) || target.prototype !== prototype)
    throw new Misfit(place, `is ${nameOf(data)}, and its class is not known`);
  return mapperOf(target as Class).encode(data, place);
}

function refusal(error: unknown, data: object, type: string): UnstorablePayloadError {
  if (error instanceof RangeError || (error instanceof Misfit && error.reason === 'is nested too deeply')) {
    try {
      frozenCopy(data, type); // finds a cycle, and names the property that closes it
    } catch (cycle) {
      return cycle as UnstorablePayloadError;
    }
    return new UnstorablePayloadError(type, '', 'is nested too deeply', { cause: error });
  }
  if (!(error instanceof Misfit))
    return new UnstorablePayloadError(type, '', `cannot be read: ${nameOf(error)}`, { cause: error });
  const { place, reason, remedy, cause } = error;
  return new UnstorablePayloadError(type, place.toString(), reason, {
    ...(remedy === undefined ? {} : { remedy }),
    ...(cause === undefined ? {} : { cause }),
  });
}
