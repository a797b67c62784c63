import type { EventMetadata, Position, RecordedEvent } from '../../events/recorded-event';
import { UnreadablePayloadError } from '../../events/unreadable-payload-error';
import type { EventRow } from './tables';

const noMetadata: EventMetadata = Object.freeze({});
const noTags: readonly string[] = Object.freeze([]);

/**
 * @returns the event in a row. Where its JSON was damaged, reading the property throws an
 * {@link UnreadablePayloadError}: the events around it can be read all the same.
 */
export function eventOf(row: EventRow): RecordedEvent {
  const { id, type, schema_version: schemaVersion, stream, version, time } = row;
  try {
    return {
      id,
      type,
      schemaVersion: Number(schemaVersion),
      stream,
      version: Number(version),
      position: row.position as Position,
      metadata: row.metadata === null ? noMetadata : (parsed(row.metadata) as EventMetadata),
      time,
      tags: row.tags === null ? noTags : (parsed(row.tags) as string[]),
      data: parsed(row.data),
    };
  } catch (error) {
    return damaged(row, error);
  }
}

function damaged(row: EventRow, cause: unknown): RecordedEvent {
  const reason = isParsed(row.data) ? 'is stored with metadata or tags that are no JSON' : 'is no JSON object';
  const intact = eventOf({ ...row, metadata: null, tags: null, data: '{}' });
  return Object.defineProperty(intact, 'data', {
    enumerable: true,
    get: () => {
      throw new UnreadablePayloadError(row, '', reason, { cause });
    },
  });
}

function isParsed(text: string): boolean {
  try {
    return parsed(text) !== undefined;
  } catch {
    return false;
  }
}

function parsed(text: string): object {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError(`${text.slice(0, 20)} is no object.`);
  return value;
}
