import type { Class, RecordedEvent } from 'eventfold';
import { UnstorablePayloadError } from 'eventfold';
import { decode } from '../../lib/events/decode';
import { encodePayload } from '../../lib/events/payload-codec';

/** @returns an event as a store gives it: with plain data. */
export function stored(data: unknown, type = 'some.type'): RecordedEvent {
  const context = { id: 'event-1', type, schemaVersion: 1, stream: 's', version: 1, metadata: {}, tags: [] };
  return { ...context, time: '2001-01-01T00:00:00.000Z', position: '7', data } as unknown as RecordedEvent;
}

/** @returns what a class's instances are read as from a text. */
export function decoded(text: string, target: Class): object {
  return decode(stored(JSON.parse(text)), { class: target }).data;
}

/** @returns what an instance is when it has been stored and read again. */
export function roundTrip<E extends object>(event: E): E {
  return decoded(encodePayload(event, 'some.type'), event.constructor as Class) as E;
}

/** @returns the error that a payload is refused with. */
export function refusal(data: object): UnstorablePayloadError {
  try {
    encodePayload(data, 'some.type');
  } catch (error) {
    expect(error).toBeInstanceOf(UnstorablePayloadError);
    expect(error).toMatchObject({ code: 'UNSTORABLE_PAYLOAD', type: 'some.type' });
    return error as UnstorablePayloadError;
  }
  throw new Error('It was stored, but was to be refused.');
}

export const isDeeplyFrozen = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  return Object.isFrozen(value) && parts.every(isDeeplyFrozen);
};
