import type { Class } from '../events/event-class';
import type { StandardSchema } from '../events/standard-schema';
import type { Upcaster } from '../events/upcaster';
import { MetadataSlot } from './metadata-slot';

/** What `@Event` records. */
export interface EventRecord {
  readonly type: string;
  readonly schemaVersion: number;
  /** Names under which it was stored before, and is read. */
  readonly aliases: readonly string[];
  /** What its data has to be like, beside the rules of its class. */
  readonly schema?: StandardSchema;
}

/** When an instance's state is kept, so that it need not be folded from its first event. */
export interface SnapshotPolicy {
  /** A snapshot is made about once in so many events: a whole number of 1 or more. */
  readonly every: number;
  /** What the handlers make of the events; snapshots of another revision are not used. */
  readonly revision: string;
}

/** What `@Aggregate` records. */
export interface AggregateRecord {
  readonly name: string;
  readonly guard: 'derived' | 'boundary';
  readonly strict: boolean;
  readonly ignores: readonly Class[];
  readonly snapshot?: SnapshotPolicy;
}

/** When a projection's handlers run: in the append's transaction, in the background, or when it is asked for. */
export type ProjectionMode = 'inline' | 'async' | 'live';

/** How often an event is tried on a projection instance before it is parked. */
export interface RetryPolicy {
  /** How many times the handler is tried in all: 1 or more. */
  readonly attempts: number;
  /** The pause before the second attempt, in milliseconds: 0 or more. It doubles with each further one. */
  readonly delayMs: number;
  /** The longest pause, in milliseconds. */
  readonly maxDelayMs: number;
}

/** What `@Projection` and `@Reactor` record. */
export interface ProjectionRecord {
  readonly name: string;
  readonly mode: ProjectionMode;
  readonly version: number;
  /** The handlers keep the state themselves. */
  readonly isCustom: boolean;
  /** Empties what the handlers of a custom projection wrote. */
  readonly reset: ((manager: never) => unknown) | undefined;
  readonly retry: RetryPolicy;
  /** With more instances standing still, the projection stands still as a whole. */
  readonly maxParked: number;
  readonly snapshot?: SnapshotPolicy;
  /** What `@Reactor` says beside that; undefined for a projection. */
  readonly reactor?: ReactorPolicy;
}

/** What distinguishes a reactor from a projection: it keeps nothing, and what it does cannot be done again. */
export interface ReactorPolicy {
  /** Where it begins, the first time that it is listed; at the end, which the start tells of, unless given. */
  readonly from: 'start' | 'now' | undefined;
}

/** Where the value of an id is found in an event: the name of a property, or a function of the event. */
export type IdSource = string | ((event: never) => unknown);

/** What `@Handles` records, once for each use. */
export interface HandlerRecord {
  readonly event: Class;
  readonly method: string | symbol;
  readonly ids: Readonly<Record<string, IdSource>>;
}

/** What `@Command` records. */
export interface CommandRecord {
  readonly method: string | symbol;
  readonly name: string;
}

/** What `@Upcasts` records, once for each use. */
export interface UpcasterRecord extends Pick<Upcaster, 'source' | 'from' | 'into' | 'isSplit'> {
  readonly method: string | symbol;
  readonly isStatic: boolean;
}

export const eventSlot = new MetadataSlot<EventRecord>('event');
export const aggregateSlot = new MetadataSlot<AggregateRecord>('aggregate');
export const projectionSlot = new MetadataSlot<ProjectionRecord>('projection');
export const projectionIdSlot = new MetadataSlot<readonly string[]>('projection-id');
export const handlerSlot = new MetadataSlot<readonly HandlerRecord[]>('handler');
export const commandSlot = new MetadataSlot<readonly CommandRecord[]>('command');
export const upcasterSlot = new MetadataSlot<readonly UpcasterRecord[]>('upcaster');
