import { randomUUID } from 'node:crypto';
import { type Observable, Subject } from 'rxjs';
import type { Criterion } from '../events/criterion';
import { frozenCopy, guardedCopy, holdsMutable } from '../events/frozen-copy';
import type { EventMetadata, Position, RecordedEvent } from '../events/recorded-event';
import type { Append, AppendResult, AppendTransaction, BeforeCommit, Guard, NewEvent } from './append';
import { checkAppends, checkPage, checkQuery } from './check-input';
import type { EventQuery, Page, PageRequest } from './event-query';
import type { EventStore } from './event-store';
import { EventStream } from './event-stream';
import {
  DuplicateEventError,
  InvalidAppendError,
  InvalidPositionError,
  OptimisticLockError,
  StoreClosedError,
} from './store-errors';

const chunkSize = 1024;
const originLength = 'm12345678-'.length;
const noMetadata: EventMetadata = Object.freeze({});
const noTags: readonly string[] = Object.freeze([]);
const nothing: AppendResult = Object.freeze({ events: Object.freeze([]), position: undefined });

/** What the in-memory store takes. */
export interface InMemoryEventStoreOptions {
  /** What time it is, for events that come without one. */
  readonly clock?: () => Date;
  /** Ids for events that come without one. */
  readonly ids?: () => string;
}

/**
 * Keeps events in this process: for tests, samples and trying things out. It holds all promises but one, for it ends
 * with the process. What it returns is deeply frozen, and shared between readers.
 */
export class InMemoryEventStore implements EventStore {
  private log: RecordedEvent[] = [];
  private readonly ids = new Set<string>();
  private readonly streams = new Map<string, RecordedEvent[]>();
  private readonly byTag = new Map<string, RecordedEvent[]>();
  private readonly byType = new Map<string, RecordedEvent[]>();
  private readonly mutable = new WeakSet<RecordedEvent>();
  private holdsMutable = false;
  private readonly wakeUps = new Subject<Position>();
  private readonly origin = `m${randomUUID().slice(0, 8)}-`;
  private readonly clock: () => Date;
  private readonly makeId: () => string;
  private issued = 0;
  private isStaging = false;
  private pending: Promise<unknown> | undefined;
  private isClosed = false;

  constructor(options: InMemoryEventStoreOptions = {}) {
    this.clock = options.clock ?? (() => new Date());
    this.makeId = options.ids ?? randomUUID;
  }

  async append(appends: readonly Append[], beforeCommit?: BeforeCommit): Promise<AppendResult> {
    while (this.isStaging || this.pending !== undefined) await this.pending;
    if (this.isClosed) throw new StoreClosedError();
    const transaction = new Transaction(this, beforeCommit);
    const staged = this.begin(transaction, appends);
    return staged === undefined ? this.commit(transaction.events) : this.commitAfter(staged, transaction);
  }

  read(query: EventQuery): EventStream {
    return new EventStream(() => this.chunks(query));
  }

  async page(query: EventQuery, request: PageRequest): Promise<Page<RecordedEvent>> {
    checkPage(query, request);
    const all = this.select(query);
    const sequences = all.map(sequenceOf);
    let from = 0;
    let to = all.length;
    if ('first' in request) {
      if (request.after !== undefined) from = firstAbove(sequences, this.sequence(request.after));
      to = Math.min(all.length, from + request.first);
    } else {
      if (request.before !== undefined) to = firstAbove(sequences, this.sequence(request.before) - 1);
      from = Math.max(0, to - request.last);
    }
    const items = all.slice(from, to).map((event) => this.guarded(event));
    const [startCursor, endCursor] = [items[0]?.position, items.at(-1)?.position];
    return { items, hasNextPage: to < all.length, hasPreviousPage: from > 0, startCursor, endCursor };
  }

  async head(): Promise<Position | undefined> {
    return this.newest();
  }

  compare(a: Position, b: Position): number {
    return this.sequence(a) - this.sequence(b);
  }

