import type { Observable } from 'rxjs';
import type { Class } from '../events/event-class';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { AppendTransaction } from './append';

/** What a state of a projection is for: people read the serving one; a rebuild fills another, and keeps the old one. */
export type Role = 'serving' | 'building' | 'kept';

/** One state of one projection. */
export interface GenerationId {
  /** The projection's name. */
  readonly projection: string;
  /** 1, 2, 3 …: each rebuild makes the next. */
  readonly generation: number;
}

/** The right to change a generation: `token` is another as soon as anybody but its holder has changed something. */
export interface Fence extends GenerationId {
  readonly token: number;
}

/** What is known of a generation. There is at most one of each role for each projection. */
export interface GenerationRecord extends Fence {
  /** The `version` of the `@Projection` that fills it. */
  readonly version: number;
  /** Where its instances are, which may be another place than where the class of this process has them. */
  readonly kind: StateKind;
  readonly role: Role;
  /** Every event up to here has been applied to it, or parked; undefined when none has. */
  readonly checkpoint: Position | undefined;
  /** Who holds its lease; undefined when nobody does, or it has run out. */
  readonly owner: string | undefined;
  readonly isPaused: boolean;
  /** Why it stands still as a whole. */
  readonly failure: string | undefined;
  /** What its owner measured last. */
  readonly eventsPerSecond: number;
}

/** Which instance of a projection: one text for all, and the ids' values in order. */
export interface InstanceId {
  readonly key: string;
  readonly values: readonly (string | number | bigint | boolean)[];
}

/** Where instances are kept: a table of their own, one JSON text each, by the handlers themselves, or not at all. */
export type StateKind = 'entity' | 'document' | 'custom' | 'reactor';

/** What a projection store has to know of a projection. */
export interface StateDefinition {
  readonly projection: string;
  readonly target: Class;
  readonly kind: StateKind;
  /** The names of its ids. */
  readonly ids: readonly string[];
  /** @returns a new instance with its ids set. */
  create(id: InstanceId): object;
  /** @returns which instance this is, by the ids that it holds. */
  idOf(state: object): InstanceId;
  /** @returns the state as a text, for stores that keep documents as texts. It throws where that is not possible. */
  encode(state: object): string;
  /** @returns an instance equal to the one that was encoded. */
  decode(id: InstanceId, text: string): object;
}

/** An instance to be kept. */
export interface SavedInstance {
  readonly id: InstanceId;
  readonly state: object;
  /** It was not there when it was loaded. */
  readonly isNew: boolean;
}

/** How an event failed on an instance. */
export interface Failure {
  readonly message: string;
  readonly stack: string | undefined;
  /** How often it was tried: 1 or more. */
  readonly attempts: number;
  /** ISO 8601. */
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  /** When it is tried again by itself, in ISO 8601; undefined when it is parked. */
  readonly retryAt: string | undefined;
}

/** An event that an instance could not take, or that waits behind such a one. */
export interface QueuedEvent {
  readonly key: string;
  /** Undefined when the event does not say which instance it belongs to. */
  readonly values: InstanceId['values'] | undefined;
  readonly event: RecordedEvent;
  /** Undefined for one that waits. */
  readonly failure: Failure | undefined;
}

/** An instance that stands still, with the event that it stands still at. */
export interface BlockedInstance {
  readonly key: string;
  readonly values: InstanceId['values'] | undefined;
  readonly event: RecordedEvent;
  readonly failure: Failure;
  /** How many events wait behind that one. */
  readonly waiting: number;
}

/** What is to be kept, all or nothing. */
export interface Changes {
  /** Where the checkpoint has to be. */
  readonly from: Position | undefined;
  /** Where it will be. */
  readonly to: Position | undefined;
  readonly saved: readonly SavedInstance[];
  /** They go before the others come: one that is also among `saved` is made anew. */
  readonly removed: readonly InstanceId[];
  /** Added to queues; one that is there already gets another failure, or none. */
  readonly queued: readonly QueuedEvent[];
  /** Taken out of the queues: those of the instance `key` up to a position. */
  readonly released: readonly { readonly key: string; readonly upTo: Position }[];
  /** Keeps the lease for so long from now on; it stays as it is when left out. */
  readonly leaseMs?: number;
  readonly eventsPerSecond?: number;
  /** The fence gets another token, as the changes are not its owner's. */
  readonly isForeign?: boolean;
}

