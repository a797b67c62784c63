import { type Observable, Subject } from 'rxjs';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { Append, AppendResult, BeforeCommit } from './append';
import { checkPage, checkQuery } from './check-input';
import { Chunks } from './chunks';
import { EventLog, firstAbove } from './event-log';
import type { EventQuery, Page, PageRequest } from './event-query';
import { EventRecorder } from './event-recorder';
import type { EventStore } from './event-store';
import { EventStream } from './event-stream';
import { InMemoryProjectionStore } from './in-memory-projection-store';
import { InMemorySnapshotStore } from './in-memory-snapshot-store';
import { InMemoryTransaction } from './in-memory-transaction';
import { PositionSequence } from './position-sequence';
import type { ProjectionStore } from './projection-store';
import type { SnapshotStore } from './snapshot-store';
import { StoreClosedError } from './store-errors';
import type { StoredType } from './stored-type';

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
  readonly snapshots: SnapshotStore = new InMemorySnapshotStore();
  readonly projections: ProjectionStore = new InMemoryProjectionStore(this);
  private readonly positions = new PositionSequence();
  private readonly log = new EventLog(this.positions);
  private readonly recorder: EventRecorder;
  private readonly wakeUps = new Subject<Position>();
  private isStaging = false;
  private pending: Promise<unknown> | undefined;
  private isClosed = false;

  constructor(options: InMemoryEventStoreOptions = {}) {
    this.recorder = new EventRecorder(this.positions, options);
  }

  async append(appends: readonly Append[], beforeCommit?: BeforeCommit): Promise<AppendResult> {
    while (this.isStaging || this.pending !== undefined) await this.pending;
    if (this.isClosed) throw new StoreClosedError();
    const transaction = new InMemoryTransaction(this.log, this.recorder, beforeCommit);
    const staged = this.begin(transaction, appends);
    if (staged !== undefined) return this.hold(this.end(staged, transaction));
    const committed = this.commit(transaction);
    return committed instanceof Promise ? this.hold(committed) : committed;
  }

  read(query: EventQuery): EventStream {
    return new EventStream(
      () =>
        new Chunks(
          () => this.select(query),
          (events) => this.recorder.allApart(events),
        ),
    );
  }

  async page(query: EventQuery, request: PageRequest): Promise<Page<RecordedEvent>> {
    checkPage(query, request);
    const all = this.log.select(query);
    let from = 0;
    let to = all.length;
    if ('first' in request) {
      if (request.after !== undefined) from = firstAbove(all, this.positions.numberOf(request.after));
      to = Math.min(all.length, from + request.first);
    } else {
      if (request.before !== undefined) to = firstAbove(all, this.positions.numberOf(request.before) - 1);
      from = Math.max(0, to - request.last);
    }
    const items = this.recorder.allApart(all.slice(from, to));
    const [startCursor, endCursor] = [items[0]?.position, items.at(-1)?.position];
    return { items, hasNextPage: to < all.length, hasPreviousPage: from > 0, startCursor, endCursor };
  }

  async head(): Promise<Position | undefined> {
    return this.log.newest;
  }

  compare(a: Position, b: Position): number {
    return this.positions.numberOf(a) - this.positions.numberOf(b);
  }

  position(text: string): Position {
    this.positions.numberOf(text);
    return text as Position;
  }

  appended(): Observable<Position> {
    return this.wakeUps.asObservable();
  }

  async retag(types: readonly string[], tagsOf: (event: RecordedEvent) => readonly string[]): Promise<number> {
    const wanted = new Set(types);
    const { log, recorder } = this;
    return log.replace((event) => (wanted.has(event.type) ? recorder.withTags(event, tagsOf(recorder.apart(event))) : event));
  }

  async storedTypes(): Promise<readonly StoredType[]> {
    return this.log.storedTypes();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.wakeUps.complete();
  }

  private begin(transaction: InMemoryTransaction, appends: readonly Append[]): Promise<void> | undefined {
    this.isStaging = true;
    try {
      return transaction.begin(appends);
    } catch (error) {
      const told = transaction.tell('rolledBack');
      if (told === undefined) throw error;
      return told.then(() => Promise.reject(error));
    } finally {
      this.isStaging = false;
    }
  }

  /** Lets the next append begin when this one has ended. */
  private async hold(ended: Promise<AppendResult>): Promise<AppendResult> {
    this.pending = ended.catch(() => undefined);
    try {
      return await ended;
    } finally {
      this.pending = undefined;
    }
  }

  private async end(staged: Promise<void>, transaction: InMemoryTransaction): Promise<AppendResult> {
    try {
      await staged;
    } catch (error) {
      await transaction.tell('rolledBack');
      throw error;
    }
    return this.commit(transaction);
  }

  private commit(transaction: InMemoryTransaction): AppendResult | Promise<AppendResult> {
    const { events } = transaction;
    for (const event of events) this.log.add(event);
    const told = transaction.tell('committed');
    return told === undefined ? this.wake(events) : this.wakeAfter(told, events);
  }

  private async wakeAfter(told: Promise<unknown>, events: readonly RecordedEvent[]): Promise<AppendResult> {
    await told;
    return this.wake(events);
  }

  private wake(events: readonly RecordedEvent[]): AppendResult {
    const position = events.at(-1)?.position;
    if (position === undefined) return nothing;
    this.wakeUps.next(position);
    return { events: this.recorder.allApart(events), position };
  }

  private select(query: EventQuery): readonly RecordedEvent[] {
    checkQuery(query);
    const events = this.log.select(query);
    const ordered = query.direction === 'backward' ? events.toReversed() : events;
    return query.limit === undefined ? ordered : ordered.slice(0, query.limit);
  }
}
