/**
 * Why an instance was folded from its first event, although its class asks for snapshots:
 *
 * - `none`: there is no snapshot of it.
 * - `revision`, `shape`: the snapshot was made by another revision of the class, or when the class looked different.
 * - `corrupt`: it could not be read, or is not what was saved.
 * - `astray`: the event that it was made after is not in the store, as when the events were restored from a backup.
 * - `newer`: it is newer than what was to be loaded: the state before a failed command, or an earlier one.
 * - `failed`: the store of snapshots, or the first read with its help, failed.
 */
export type SnapshotMiss = 'none' | 'revision' | 'shape' | 'corrupt' | 'astray' | 'newer' | 'failed';

/** What came of snapshots since an `EventSourcing` was opened: only of the classes that ask for them. */
export interface SnapshotStats {
  /** Loads that began at a snapshot. */
  readonly hits: number;
  /** Loads that folded from the first event, by reason. */
  readonly misses: Readonly<Record<SnapshotMiss, number>>;
  readonly saved: number;
  /** Snapshots that were due and could not be made or saved. The next load folds more events, and that is all. */
  readonly failed: number;
  /** Snapshots that were not made because the state holds something that cannot be written down faithfully. */
  readonly unstorable: number;
}