  position(text: string): Position {
    this.sequence(text);
    return text as Position;
  }

  appended(): Observable<Position> {
    return this.wakeUps.asObservable();
  }

  async retag(types: readonly string[], tagsOf: (event: RecordedEvent) => readonly string[]): Promise<number> {
    const wanted = new Set(types);
    let changed = 0;
    const retagged = this.log.map((event) => {
      const tags = wanted.has(event.type) ? unique([...event.tags, ...tagsOf(this.guarded(event))]) : event.tags;
      if (tags.length === event.tags.length) return event;
      changed += 1;
      const copy: RecordedEvent = Object.freeze({ ...event, tags: Object.freeze(tags) });
      if (this.mutable.has(event)) this.mutable.add(copy);
      return copy;
    });
    if (changed === 0) return 0;
    this.log = [...retagged, ...this.log.slice(retagged.length)];
    this.rebuildIndexes();
    return changed;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.wakeUps.complete();
  }

  /** @internal The record of an event, not stored yet. */
  record(event: NewEvent, stream: string, version: number): RecordedEvent {
    const { type, id = this.makeId(), schemaVersion = 1, metadata, tags } = event;
    const data = frozenCopy(event.data, type);
    // Positions of an append that fails are not given again: a hook may have kept them.
    this.issued += 1;
    const recorded: RecordedEvent = Object.freeze({
      id,
      type,
      schemaVersion,
      stream,
      version,
      position: (this.origin + this.issued) as Position,
      metadata: metadata === undefined ? noMetadata : frozenCopy(metadata, `metadata of ${type}`),
      time: isoTime(event.time ?? this.clock()),
      tags: tags === undefined || tags.length === 0 ? noTags : Object.freeze(unique(tags)),
      data,
    });
    if (holdsMutable(data) || holdsMutable(recorded.metadata)) {
      this.mutable.add(recorded);
      this.holdsMutable = true;
    }
    return recorded;
  }

  /** @internal */
  versionOf(stream: string): number {
    return this.streams.get(stream)?.length ?? 0;
  }

  /** @internal */
  has(eventId: string): boolean {
    return this.ids.has(eventId);
  }

  /** @internal */
  newest(): Position | undefined {
    return this.log.at(-1)?.position;
  }

  /** @internal @returns the newest event after `after` that matches, in the store or in `staged`, which comes after it. */
  newestOf(
    criteria: readonly Criterion[],
    after: Position | undefined,
    staged: readonly RecordedEvent[],
  ): RecordedEvent | undefined {
    const above = after === undefined ? 0 : this.sequence(after);
    const isLater = (event: RecordedEvent) =>
      sequenceOf(event) > above && criteria.some((criterion) => matches(criterion, event));
    return staged.findLast(isLater) ?? this.newestMatch(criteria, above);
  }

  /** @internal @returns the events, apart from what is stored. */
  apart(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
    return this.holdsMutable ? events.map((event) => this.guarded(event)) : events;
  }

  private begin(transaction: Transaction, appends: readonly Append[]): Promise<void> | undefined {
    this.isStaging = true;
    try {
      return transaction.begin(appends);
    } finally {
      this.isStaging = false;
    }
  }

  private async commitAfter(staged: Promise<void>, { events }: Transaction): Promise<AppendResult> {
    this.pending = staged.catch(() => undefined);
    try {
      await staged;
      return this.commit(events);
    } finally {
      this.pending = undefined;
    }
  }

  private commit(events: readonly RecordedEvent[]): AppendResult {
    const last = events.at(-1);
    if (last === undefined) return nothing;
    for (const event of events) {
      this.log.push(event);
      this.ids.add(event.id);
      this.index(event);
    }
    this.wakeUps.next(last.position);
    return { events: this.apart(events), position: last.position };
  }

  private index(event: RecordedEvent): void {
    pushTo(this.streams, event.stream, event);
    pushTo(this.byType, event.type, event);
    for (const tag of event.tags) pushTo(this.byTag, tag, event);
  }

