import type { GenerationRecord } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { EntityManager, EntityMetadata, QueryRunner } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../../../controls/databases';
import { changes, definition, longMs, openStore, roomIn, taken, totals } from './projection-place';

describeDatabases(
  'a lease',
  (database) => {
    let place: DatabasePlace;
    let store: TypeOrmEventStore;

    beforeEach(async () => {
      place = await roomIn(database);
      store = await place.open();
    });
    afterEach(async () => {
      jest.useRealTimers();
      await store.close();
      await place.drop();
    });

    it('runs on the clock of the database, whatever that of the process says', async () => {
      const { projections } = store;
      const record = await projections.create(definition, 1, 'serving');
      const on = async (clock: string, owner: string, leaseMs: number) => {
        jest.useFakeTimers({ now: new Date(clock), doNotFake: everythingBut('Date') });
        return projections.take(record, owner, leaseMs);
      };
      expect((await on('2000-01-01', 'slow', longMs))?.owner).toBe('slow');
      expect(await on('2100-01-01', 'fast', longMs)).toBeUndefined();
      await projections.release(record, 'slow');
      expect(await on('2100-01-01', 'fast', 1)).toBeDefined();
      jest.useRealTimers();
      await runsOut(() => projections.take(record, 'other', longMs));
    });
  },
  [postgres, mariadb, sqlite],
);

describeDatabases(
  'a record that somebody holds',
  (database) => {
    let place: DatabasePlace;
    let store: TypeOrmEventStore;
    let other: TypeOrmEventStore;
    let holder: QueryRunner | undefined;

    beforeEach(async () => {
      place = await roomIn(database);
      store = await place.open();
      other = await openStore(place);
    });
    afterEach(async () => {
      await holder?.rollbackTransaction().catch(() => undefined);
      await holder?.release();
      holder = undefined;
      for (const each of [store, other]) await each.close();
      await place.drop();
    });

    it('is not waited for by who would take its lease', async () => {
      const record = await store.projections.create(definition, 1, 'serving');
      holder = (await place.dataSource()).createQueryRunner();
      await holder.startTransaction();
      const table = await tableOf(holder.manager, 'projections');
      await holder.query(`SELECT * FROM ${table} FOR UPDATE`);
      expect(await store.projections.take(record, 'me', longMs)).toBeUndefined();
      await holder.rollbackTransaction();
      expect((await store.projections.take(record, 'me', longMs))?.owner).toBe('me');
    });

    it('is let go of when its holder stands still for longer than a lease', async () => {
      const record = await store.projections.create(definition, 1, 'serving');
      const mine = (await store.projections.take(record, 'me', 7_000)) as GenerationRecord;
      const limit = database === postgres ? postgresLimit : mariadbLimit;
      let within: unknown;
      await store.projections.transact(definition, mine, async ({ manager }) => {
        within = await limit(manager as EntityManager);
        return changes(mine);
      });
      expect(within).toBe(12_000);
      const runners = Array.from({ length: 3 }, async () => (await place.dataSource()).createQueryRunner());
      for (const runner of await Promise.all(runners)) {
        expect(await limit(runner.manager)).toBe(0);
        await runner.release();
      }
    });

    it('is changed by one of two, and the other has to begin anew', async () => {
      const record = await taken(store.projections);
      const both = await Promise.all([
        store.projections.commit(definition, record, changes(record, { leaseMs: longMs })),
        other.projections.commit(definition, { ...record, token: record.token - 1 }, changes(record)),
      ]);
      expect(both).toStrictEqual([true, false]);
      expect(await totals(other.projections)).toStrictEqual({});
    });
  },
  [postgres, mariadb],
);

async function postgresLimit(manager: EntityManager): Promise<number> {
  const [row] = await manager.query(
    `SELECT setting::int AS ms FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'`,
  );
  return row.ms;
}

async function mariadbLimit(manager: EntityManager): Promise<number> {
  const [row] = await manager.query('SELECT @@SESSION.idle_transaction_timeout AS s');
  return Number(row.s) * 1_000;
}

async function tableOf(manager: EntityManager, name: string): Promise<string> {
  const { entityMetadatas, driver } = manager.connection;
  const { tablePath } = entityMetadatas.find(({ tableName }) => tableName.endsWith(name)) as EntityMetadata;
  return tablePath
    .split('.')
    .map((part) => driver.escape(part))
    .join('.');
}

/** Tries again until a lease that runs out has done so. */
async function runsOut<T>(take: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const record = await take();
    if (record !== undefined) return record;
  }
}

type Faked = 'Date' | 'hrtime' | 'nextTick' | 'performance' | 'queueMicrotask' | 'setImmediate' | 'setInterval' | 'setTimeout';

/** The parts of the clock that a spec leaves as they are. */
function everythingBut(part: Faked) {
  const all = ['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'setInterval', 'setTimeout'] as const;
  return [...all, 'clearImmediate', 'clearInterval', 'clearTimeout'].filter((each) => each !== part) as Faked[];
}
