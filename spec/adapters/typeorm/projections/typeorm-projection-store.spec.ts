import type { NewEvent, Position } from 'eventfold';
import { eventStoreEntities, eventStoreMigrations, MissingTablesError, type TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { type Database, type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../../../controls/databases';
import { ownPlace } from '../../../controls/own-place';
import { changes, documents, idOf, longMs, openStore, roomIn, Tally, taken, tally, totals } from './projection-place';

const event: NewEvent = { type: 'noted', data: {} };

describeDatabases('handlers that write by themselves', (database) => {
  let place: DatabasePlace;
  let store: TypeOrmEventStore;
  let dataSource: DataSource;

  beforeAll(async () => {
    place = await roomIn(database);
    dataSource = await place.dataSource();
  });
  beforeEach(async () => {
    await place.clear();
    store = await place.open();
  });
  afterEach(() => store.close());
  afterAll(() => place?.drop());

  it('write in the transaction of their generation, and take back a part of it', async () => {
    const { projections } = store;
    const record = await taken(projections, documents);
    const isKept = await projections.transact(documents, record, async (transaction) => {
      const manager = transaction.manager as EntityManager;
      await manager.save(tally('kept', 1));
      const refused = manager.transaction(async (nested) => {
        await nested.save(tally('taken back', 1));
        throw new Error('no');
      });
      await expect(refused).rejects.toThrow('no');
      await expect(
        transaction.attempt(async () => {
          await manager.save(tally('tried', 1));
          throw new Error('not this either');
        }),
      ).rejects.toThrow('not this either');
      await manager.transaction((nested) => nested.save(tally('nested', 2)));
      return changes(record, { saved: [{ id: idOf('a'), state: tally('a', 3), isNew: true }] });
    });
    expect(isKept).toBe(true);
    expect(await rows()).toStrictEqual({ kept: 1, nested: 2 });
    expect(await totals(projections, documents)).toStrictEqual({ a: 3 });
  });

  it('leave nothing when the generation is another’s by then, or when they fail', async () => {
    const { projections } = store;
    const record = await taken(projections, documents);
    const write = async (manager: unknown) => {
      await (manager as EntityManager).transaction((nested) => nested.save(tally('a', 1)));
    };
    const isKept = await projections.transact(documents, record, async ({ manager }) => {
      await write(manager);
      return { ...changes(record), from: '9' as never, to: '10' as never };
    });
    expect(isKept).toBe(false);
    const failing = projections.transact(documents, record, async ({ manager }) => {
      await write(manager);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await projections.transact(documents, { ...record, token: 99 }, () => Promise.reject(new Error('ran')))).toBe(false);
    expect(await rows()).toStrictEqual({});
    await dataSource.transaction((manager) => manager.save(tally('b', 1)));
    expect(await rows()).toStrictEqual({ b: 1 });
  });

  it('write in the transaction of an append, and take back a part of it', async () => {
    const append = (end?: Error) =>
      store.append([{ stream: 'a', events: [event], guard: { version: 'any' } }], async (_events, transaction) => {
        const inline = store.projections.inline(transaction);
        const manager = inline.manager as EntityManager;
        await manager.transaction((nested) => nested.save(tally('kept', 1)));
        const trying = inline.attempt(async () => {
          await manager.save(tally('tried', 1));
          throw new Error('not this');
        });
        await expect(trying).rejects.toThrow('not this');
        if (end !== undefined) throw end;
      });
    await expect(append(new Error('no'))).rejects.toThrow('no');
    expect(await rows()).toStrictEqual({});
    await append();
    expect(await rows()).toStrictEqual({ kept: 1 });
    expect(await store.head()).toBeDefined();
  });

  it('write in the transaction of a user’s that an append has joined', async () => {
    const record = await taken(store.projections, documents);
    const append = (end?: Error) =>
      dataSource.transaction(async (user) => {
        await user.save(tally('user', 1));
        await store
          .within(user)
          .append([{ stream: 'a', events: [event], guard: { version: 'any' } }], async (events, transaction) => {
            const inline = store.projections.inline(transaction);
            const to = events[0]?.position as never;
            expect(await inline.advance([record], transaction.previous, to)).toStrictEqual([]);
            const saved = [{ id: idOf('a'), state: tally('a', 1), isNew: true }];
            await inline.commit(documents, record, { ...changes(record), from: to, to, saved });
            expect([...(await inline.load(documents, record, [idOf('a')])).values()]).toStrictEqual([tally('a', 1)]);
          });
        // Nobody else sees it yet.
        expect(await store.projections.load(documents, record, [idOf('a')])).toStrictEqual(new Map());
        if (end !== undefined) throw end;
      });
    await expect(append(new Error('no'))).rejects.toThrow('no');
    expect([await rows(), await totals(store.projections, documents)]).toStrictEqual([{}, {}]);
    await append();
    expect([await rows(), await totals(store.projections, documents)]).toStrictEqual([{ user: 1 }, { a: 1 }]);
    expect((await store.projections.records())[0]?.checkpoint).toBe(await store.head());
  });

  it('do not keep others from beginning a transaction once they are done', async () => {
    const record = await taken(store.projections, documents);
    const [isKept] = await Promise.all([
      store.projections.transact(documents, record, async ({ manager }) => {
        await (manager as EntityManager).save(tally('a', 1));
        return changes(record);
      }),
      dataSource.transaction((manager) => manager.save(tally('b', 1))),
      dataSource.getRepository(Tally).save(tally('c', 1)),
    ]);
    expect(isKept).toBe(true);
    expect(await rows()).toStrictEqual({ a: 1, b: 1, c: 1 });
  });

  async function rows(): Promise<Record<string, number>> {
    const found = await dataSource.getRepository(Tally).find({ order: { id: 'ASC' } });
    return Object.fromEntries(found.map(({ id, total }) => [id, total]));
  }
});

describeDatabases(
  'a database of a release before projections',
  (database) => {
    it('keeps events, and says what to do when a projection needs it', async () => {
      const place = await ownPlace(database);
      const migrations = eventStoreMigrations(place.type, place.tables).slice(0, 1);
      const entities = eventStoreEntities(place.type, place.tables);
      const dataSource = await place.connect({ synchronize: false, entities, migrations, migrationsRun: true } as never);
      const store = await place.open({}, dataSource);
      await store.append([{ stream: 'a', events: [event], guard: { version: 'none' } }]);
      for (const call of [
        () => store.projections.records(),
        () => store.projections.create(documents, 1, 'serving'),
        () => store.projections.take({ projection: 'a', generation: 1 }, 'me', longMs),
      ])
        await expect(call()).rejects.toThrow(MissingTablesError);
      expect(await store.head()).toBe('1');
      for (const Migration of eventStoreMigrations(place.type, place.tables).slice(1))
        dataSource.migrations.push(new Migration());
      await dataSource.runMigrations();
      expect(await store.projections.records()).toStrictEqual([]);
      await store.close();
      await place.drop();
    });
  },
  [postgres, mariadb, sqlite],
);

describeDatabases(
  'what another process has kept',
  (database) => {
    it.each(told(database))('is told of %s', async (_how, polling) => {
      const place = await roomIn(database);
      const store = await place.open({ polling });
      const other = await openStore(place);
      const record = await taken(other.projections, documents);
      const heard: (string | undefined)[] = [];
      const listening = store.projections.progressed().subscribe((name) => heard.push(name));
      // Who has just begun to listen may miss what happens meanwhile.
      for (let checkpoint = 1; !heard.includes('Documents'); checkpoint += 1) {
        const [{ checkpoint: from } = record] = await other.projections.records();
        const to = String(checkpoint) as Position;
        expect(await other.projections.commit(documents, record, changes(record, { from, to }))).toBe(true);
        // A driver that answers at once lets nobody else look.
        await new Promise(setImmediate);
      }
      listening.unsubscribe();
      for (const each of [store, other]) await each.close();
      await place.drop();
    });
  },
  [postgres, mariadb, sqlite],
);

/** How processes hear of each other. */
function told(database: Database): [string, { minMs: number; maxMs: number }][] {
  const byLooking: [string, { minMs: number; maxMs: number }] = ['when somebody looks', { minMs: 5, maxMs: 20 }];
  return database === postgres ? [byLooking, ['by the database', { minMs: 3_600_000, maxMs: 3_600_000 }]] : [byLooking];
}
