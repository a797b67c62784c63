import { EventSourcing, type EventSourcingOptions, type EventStore, type Snapshot, type SnapshotStore } from 'eventfold';
import { storeOver } from './store-over';

/** Works with an `EventSourcing` of its own, and leaves the store open. @returns what came of snapshots. */
export async function during(
  store: EventStore,
  classes: EventSourcingOptions['classes'],
  work: (es: EventSourcing) => unknown = () => undefined,
) {
  const es = await EventSourcing.open({ store: storeOver(store, { close: async () => undefined }), classes });
  try {
    await work(es);
  } finally {
    await es.close();
  }
  return es.stats().snapshots;
}

/** @returns the store, and each snapshot that it is given from now on. */
export function watched(store: EventStore): { readonly store: EventStore; readonly saved: Snapshot[] } {
  const saved: Snapshot[] = [];
  const watching = withSnapshots(store, ({ save }) => ({
    save: async (snapshot) => {
      saved.push(snapshot);
      await save(snapshot);
    },
  }));
  return { store: watching, saved };
}

/** @returns the store, whose snapshots are kept in another way than it keeps them. */
export function withSnapshots(store: EventStore, change: (kept: SnapshotStore) => Partial<SnapshotStore>): EventStore {
  const { snapshots } = store;
  if (snapshots === undefined) throw new Error('The store keeps no snapshots.');
  const kept: SnapshotStore = {
    load: (key) => snapshots.load(key),
    save: (snapshot) => snapshots.save(snapshot),
    remove: (key) => snapshots.remove(key),
    clear: () => snapshots.clear(),
  };
  return storeOver(store, { snapshots: { ...kept, ...change(kept) } });
}

/** @returns the snapshot of an instance as it is stored. */
export async function snapshotOf(store: EventStore, key: string): Promise<Snapshot> {
  const snapshot = await store.snapshots?.load(key);
  if (snapshot === undefined) throw new Error(`There is no snapshot of ${key}.`);
  return snapshot;
}
