import { frozenCopy } from './frozen-copy';

/** @returns the JSON text that an event's data is stored as. */
export function encodePayload(data: object, type: string): string {
  return JSON.stringify(frozenCopy(data, type));
}