/** A transaction in which handlers run. */
export interface ProjectionTransaction {
  /** What handlers get as `context.manager`: for a TypeORM store an `EntityManager`. */
  readonly manager: unknown;
  /** The checkpoint, which stays there until the transaction is over. */
  readonly checkpoint: Position | undefined;
  /** As {@link ProjectionStore.load}, as the transaction sees it. */
  load(definition: StateDefinition, generation: GenerationRecord, ids: readonly InstanceId[]): Promise<Map<string, object>>;
  /** Keeps what is given of `changes` so far; the checkpoint and the fence are not concerned. */
  write(definition: StateDefinition, generation: GenerationRecord, changes: Pick<Changes, 'saved' | 'removed'>): Promise<void>;
  /** As {@link ProjectionStore.queue}, as the transaction sees it. */
  queue(key: string, limit: number): Promise<RecordedEvent[]>;
  /** Runs `work`; when it rejects, what it has written is taken back, and its error is passed on. */
  attempt<T>(work: () => Promise<T>): Promise<T>;
}

/** The transaction of a swap, in which the generation that is to serve catches up with the one that does. */
export interface PromotionTransaction extends ProjectionTransaction {
  /** Reads the events after a position, as the transaction sees them, up to another one (inclusive). */
  read(after: Position | undefined, upTo: Position): AsyncIterable<readonly RecordedEvent[]>;
}

/** Folds what is missing up to where the serving generation is. @returns what is to be kept of it. */
export type CatchUp = (transaction: PromotionTransaction, upTo: Position) => Promise<Changes>;

/** The transaction of an append, in which inline projections are kept up to date. */
export interface InlineTransaction extends Omit<ProjectionTransaction, 'checkpoint' | 'queue'> {
  /**
   * Moves the checkpoints of generations from `previous` to `to`.
   *
   * @returns the records of those that are not at `previous`, or have another token: these stay as they are. In place of one
   * that does not serve any more, the one that does; one that is about to be swapped is told as paused.
   */
  advance(generations: readonly GenerationRecord[], previous: Position | undefined, to: Position): Promise<GenerationRecord[]>;
  /** As {@link advance}, of those that are taken to be at `previous`: sooner or later the append fails where one is not. */
  move(generations: readonly GenerationRecord[], previous: Position | undefined, to: Position): Promise<void>;
  /** Keeps changes, whatever the token. */
  commit(definition: StateDefinition, generation: GenerationRecord, changes: Changes): Promise<void>;
  /** As {@link ProjectionStore.blocked}, as the transaction sees it. */
  blocked(generation: GenerationRecord): Promise<BlockedInstance[]>;
  /** Reads the events after a position, as the transaction sees them, up to another one (inclusive). */
  read(after: Position | undefined, upTo: Position): AsyncIterable<readonly RecordedEvent[]>;
}

/**
 * Where projections keep what they fold, and how far they are: in the same place as the events. Every call but
 * {@link ProjectionStore.inline} is on a connection of its own, and part of nobody's transaction.
 */
export interface ProjectionStore {
  /** @returns `'entity'` for a class that has a table of its own here. */
  kindOf(target: Class): 'entity' | 'document';

  /**
   * @param others Other projections of the same process.
   * @returns what is wrong with a class as the state of a projection, each with the member and what to do about it.
   */
  mistakes(
    definition: StateDefinition,
    others: readonly StateDefinition[],
  ): readonly { readonly member: string; readonly problem: string; readonly remedy: string }[];

  /** @returns every record, or those of one projection, in order of name and generation. */
  records(projection?: string): Promise<GenerationRecord[]>;

  /**
   * Begins a generation, empty, unless there is one of that role; a building one of another version or kind is begun anew.
   *
   * @returns the one that there is.
   */
  create(definition: StateDefinition, version: number, role: 'serving' | 'building'): Promise<GenerationRecord>;