  private rebuildIndexes(): void {
    for (const index of [this.streams, this.byType, this.byTag]) index.clear();
    for (const event of this.log) this.index(event);
  }

  private async *chunks(query: EventQuery): AsyncIterable<readonly RecordedEvent[]> {
    checkQuery(query);
    const events = this.select(query);
    const { limit = events.length, direction = 'forward' } = query;
    const count = Math.min(limit, events.length);
    if (direction === 'backward') events.reverse();
    for (let from = 0; from < count; from += chunkSize) {
      yield events.slice(from, Math.min(from + chunkSize, count)).map((event) => this.guarded(event));
    }
  }

  /** @returns a new array of what matches, in order of position. */
  private select({ stream, criteria, after, before, afterVersion = 0 }: EventQuery): RecordedEvent[] {
    const low = after === undefined ? 0 : this.sequence(after);
    const high = before === undefined ? Number.POSITIVE_INFINITY : this.sequence(before);
    const inBounds = (events: readonly RecordedEvent[]) =>
      events.slice(this.firstAfter(events, low), this.firstAfter(events, high - 1));
    if (stream !== undefined) {
      const events = inBounds((this.streams.get(stream) ?? []).slice(afterVersion));
      return criteria === undefined ? events : events.filter((event) => criteria.some((criterion) => matches(criterion, event)));
    }
    if (criteria === undefined) return inBounds(this.log);
    const lists = criteria.map((criterion) =>
      this.candidates(criterion).map((list) => inBounds(list).filter((event) => matches(criterion, event))),
    );
    return this.merge(lists.flat());
  }

  private merge(lists: readonly RecordedEvent[][]): RecordedEvent[] {
    if (lists.length === 1) return lists[0] as RecordedEvent[];
    return [...new Set(lists.flat())].sort((a, b) => sequenceOf(a) - sequenceOf(b));
  }

  /** @returns lists in order of position that together hold all events which could match. */
  private candidates({ types, tags }: Criterion): readonly (readonly RecordedEvent[])[] {
    if (tags !== undefined && tags.length > 0) {
      const lists = tags.map((tag) => this.byTag.get(tag) ?? []);
      return [lists.reduce((smallest, list) => (list.length < smallest.length ? list : smallest))];
    }
    return types === undefined ? [this.log] : types.map((type) => this.byType.get(type) ?? []);
  }

  private newestMatch(criteria: readonly Criterion[], above: number): RecordedEvent | undefined {
    let newest: RecordedEvent | undefined;
    for (const criterion of criteria) {
      for (const list of this.candidates(criterion)) {
        for (let index = list.length - 1; index >= 0; index -= 1) {
          const event = list[index] as RecordedEvent;
          if (sequenceOf(event) <= above) break;
          if (!matches(criterion, event)) continue;
          if (newest === undefined || sequenceOf(event) > sequenceOf(newest)) newest = event;
          break;
        }
      }
    }
    return newest;
  }

  /** @returns the index of the first event whose position is above `sequence`. */
  private firstAfter(events: readonly RecordedEvent[], sequence: number): number {
    if (sequence <= 0) return 0;
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sequenceOf(events[middle] as RecordedEvent) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private guarded(event: RecordedEvent): RecordedEvent {
    if (!this.mutable.has(event)) return event;
    const { data, metadata, type } = event;
    return Object.freeze({ ...event, data: guardedCopy(data, type), metadata: guardedCopy(metadata, type) });
  }

  private sequence(position: string): number {
    const sequence = typeof position === 'string' && position.startsWith(this.origin) ? sequenceIn(position) : Number.NaN;
    const isIssued = Number.isSafeInteger(sequence) && sequence >= 1 && sequence <= this.issued;
    if (!isIssued || position !== this.origin + sequence) throw new InvalidPositionError(position);
    return sequence;
  }
}

/** One append and what is appended from within it. */
class Transaction implements AppendTransaction {
  readonly events: RecordedEvent[] = [];
  readonly previous: Position | undefined;
  private isOver = false;
  private readonly versions = new Map<string, number>();
  private readonly ids = new Set<string>();
  private readonly nested: Promise<AppendResult>[] = [];

