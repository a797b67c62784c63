import type { Snapshot, SnapshotStore } from './snapshot-store';

/** Keeps snapshots in this process. */
export class InMemorySnapshotStore implements SnapshotStore {
  private readonly snapshots = new Map<string, Snapshot>();

  async load(key: string): Promise<Snapshot | undefined> {
    return this.snapshots.get(key);
  }

  async save(snapshot: Snapshot): Promise<void> {
    const earlier = this.snapshots.get(snapshot.key);
    if (earlier !== undefined && isNewer(earlier, snapshot)) return;
    this.snapshots.set(snapshot.key, Object.freeze({ ...snapshot }));
  }

  async remove(key: string): Promise<void> {
    this.snapshots.delete(key);
  }

  async clear(): Promise<void> {
    this.snapshots.clear();
  }
}

function isNewer(one: Snapshot, other: Snapshot): boolean {
  return one.revision === other.revision && one.shape === other.shape && one.folded > other.folded;
}
