import type { EventStore } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, postgres } from '../../controls/databases';
import { OpenTransactions } from '../../controls/open-transactions';

const append = (store: EventStore, stream: string) =>
  store.append([{ stream, guard: { version: 'any' }, events: [{ type: 'T', data: {} }] }]);

describeDatabases('TypeOrmEventStore.lag', (database) => {
  const transactions = new OpenTransactions();
  let place: DatabasePlace;
  let dataSource: DataSource;
  let store: TypeOrmEventStore;

  beforeAll(async () => {
    place = await database.make();
    dataSource = await place.connect(database === postgres ? { extra: { application_name: 'billing' } } : {});
  });
  beforeEach(async () => {
    await place.clear();
    store = await place.open({}, dataSource);
  });
  afterEach(async () => {
    await transactions.rollbackAll();
    await store.close();
  });
  afterAll(() => place?.drop());

  it('tells of nobody while no append is under way', async () => {
    expect(await store.lag()).toStrictEqual([]);
    await append(store, 'a');
    expect(await store.lag()).toStrictEqual([]);
  });

  if (database === postgres) {
    it('tells which sessions hold readers back, since when, with what query, and how far one can read', async () => {
      const { position } = await append(store, 'a');
      const begun = Date.now();
      const idle = await transactions.begin(dataSource, store);
      await append(idle.store, 'idle');
      await append(idle.store, 'idle');
      await idle.runner.query('SELECT 42 AS what_it_did_last');
      expect(await store.lag()).toStrictEqual([]);
      await append(store, 'behind');
      const second = await transactions.begin(dataSource, store);
      const [{ pid }] = await second.runner.query('SELECT pg_backend_pid() AS pid');
      await append(second.store, 'second');
      const { position: last } = await append(store, 'behind');
      const [first, other, ...more] = await store.lag();
      expect(more).toStrictEqual([]);
      expect(first).toMatchObject({
        upTo: position,
        application: 'billing',
        state: 'idle in transaction',
        query: 'SELECT 42 AS what_it_did_last',
      });
      expect(other).toMatchObject({ pid, upTo: `${Number(last) - 2}` });
      expect(first?.forMs).toBeGreaterThanOrEqual(0);
      expect(Math.abs((first?.since.getTime() ?? 0) - begun)).toBeLessThan(5_000);
      await idle.commit();
      expect(await store.lag()).toMatchObject([{ pid }]);
      await dataSource.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
      expect(await store.lag()).toStrictEqual([]);
      await second.runner.release().catch(() => undefined);
    });

    it('does not tell of transactions that appended nothing, nor of locks of others', async () => {
      const reading = dataSource.createQueryRunner();
      await reading.startTransaction();
      await reading.query('CREATE TEMPORARY TABLE mine (id int) ON COMMIT DROP');
      await reading.query('SELECT pg_advisory_xact_lock(42), pg_advisory_xact_lock_shared(4, 2)');
      await append(store, 'a');
      expect(await store.lag()).toStrictEqual([]);
      await reading.rollbackTransaction();
      await reading.release();
    });
  }
});
