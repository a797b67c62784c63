import type { Observable } from 'rxjs';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { Append, AppendResult, BeforeCommit } from './append';
import type { EventQuery, Page, PageRequest } from './event-query';
import type { EventStream } from './event-stream';
import type { ProjectionStore } from './projection-store';
import type { SnapshotStore } from './snapshot-store';
import type { StoredType, StoredTypesScan } from './stored-type';
import type { TagSources } from './tag-sources';

/**
 * Where events are kept, in one order. A store knows event types by name only; data is any storable object, returned
 * equal to what was given. Hold an implementation against `eventStoreSuite` of `eventfold/testing`.
 */
export interface EventStore {
  /** Where it keeps snapshots; without it none are made, and every instance is folded from its first event. */
  readonly snapshots?: SnapshotStore;

  /**
   * What it remembers of its tags. Without it, `EventSourcing.open` looks at every stored event at each start, and adds
   * the tags that are missing by itself.
   */
  readonly tagSources?: TagSources;

  /** Where projections keep what they fold. Without it that is in the memory of the process, and folded anew at each start. */
  readonly projections?: ProjectionStore;

  /**
   * Appends all of `appends`, or none. Guards are checked against the store as it was before the call; the appends
   * to one stream count its versions up in their order. Without any events it does nothing.
   *
   * @param beforeCommit Runs in the append's transaction; when it throws, its error is passed on.
   * @throws {@link OptimisticLockError} when a guard does not hold.
   * @throws {@link DuplicateEventError} when an event id is stored already, or given twice.
   * @throws {@link InvalidAppendError} when an append is malformed, {@link UnstorablePayloadError} when data is,
   * {@link KeyTooLongError} when a name is longer than the store can index.
   * @throws {@link InvalidPositionError} when a condition names a position that is none of this store.
   * @throws {@link StoreClosedError} after {@link EventStore.close}.
   */
  append(appends: readonly Append[], beforeCommit?: BeforeCommit): Promise<AppendResult>;

  /**
   * Reads what matches, as of when the reading reaches it. An unknown stream gives nothing.
   *
   * @throws {@link InvalidQueryError} or {@link InvalidPositionError}, when the reading begins.
   */
  read(query: EventQuery): EventStream;

  /**
   * Reads one page of what matches. Cursors are positions.
   *
   * @throws {@link InvalidPositionError} for a cursor that is no position of this store.
   * @throws {@link InvalidQueryError} for a page of fewer than one event, or a query with a limit.
   */
  page(query: EventQuery, request: PageRequest): Promise<Page<RecordedEvent>>;

  /** @returns the newest position, or undefined while nothing is stored. */
  head(): Promise<Position | undefined>;

  /**
   * @returns a number below, equal to or above 0 as `a` is before, the same as or after `b`.
   * @throws {@link InvalidPositionError} when one of them is no position of this store.
   */
  compare(a: Position, b: Position): number;

  /**
   * Takes a text from outside for a position.
   *
   * @throws {@link InvalidPositionError} when it is no position of this store.
   */
  position(text: string): Position;

  /** @returns the newest position after each append. A wake-up, never the data; completes when the store closes. */
  appended(): Observable<Position>;

  /**
   * Adds tags to stored events of `types`; tags are an index and can be added at any time.
   *
   * @param tagsOf The tags of an event; those it has already stay.
   * @returns how many events got a tag they lacked.
   */
  retag(types: readonly string[], tagsOf: (event: RecordedEvent) => readonly string[]): Promise<number>;

  /**
   * Tells which names and versions of events are stored, so that a start can tell whether the code reads all of them.
   *
   * @param scan `'ends'` looks at the first and the newest event of each type at least, and costs next to nothing; `'all'` looks
   * at every event, and counts them.
   * @returns each once, by name and version.
   */
  storedTypes?(scan: StoredTypesScan): Promise<readonly StoredType[]>;

  /**
   * Stays the same for as long as who has read need not read again: a turn of the event loop in which nothing was
   * appended by this process. What others append meanwhile would not have been seen by a second reading either, had
   * that come first, and is what guards are for. Left out where reading costs next to nothing.
   */
  readonly moment?: object;

  /** Ends every observable and releases what the store holds. Harmless when called again. */
  close(): Promise<void>;
}
