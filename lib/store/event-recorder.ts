import { randomUUID } from 'node:crypto';
import { frozenCopy, guardedCopy, holdsMutable } from '../events/frozen-copy';
import type { EventMetadata, RecordedEvent } from '../events/recorded-event';
import type { NewEvent } from './append';
import type { PositionSequence } from './position-sequence';

const noMetadata: EventMetadata = Object.freeze({});
const noTags: readonly string[] = Object.freeze([]);

/** Where a recorder gets the times and ids that events come without. */
export interface EventRecorderOptions {
  readonly clock?: () => Date;
  readonly ids?: () => string;
}

/** Makes recorded events, deeply frozen, and copies on the way out what freezing does not protect. */
export class EventRecorder {
  private readonly mutable = new WeakSet<RecordedEvent>();
  private hasMutable = false;
  private readonly clock: () => Date;
  private readonly makeId: () => string;

  constructor(
    private readonly positions: PositionSequence,
    { clock, ids }: EventRecorderOptions,
  ) {
    this.clock = clock ?? (() => new Date());
    this.makeId = ids ?? randomUUID;
  }

  record(event: NewEvent, stream: string, version: number): RecordedEvent {
    const { type, id = this.makeId(), schemaVersion = 1, metadata, tags } = event;
    const data = frozenCopy(event.data, type);
    const recorded: RecordedEvent = Object.freeze({
      id,
      type,
      schemaVersion,
      stream,
      version,
      position: this.positions.next(),
      metadata: metadata === undefined ? noMetadata : frozenCopy(metadata, `metadata of ${type}`),
      time: isoTime(event.time ?? this.clock()),
      tags: tags === undefined || tags.length === 0 ? noTags : unique(tags),
      data,
    });
    if (holdsMutable(data) || holdsMutable(recorded.metadata)) this.markMutable(recorded);
    return recorded;
  }

  /** @returns the event with more tags; the event itself when it has them all. */
  withTags(event: RecordedEvent, more: readonly string[]): RecordedEvent {
    const tags = unique([...event.tags, ...more]);
    if (tags.length === event.tags.length) return event;
    const copy: RecordedEvent = Object.freeze({ ...event, tags });
    if (this.mutable.has(event)) this.markMutable(copy);
    return copy;
  }

  /** @returns the event, apart from what is stored. */
  apart(event: RecordedEvent): RecordedEvent {
    if (!this.hasMutable || !this.mutable.has(event)) return event;
    const { data, metadata, type } = event;
    return Object.freeze({ ...event, data: guardedCopy(data, type), metadata: guardedCopy(metadata, type) });
  }

  /** @returns the events, apart from what is stored: `events` itself when none holds anything mutable. */
  allApart(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
    return this.hasMutable ? events.map((event) => this.apart(event)) : events;
  }

  private markMutable(event: RecordedEvent): void {
    this.mutable.add(event);
    this.hasMutable = true;
  }
}

function unique(tags: readonly string[]): readonly string[] {
  return Object.freeze(tags.length === 1 ? [...tags] : [...new Set(tags)]);
}

let lastMillisecond = Number.NaN;
let lastText = '';

function isoTime(time: string | Date): string {
  const millisecond = (typeof time === 'string' ? new Date(time) : time).getTime();
  if (millisecond !== lastMillisecond) {
    lastText = new Date(millisecond).toISOString();
    lastMillisecond = millisecond;
  }
  return lastText;
}
