/**
 * An event's place in the one order of a store. Opaque: it is compared with {@link EventStore.compare} and
 * otherwise only handed back to the store that made it. Being a string, it survives JSON and an HTTP header.
 */
export type Position = string & { readonly [positionBrand]: true };
declare const positionBrand: unique symbol;

/** What is known of an event besides its data: who, why, from where. Stored and returned as it was given. */
export interface EventMetadata {
  /** Shared by everything that one request set off. */
  readonly correlationId?: string;
  /** The id of the event or command that led to this event. */
  readonly causationId?: string;
  readonly [key: string]: unknown;
}

/** Where and when an event was recorded: what a handler is given beside the event itself. */
export interface EventContext {
  /** Unique among all events of the store. */
  readonly id: string;
  /** The stable name given in `@Event(name)`. */
  readonly type: string;
  /** The version of the event's shape, from `@Event(name, { version })`; 1 unless told otherwise. */
  readonly schemaVersion: number;
  /** The stream of the aggregate instance that emitted the event. */
  readonly stream: string;
  /** The event's number in its stream: 1, 2, 3 … without holes. */
  readonly version: number;
  readonly position: Position;
  readonly metadata: EventMetadata;
  /** When the event was recorded: ISO 8601 in UTC, to the millisecond. */
  readonly time: string;
  /** `property:value` of the identities that the store indexed. */
  readonly tags: readonly string[];
  /**
   * Which one it is of the events that upcasters make of one stored event; undefined for a stored event that is one. All have
   * the stored event's id, version and position: who keeps the position to go on after it, waits for the last of them.
   */
  readonly part?: EventPart;
}

/** One of several events that are stored as one. */
export interface EventPart {
  /** 1 for the first. */
  readonly number: number;
  readonly of: number;
}

/** An event as the store keeps it. Immutable: what is stored cannot be changed through it. */
export interface RecordedEvent<E = object> extends EventContext {
  /** The event: an instance of its class when read through {@link EventSourcing}. */
  readonly data: E;
}