  constructor(
    private readonly store: InMemoryEventStore,
    private readonly beforeCommit: BeforeCommit | undefined,
  ) {
    this.previous = store.newest();
  }

  /** @returns a promise when there is something to wait for. */
  begin(appends: readonly Append[]): Promise<void> | undefined {
    let ending: Promise<void> | undefined;
    try {
      const hook = this.stage(appends);
      if (hook !== undefined || this.nested.length > 0) ending = this.end(hook);
      return ending;
    } finally {
      this.isOver = ending === undefined;
    }
  }

  append(appends: readonly Append[]): Promise<AppendResult> {
    const result = this.appendMore(appends);
    result.catch(() => undefined);
    if (!this.isOver) this.nested.push(result);
    return result;
  }

  private async appendMore(appends: readonly Append[]): Promise<AppendResult> {
    if (this.isOver)
      throw new InvalidAppendError('The append that this transaction belongs to is over. Append before its hook ends.');
    const from = this.events.length;
    await this.stage(appends);
    const events = this.store.apart(this.events.slice(from));
    return { events, position: events.at(-1)?.position };
  }

  /** Waits also for appends that the hook did not wait for. One that fails fails the whole. */
  private async end(hook: PromiseLike<void> | undefined): Promise<void> {
    try {
      await hook;
      for (const nested of this.nested) await nested;
    } finally {
      this.isOver = true;
    }
  }

  private stage(appends: readonly Append[]): PromiseLike<void> | undefined {
    checkAppends(appends);
    for (const { stream, guard, events } of appends) if (events.length > 0) this.checkGuard(stream, guard);
    const from = this.events.length;
    for (const { stream, events } of appends) for (const event of events) this.add(stream, event);
    if (this.events.length === from || this.beforeCommit === undefined) return undefined;
    return this.beforeCommit(this.store.apart(this.events.slice(from)), this) ?? undefined;
  }

  private add(stream: string, event: NewEvent): void {
    const version = this.versionOf(stream) + 1;
    const recorded = this.store.record(event, stream, version);
    if (this.ids.has(recorded.id) || this.store.has(recorded.id)) throw new DuplicateEventError(recorded.id);
    this.versions.set(stream, version);
    this.ids.add(recorded.id);
    this.events.push(recorded);
  }

  private versionOf(stream: string): number {
    return this.versions.get(stream) ?? this.store.versionOf(stream);
  }

  private checkGuard(stream: string, guard: Guard): void {
    if ('version' in guard) {
      this.checkVersion(stream, guard.version);
      return;
    }
    const { criteria, after } = guard.condition;
    const newest = this.store.newestOf(criteria, after, this.events);
    if (newest !== undefined) throw new OptimisticLockError(stream, after, newest.position);
  }

  private checkVersion(stream: string, expected: 'any' | 'none' | 'exists' | number): void {
    const actual = this.versionOf(stream);
    if (expected === 'any' || (expected === 'exists' && actual > 0) || expected === actual) return;
    if (expected === 'none' && actual === 0) return;
    throw new OptimisticLockError(stream, expected === 'none' ? 0 : expected, actual);
  }
}

function sequenceOf(event: RecordedEvent): number {
  return sequenceIn(event.position);
}

function sequenceIn(position: string): number {
  return Number(position.slice(originLength));
}

function unique(tags: readonly string[]): readonly string[] {
  return tags.length === 1 ? [...tags] : [...new Set(tags)];
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

function firstAbove(sorted: readonly number[], value: number): number {
  const index = sorted.findIndex((item) => item > value);
  return index === -1 ? sorted.length : index;
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
