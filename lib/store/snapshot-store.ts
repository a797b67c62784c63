import type { Position } from '../events/recorded-event';

/**
 * What an instance was like after some of its events: one row of plain values. Whoever loads it checks it against the
 * events, so that a wrong one costs time and nothing else.
 */
export interface Snapshot {
  /** The instance: its class's name and ids, as its stream is named. One snapshot a key is kept. */
  readonly key: string;
  /** The revision that its author gave the class. */
  readonly revision: string;
  /** A short digest of what the class looked like. */
  readonly shape: string;
  /** The version of the instance's own stream: a whole number, 0 where none of the events lies in it. */
  readonly version: number;
  /** How many events the state is folded from: a whole number of 1 or more. It tells which of two is newer. */
  readonly folded: number;
  /** The id of the last event it is folded from. */
  readonly eventId: string;
  /** The position of that event. */
  readonly position: Position;
  /** A position before that event, and not far: undefined for the start. */
  readonly previous: Position | undefined;
  /** JSON text without raw control characters; up to many megabytes long. */
  readonly state: string;
  /** When it was made, in ISO 8601: for people to read. */
  readonly time: string;
}

/**
 * Where snapshots are kept, beside the events of one store. They are a saving of time and may be lost: nobody waits
 * for a save, and a method that rejects is counted, not passed on. Texts come back character by character; two keys
 * are the same only when they are equal to the last one, letter case and trailing spaces included.
 *
 * A database does neither reading nor writing in a transaction of the caller's: what fails here must not spoil that.
 */
export interface SnapshotStore {
  /** @returns the snapshot of the instance, if there is one. */
  load(key: string): Promise<Snapshot | undefined>;

  /**
   * Keeps the snapshot in the place of an earlier one with its key. It does nothing, and resolves, where the earlier
   * one has the same revision and shape and a higher `folded`; also when several are saved at once.
   */
  save(snapshot: Snapshot): Promise<void>;

  /** Forgets the snapshot of the instance, if there is one. */
  remove(key: string): Promise<void>;

  /** Forgets all snapshots: what they were folded from was not complete. */
  clear(): Promise<void>;
}
