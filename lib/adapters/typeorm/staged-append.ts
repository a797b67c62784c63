import { randomUUID } from 'node:crypto';
import { frozenCopy } from '../../events/frozen-copy';
import { encodePayload } from '../../events/payload-codec';
import type { EventMetadata, Position, RecordedEvent } from '../../events/recorded-event';
import type { Append, Guard, NewEvent } from '../../store/append';
import { checkAppends } from '../../store/check-input';
import { InvalidAppendError, KeyTooLongError } from '../../store/store-errors';
import { checkPosition } from './positions';

/** An event on its way into a table. */
export interface StagedEvent {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly time: string;
  readonly tags: readonly string[];
  readonly data: object;
  readonly metadata: EventMetadata;
  readonly dataText: string;
  readonly metadataText: string | null;
}

/** An {@link Append} on its way into the tables. */
export interface StagedAppend {
  readonly stream: string;
  readonly guard: Guard;
  readonly events: readonly StagedEvent[];
}

/** What one call of `append` stores, all or none. */
export type StagedGroup = readonly StagedAppend[];

/** What came of one group. */
export type Outcome =
  | {
      readonly kind: 'stored';
      /** The version of each append's stream before it. */
      readonly bases: readonly number[];
      /** One for each event, in their order. */
      readonly positions: readonly string[];
    }
  | {
      readonly kind: 'conflict';
      readonly append: StagedAppend;
      /** The stream's version, or the position of the newest event in the boundary. */
      readonly actual: number | string;
    }
  | { readonly kind: 'duplicate'; readonly id: string }
  /** Somebody holds a lock that the group needs. */
  | { readonly kind: 'busy' };

/** Where ids and times come from, for events without. */
export interface StagingOptions {
  /** The time of an event that is appended without; the system's unless given. */
  readonly clock?: () => Date;
  /** The id of an event that is appended without: unique in the store. Random UUIDs unless given. */
  readonly ids?: () => string;
}

const noMetadata: EventMetadata = Object.freeze({});
const noTags: readonly string[] = Object.freeze([]);

/**
 * Checks appends and makes rows of them. Appends without events are left out.
 *
 * @param longestKey The most bytes that a stream, type, id or tag may have.
 * @throws {@link InvalidAppendError}, {@link KeyTooLongError}, {@link InvalidPositionError} or {@link UnstorablePayloadError}.
 */
export function stage(appends: readonly Append[], options: StagingOptions, longestKey: number): StagedGroup {
  checkAppends(appends);
  const staged: StagedAppend[] = [];
  for (const { stream, guard, events } of appends) {
    checkKey('stream', stream, longestKey);
    if ('condition' in guard && guard.condition.after !== undefined) checkPosition(guard.condition.after);
    if (events.length === 0) continue;
    staged.push({ stream, guard, events: events.map((event) => stageEvent(event, options, longestKey)) });
  }
  return staged;
}

/** A staged event and its place. */
export interface PlacedEvent {
  readonly event: StagedEvent;
  readonly stream: string;
  readonly version: number;
  readonly position: string;
}

/** @returns the events of a stored group, each with its place. */
export function placed(group: StagedGroup, { bases, positions }: Extract<Outcome, { kind: 'stored' }>): PlacedEvent[] {
  const events: PlacedEvent[] = [];
  for (const [append, { stream, events: staged }] of group.entries()) {
    const base = bases[append] as number;
    for (const [index, event] of staged.entries())
      events.push({ event, stream, version: base + index + 1, position: positions[events.length] as string });
  }
  return events;
}

/** @returns the events as they are stored. */
export function recorded(group: StagedGroup, outcome: Extract<Outcome, { kind: 'stored' }>): RecordedEvent[] {
  return placed(group, outcome).map(({ event, stream, version, position }) => {
    const { id, type, schemaVersion, time, tags, data, metadata } = event;
    return Object.freeze({
      id,
      type,
      schemaVersion,
      stream,
      version,
      position: position as Position,
      metadata,
      time,
      tags,
      data,
    });
  });
}

function stageEvent(event: NewEvent, { clock, ids }: StagingOptions, longestKey: number): StagedEvent {
  const { type, id = ids?.() ?? randomUUID(), schemaVersion = 1 } = event;
  const tags = event.tags === undefined || event.tags.length === 0 ? noTags : Object.freeze([...new Set(event.tags)]);
  checkKey('type', type, longestKey);
  checkKey('id', id, longestKey);
  for (const tag of tags) checkKey('tag', tag, longestKey);
  const data = frozenCopy(event.data, type);
  const metadata = event.metadata === undefined ? noMetadata : frozenCopy(event.metadata, `metadata of ${type}`);
  return {
    id,
    type,
    schemaVersion,
    time: isoTime(event.time ?? clock?.() ?? new Date()),
    tags,
    data,
    metadata,
    dataText: encodePayload(data, type),
    metadataText: isEmpty(metadata) ? null : encodePayload(metadata, `metadata of ${type}`),
  };
}

function isoTime(time: string | Date): string {
  return (typeof time === 'string' ? new Date(time) : time).toISOString();
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

/** Says whether a text can be a stream, type, id or tag in a database: none holds NUL or half a surrogate pair. */
export function isStorableKey(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

function checkKey(what: KeyTooLongError['key'], text: string, longest: number): void {
  if (!isStorableKey(text))
    throw new InvalidAppendError(
      `The ${what} ${JSON.stringify(text)} holds NUL or half a surrogate pair, which no database keeps.`,
    );
  if (text.length * 3 > longest && Buffer.byteLength(text) > longest) throw new KeyTooLongError(what, text, longest);
}
