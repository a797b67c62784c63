import type { Criterion } from '../events/criterion';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { EventQuery } from './event-query';
import { type PositionSequence, sequenceOf } from './position-sequence';
import type { StoredType } from './stored-type';

const none: readonly RecordedEvent[] = Object.freeze([]);

/** Stored events in order of position, with an index by stream, by type and by tag. */
export class EventLog {
  private events: RecordedEvent[] = [];
  private readonly ids = new Set<string>();
  private readonly byStream = new Map<string, RecordedEvent[]>();
  private readonly byType = new Map<string, RecordedEvent[]>();
  private readonly byTag = new Map<string, RecordedEvent[]>();

  constructor(private readonly positions: PositionSequence) {}

  get newest(): Position | undefined {
    return this.events.at(-1)?.position;
  }

  has(eventId: string): boolean {
    return this.ids.has(eventId);
  }

  versionOf(stream: string): number {
    return this.byStream.get(stream)?.length ?? 0;
  }

  add(event: RecordedEvent): void {
    this.events.push(event);
    this.ids.add(event.id);
    this.index(event);
  }

  /** @returns how many events there are of each type and version. */
  storedTypes(): StoredType[] {
    const types = [...this.byType].sort(([a], [b]) => (a < b ? -1 : 1));
    return types.flatMap(([type, events]) => {
      const counts = new Map<number, number>();
      for (const { schemaVersion } of events) counts.set(schemaVersion, (counts.get(schemaVersion) ?? 0) + 1);
      const versions = [...counts].sort(([a], [b]) => a - b);
      return versions.map(([schemaVersion, count]) => ({ type, schemaVersion, count }));
    });
  }

  /** Puts what `change` returns in each event's place. @returns how many are not the same. */
  replace(change: (event: RecordedEvent) => RecordedEvent): number {
    let replaced = 0;
    const events = this.events.map((event) => {
      const replacement = change(event);
      if (replacement !== event) replaced += 1;
      return replacement;
    });
    if (replaced === 0) return 0;
    this.events = [...events, ...this.events.slice(events.length)];
    for (const index of [this.byStream, this.byType, this.byTag]) index.clear();
    for (const event of this.events) this.index(event);
    return replaced;
  }

  /** @returns what matches, in order of position, but for limit and direction. An array that is not empty is new. */
  select(query: EventQuery): readonly RecordedEvent[] {
    const { afterTime, beforeTime } = query;
    const events = this.selectAtAnyTime(query);
    if (afterTime === undefined && beforeTime === undefined) return events;
    const low = afterTime === undefined ? Number.NEGATIVE_INFINITY : new Date(afterTime).getTime();
    const high = beforeTime === undefined ? Number.POSITIVE_INFINITY : new Date(beforeTime).getTime();
    return events.filter(({ time }) => Date.parse(time) > low && Date.parse(time) < high);
  }

  private selectAtAnyTime({ stream, criteria, after, before, afterVersion = 0 }: EventQuery): readonly RecordedEvent[] {
    const low = after === undefined ? 0 : this.positions.numberOf(after);
    const high = before === undefined ? Number.POSITIVE_INFINITY : this.positions.numberOf(before);
    if (stream !== undefined) {
      const events = between(this.byStream.get(stream) ?? none, low, high, afterVersion);
      return criteria === undefined ? events : events.filter((event) => matchesAny(criteria, event));
    }
    if (criteria === undefined) return between(this.events, low, high);
    const lists = criteria.flatMap((criterion) =>
      this.candidates(criterion).map((list) => between(list, low, high).filter((event) => matches(criterion, event))),
    );
    // Under most of the names that an event once had, nothing is stored.
    const found = lists.filter(({ length }) => length > 0);
    return found.length < 2 ? (found[0] ?? none) : merged(found);
  }

  /** @returns the newest event after `after` that matches, in the log or in `staged`, which comes after it. */
  newestMatch(
    criteria: readonly Criterion[],
    after: Position | undefined,
    staged: readonly RecordedEvent[],
  ): RecordedEvent | undefined {
    const low = after === undefined ? 0 : this.positions.numberOf(after);
    const isMatch = (event: RecordedEvent) => sequenceOf(event) > low && matchesAny(criteria, event);
    return staged.findLast(isMatch) ?? this.newestStored(criteria, low);
  }

  private newestStored(criteria: readonly Criterion[], low: number): RecordedEvent | undefined {
    let newest: RecordedEvent | undefined;
    let above = low;
    for (const criterion of criteria) {
      for (const list of this.candidates(criterion)) {
        const match = lastMatch(list, criterion, above);
        if (match === undefined) continue;
        newest = match;
        above = sequenceOf(match);
      }
    }
    return newest;
  }

  /** @returns lists in order of position that together hold all events which could match. */
  private candidates({ types, tags }: Criterion): readonly (readonly RecordedEvent[])[] {
    if (tags !== undefined && tags.length > 0) {
      const lists = tags.map((tag) => this.byTag.get(tag) ?? none);
      return [lists.reduce((smallest, list) => (list.length < smallest.length ? list : smallest))];
    }
    return types === undefined ? [this.events] : types.map((type) => this.byType.get(type) ?? none);
  }

  private index(event: RecordedEvent): void {
    pushTo(this.byStream, event.stream, event);
    pushTo(this.byType, event.type, event);
    for (const tag of event.tags) pushTo(this.byTag, tag, event);
  }
}

/** @returns the index of the first event whose place in the sequence is above `low`. */
export function firstAbove(events: readonly RecordedEvent[], low: number): number {
  if (low <= 0) return 0;
  let from = 0;
  let to = events.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sequenceOf(events[middle] as RecordedEvent) > low) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** @returns the events between two places in the sequence, both exclusive, without the first `skipped` of all. */
function between(events: readonly RecordedEvent[], low: number, high: number, skipped = 0): readonly RecordedEvent[] {
  const from = Math.max(skipped, firstAbove(events, low));
  const to = high === Number.POSITIVE_INFINITY ? events.length : firstAbove(events, high - 1);
  return from < to ? events.slice(from, to) : none;
}

function merged(lists: readonly (readonly RecordedEvent[])[]): readonly RecordedEvent[] {
  return [...new Set(lists.flat())].sort((a, b) => sequenceOf(a) - sequenceOf(b));
}

function lastMatch(events: readonly RecordedEvent[], criterion: Criterion, low: number): RecordedEvent | undefined {
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index] as RecordedEvent;
    if (sequenceOf(event) <= low) return undefined;
    if (matches(criterion, event)) return event;
  }
  return undefined;
}

function matchesAny(criteria: readonly Criterion[], event: RecordedEvent): boolean {
  return criteria.some((criterion) => matches(criterion, event));
}

function matches({ types, tags }: Criterion, event: RecordedEvent): boolean {
  return (
    (types === undefined || types.includes(event.type)) && (tags === undefined || tags.every((tag) => event.tags.includes(tag)))
  );
}

function pushTo(index: Map<string, RecordedEvent[]>, key: string, event: RecordedEvent): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [event]);
  else list.push(event);
}
