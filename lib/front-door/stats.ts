import type { SnapshotStats } from '../snapshots/snapshot-stats';

/** How much an aggregate instance holds. */
export interface AggregateStats {
  /** How many events its state is folded from. */
  readonly events: number;
  /** The version of its own stream. */
  readonly version: number;
  /** Whether a snapshot of it is stored that loading can begin at. */
  readonly hasSnapshot: boolean;
}

/** What an `EventSourcing` has done since it was opened. */
export interface SystemStats {
  /** Commands and transactions carried through; those called within another count with it. */
  readonly commandsProcessed: number;
  /** Projections that keep state and run. */
  readonly projectionsRunning: number;
  /** What snapshots saved, and why they did not. */
  readonly snapshots: SnapshotStats;
}
