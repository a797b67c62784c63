import { type Class, type EventStore, versionOf } from 'eventfold';
import { ledgers } from '../controls/ledgers';
import { during, snapshotOf, withSnapshots } from '../controls/snapshot-stores';
import { promise, range } from '../promises/stores';

const ids = { ledgerId: 'l' };
const key = 'Ledger:l';

promise('Snapshots', (trial) => {
  let store: EventStore;
  beforeEach(async () => {
    store = await trial.store();
  });
  afterEach(() => store.close());

  it('are there from the multiple of the frequency on, and not before', async () => {
    await add(store, 3, [1], [1]);
    expect(await store.snapshots?.load(key)).toBeUndefined();
    await add(store, 3, [1]);
    expect(await snapshotOf(store, key)).toMatchObject({ version: 3, folded: 3, revision: '1' });
  });

  it('are one for a commit that crosses a multiple, at its end', async () => {
    await add(store, 10, range(9));
    expect(await store.snapshots?.load(key)).toBeUndefined();
    const { saved } = await add(store, 10, range(3));
    expect(saved).toBe(1);
    expect(await snapshotOf(store, key)).toMatchObject({ version: 12, folded: 12 });
  });

  it('lead to the same state as no snapshot, wherever they were made', async () => {
    await add(store, 100, [3], [5], [3], [-1]);
    const plain = await state(store);
    expect(plain.stats).toMatchObject({ hits: 0, misses: { none: 1 } });
    for (const every of [1, 2, 3]) {
      await store.snapshots?.clear();
      await add(store, every, [0]);
      const again = await state(store);
      await store.snapshots?.clear();
      expect(again.found).toStrictEqual((await state(store)).found);
      expect(again.stats.hits).toBe(1);
    }
  });

  it('of another revision are not used, and give way', async () => {
    await add(store, 2, [1], [2]);
    const { found, stats } = await state(store, ledgers({ every: 2, revision: 2 }).Ledger);
    expect({ total: found.total, stats }).toMatchObject({ total: 3, stats: { hits: 0, misses: { revision: 1 } } });
    await add(store, { every: 2, revision: 2 }, [3, 4]);
    expect(await snapshotOf(store, key)).toMatchObject({ revision: '2', version: 4 });
  });

  it('that are damaged, or cannot be read or saved, cost time and nothing else', async () => {
    await add(store, 2, [1], [2]);
    const good = await snapshotOf(store, key);
    await store.snapshots?.save({ ...good, state: good.state.replace('"', '') });
    const damaged = await state(store);
    expect({ total: damaged.found.total, stats: damaged.stats }).toMatchObject({ total: 3, stats: { misses: { corrupt: 1 } } });
    const fail = () => Promise.reject(new Error('no snapshots today'));
    const failing = withSnapshots(store, () => ({ load: fail, save: fail, remove: fail }));
    const stats = await add(failing, 2, [3], [4]);
    expect(stats.saved).toBe(0);
    expect(stats.failed).toBeGreaterThan(0);
    expect((await state(failing)).found).toMatchObject({ total: 10, version: 4 });
  });
});

/** Adds to the ledger, a commit each. @returns what came of snapshots. */
function add(store: EventStore, policy: number | { every: number; revision: number }, ...commits: number[][]) {
  const { Ledger } = ledgers(typeof policy === 'number' ? { every: policy } : policy);
  return during(store, [Ledger], async (es) => {
    const ledger = await es.loadOrCreate(Ledger, ids);
    for (const amounts of commits) await ledger.add(...amounts);
  });
}

type Ledger = ReturnType<typeof ledgers>['Ledger'];

/** @returns what the ledger is for another process, and what came of snapshots on the way. */
async function state(store: EventStore, Ledger: Ledger = ledgers({ every: 100 }).Ledger) {
  let found!: { total: number; byAmount: ReadonlyMap<number, object>; version: number };
  const stats = await during(store, [Ledger as Class], async (es) => {
    const ledger = await es.load(Ledger, ids);
    found = { total: ledger.total, byAmount: new Map(ledger.byAmount), version: versionOf(ledger) };
  });
  return { found, stats };
}
