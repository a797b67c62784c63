import { EventSourcing, InvalidArgumentError, type Position, type Snapshot } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases } from '../../controls/databases';
import { ledgers } from '../../controls/ledgers';
import { during } from '../../controls/snapshot-stores';

describeDatabases('TypeOrmSnapshotStore', (database) => {
  let place: DatabasePlace;
  let dataSource: DataSource;
  let store: TypeOrmEventStore;

  beforeAll(async () => {
    place = await database.make();
    dataSource = await place.dataSource();
  });
  afterAll(() => place?.drop());
  beforeEach(async () => {
    await place.clear();
    store = await place.open();
  });
  afterEach(() => store?.close());

  it('keeps the newest of many that several processes save at once', async () => {
    const others = database.isShared ? [await place.connect(), await place.connect()] : [];
    const stores = [store, ...(await Promise.all(others.map((other) => place.open({}, other))))];
    const saves = Array.from({ length: 60 }, (_, index) => {
      const each = stores[index % stores.length] as TypeOrmEventStore;
      return each.snapshots.save(snapshot({ key: `k${index % 2}`, folded: ((index * 37) % 60) + 1 }));
    });
    await Promise.all(saves);
    const kept = await Promise.all(['k0', 'k1'].map(async (key) => (await store.snapshots.load(key))?.folded));
    expect(kept.sort()).toStrictEqual([59, 60]);
    for (const each of stores.slice(1)) await each.close();
  });

  it('refuses a key that is longer than the database can tell apart', async () => {
    const long = 'k'.repeat(20_000);
    await expect(store.snapshots.save(snapshot({ key: long }))).rejects.toThrow(InvalidArgumentError);
    expect(await store.snapshots.load(long)).toBeUndefined();
  });

  it('forgets all when events get tags that they lacked', async () => {
    await store.append([{ stream: 'a', events: [{ type: 'noted', data: {} }], guard: { version: 'any' } }]);
    await store.snapshots.save(snapshot({}));
    expect(await store.retag(['noted'], () => [])).toBe(0);
    expect(await store.snapshots.load('a')).toStrictEqual(snapshot({}));
    expect(await store.retag(['noted'], () => ['note:1'])).toBe(1);
    expect(await store.snapshots.load('a')).toBeUndefined();
  });

  describe('within a transaction', () => {
    it('loads on its connection, the only one there is', async () => {
      const only = database.isShared ? await place.connect(place.type === 'better-sqlite3' ? {} : { poolSize: 1 }) : dataSource;
      const onOnly = await place.open({ gather: false }, only);
      await store.snapshots.save(snapshot({}));
      const loaded = await only.transaction((manager) => onOnly.within(manager).snapshots?.load('a') as Promise<Snapshot>);
      expect(loaded).toStrictEqual(snapshot({}));
      await onOnly.close();
    });

    it('begins aggregates at their snapshots, on its connection', async () => {
      const { Ledger } = ledgers({ every: 2 });
      await during(store, [Ledger], async (es) => (await es.create(Ledger, { ledgerId: 'l' })).add(1, 2));
      const only = database.isShared ? await place.connect(place.type === 'better-sqlite3' ? {} : { poolSize: 1 }) : dataSource;
      const es = await EventSourcing.open({ store: await place.open({}, only), classes: [Ledger] });
      const total = await only.transaction((manager) =>
        es.transaction(manager, async () => {
          const ledger = await es.load(Ledger, { ledgerId: 'l' });
          await ledger.add(3, 4);
          return ledger.total;
        }),
      );
      expect(total).toBe(10);
      await es.close();
      expect(es.stats().snapshots).toMatchObject({ hits: 1, saved: 1, failed: 0 });
      expect(await store.snapshots.load('Ledger:l')).toMatchObject({ folded: 4 });
    });

    it('saves after the commit, which does not wait for it', async () => {
      let saving: Promise<void> | undefined;
      let duringTransaction: Snapshot | undefined;
      await dataSource.transaction(async (manager) => {
        const { snapshots } = store.within(manager);
        saving = snapshots?.save(snapshot({}));
        duringTransaction = await snapshots?.load('a');
      });
      await saving;
      expect(duringTransaction).toBeUndefined();
      expect(await store.snapshots.load('a')).toStrictEqual(snapshot({}));
    });

    it('saves nothing when the transaction, or the savepoint it is in, is rolled back', async () => {
      const saving: (Promise<void> | undefined)[] = [];
      const undone = new Error('undone');
      const transaction = dataSource.transaction(async (manager) => {
        saving.push(store.within(manager).snapshots?.save(snapshot({ key: 'a' })));
        throw undone;
      });
      await expect(transaction).rejects.toBe(undone);
      await dataSource.transaction(async (manager) => {
        const savepoint = manager.transaction(async (inner) => {
          saving.push(store.within(inner).snapshots?.save(snapshot({ key: 'b' })));
          throw undone;
        });
        await expect(savepoint).rejects.toBe(undone);
        saving.push(store.within(manager).snapshots?.save(snapshot({ key: 'c' })));
      });
      await Promise.all(saving);
      const kept = await Promise.all(['a', 'b', 'c'].map(async (key) => (await store.snapshots.load(key))?.key));
      expect(kept).toStrictEqual([undefined, undefined, 'c']);
    });

    it('removes and clears when it is over', async () => {
      for (const key of ['a', 'b']) await store.snapshots.save(snapshot({ key }));
      const removing: (Promise<void> | undefined)[] = [];
      await dataSource.transaction(async (manager) => {
        removing.push(store.within(manager).snapshots?.remove('a'));
      });
      await Promise.all(removing);
      expect([await store.snapshots.load('a'), (await store.snapshots.load('b'))?.key]).toStrictEqual([undefined, 'b']);
      await dataSource.transaction(async (manager) => {
        removing.push(store.within(manager).snapshots?.clear());
      });
      await Promise.all(removing);
      expect(await store.snapshots.load('b')).toBeUndefined();
    });

    it('leaves the transaction as it was when a load fails', async () => {
      const table = dataSource.entityMetadatas.find(({ tableName }) => tableName.endsWith('snapshots'))?.tableName as string;
      await rename(dataSource, place, table, `${table}_away`);
      try {
        await dataSource.transaction(async (manager) => {
          const joined = store.within(manager);
          await joined.append([{ stream: 'a', events: [{ type: 'noted', data: {} }], guard: { version: 'none' } }]);
          await expect(joined.snapshots?.load('a')).rejects.toThrow(table);
          await expect(store.snapshots.load('a')).rejects.toThrow(table);
          await joined.append([{ stream: 'a', events: [{ type: 'noted', data: {} }], guard: { version: 1 } }]);
        });
      } finally {
        await rename(dataSource, place, `${table}_away`, table);
      }
      const versions: number[] = [];
      for await (const { version } of store.read({})) versions.push(version);
      expect(versions).toStrictEqual([1, 2]);
    });
  });
});

function snapshot(given: Partial<Snapshot>): Snapshot {
  const position = '3' as Position;
  const [version, folded, previous] = [2, 3, undefined];
  const texts = { revision: '1', shape: 'round', eventId: 'event', state: '{}', time: '2001-02-03T04:05:06.789Z' };
  return { key: 'a', version, folded, position, previous, ...texts, ...given };
}

async function rename(dataSource: DataSource, { tables: { schema } }: DatabasePlace, from: string, to: string): Promise<void> {
  const { driver } = dataSource;
  const path = [schema, from].flatMap((part) => (part === undefined ? [] : [driver.escape(part)])).join('.');
  await dataSource.query(`ALTER TABLE ${path} RENAME TO ${driver.escape(to)}`);
}