  /**
   * Takes the lease of a generation for `leaseMs` from now, on the clock that all processes share, if nobody else has it.
   *
   * @returns its record, with a token of its own; undefined when somebody else has the lease, or it is gone.
   */
  take(id: GenerationId, owner: string, leaseMs: number): Promise<GenerationRecord | undefined>;

  /** Keeps the lease for `leaseMs` from now. @returns the record; undefined when it is not `owner`'s any more. */
  renew(id: GenerationId, owner: string, leaseMs: number): Promise<GenerationRecord | undefined>;

  /** Gives the lease up at once, if it is `owner`'s. */
  release(id: GenerationId, owner: string): Promise<void>;

  /** Changes a record, whoever its owner is. What is not given stays; the token is another one afterwards. */
  mark(id: GenerationId, change: { readonly isPaused?: boolean; readonly failure?: string | undefined }): Promise<void>;

  /** Keeps changes, all or nothing. @returns false when the token or the checkpoint is another one: nothing is kept. */
  commit(definition: StateDefinition, record: GenerationRecord, changes: Changes): Promise<boolean>;

  /**
   * Runs `work` in one transaction that ends with the changes it returns. Nobody else changes the generation meanwhile.
   *
   * @returns false when the token is another one, and `work` was not run, or when the checkpoint is not at `from` at the
   * end, and nothing is kept.
   */
  transact(
    definition: StateDefinition,
    record: GenerationRecord,
    work: (transaction: ProjectionTransaction) => Promise<Changes>,
  ): Promise<boolean>;

  /** @returns a view of the transaction of an append of the same store, from within its hook. */
  inline(transaction: AppendTransaction): InlineTransaction;

  /** @returns those of the instances that are there, by key, each the caller's own. */
  load(
    definition: StateDefinition,
    of: Pick<GenerationRecord, 'projection' | 'role'>,
    ids: readonly InstanceId[],
  ): Promise<Map<string, object>>;

  /** Reads all instances, in chunks, in one order that stays the same. */
  scan(definition: StateDefinition, of: Pick<GenerationRecord, 'projection' | 'role'>): AsyncIterable<readonly object[]>;

  /**
   * Says whether two states of one instance are the same in all that events decide; in every property when it is left out.
   */
  isSame?(definition: StateDefinition, one: object, other: object): boolean;

  /**
   * @returns the instances that stand still, in the order of the events that they stand still at. An event that waited, and is the
   * first by now, is to be tried: its `retryAt` has come.
   */
  blocked(id: GenerationId): Promise<BlockedInstance[]>;

  /** @returns the first events of an instance's queue, in order: the one it stands still at and those behind it. */
  queue(id: GenerationId, key: string, limit: number): Promise<RecordedEvent[]>;

  /**
   * Has the building generation serve and the serving one kept, in one transaction. What was kept before is dropped.
   *
   * @param serving Undefined when there is none.
   * @param catchUp Called where the serving one is further by then, wherever that is; nobody changes either meanwhile.
   * @returns false when the token or the checkpoint of one of them is another one: nothing is changed.
   */
  promote(
    definition: StateDefinition,
    building: GenerationRecord,
    serving: GenerationRecord | undefined,
    catchUp?: CatchUp,
  ): Promise<boolean>;

  /** Has the kept generation be the building one, to catch up. @returns false when there is none kept, or one building. */
  reopen(definition: StateDefinition): Promise<boolean>;

  /** Removes a generation that does not serve, with all its state. Harmless when it is gone. */
  drop(definition: StateDefinition, id: GenerationId): Promise<void>;

  /** @returns how many events of `types` follow a position, and when the first of them was recorded, in ISO 8601. */
  behind(types: readonly string[], after: Position | undefined): Promise<{ events: number; since: string | undefined }>;

  /**
   * @returns the name of a projection after changes of it were kept, here or by other processes; undefined when it may be
   * any. A wake-up, never the data.
   */
  progressed(): Observable<string | undefined>;

  /** Says whether an error may pass by itself: the database is away, or gave up work that may succeed later. */
  isTransient(error: unknown): boolean;

  /** Says whether an error is about what was to be written: a value that does not fit, or that breaks a rule of the table. */
  isRefusal(error: unknown): boolean;
}
