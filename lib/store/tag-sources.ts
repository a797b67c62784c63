import type { Position, RecordedEvent } from '../events/recorded-event';

/** What the events of a type are indexed by. */
export interface TagSource {
  readonly type: string;
  /** The name of an event's property; where a function of a class gives the tag, `Class.id()`. */
  readonly property: string;
}

/** How far the index reaches for one source. */
export interface TagCoverage extends TagSource {
  /** Every event of the type up to here carries its tag; undefined where that is known of none. */
  readonly upTo: Position | undefined;
}

/** A part of what is stored. */
export interface PositionRange {
  /** Exclusive; from the first event on when undefined. */
  readonly after: Position | undefined;
  /** Inclusive. */
  readonly upTo: Position;
  /** Events of this schema version need not be given. */
  readonly exceptVersion?: number;
}

/** Tags for an event that is stored. */
export interface AddedTags {
  readonly event: RecordedEvent;
  readonly tags: readonly string[];
}

/**
 * A store's memory of which tags its events carry, so that a start need not look at every event, and a process tags
 * what it appends for classes that it does not know.
 */
export interface TagSources {
  /** @returns everything that was recorded and not forgotten. */
  recorded(): Promise<readonly TagCoverage[]>;

  /** Records how far the index reaches. What was recorded as reaching further stays. */
  record(coverages: readonly TagCoverage[]): Promise<void>;

  /** Forgets a source, whose class is gone: new events are no longer tagged for it. */
  forget(source: TagSource): Promise<void>;

  /** Reads the events of a type that carry no tag of this name, in order. */
  lacking(type: string, tagName: string, range: PositionRange): AsyncIterable<RecordedEvent>;

  /** Adds tags to stored events, all or none. Those that are there stay, also where others add some at the same time. */
  add(added: readonly AddedTags[]): Promise<void>;
}

/** @returns one text for a source. */
export function keyOf({ type, property }: TagSource): string {
  return JSON.stringify([type, property]);
}
