import { type Append, EventSourcing, type EventStore, OptimisticLockError } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource, Logger } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, pglite, postgres, sqlite } from '../../controls/databases';
import { OpenTransactions } from '../../controls/open-transactions';
import { Tally, Wallet } from '../../controls/wallets';

// Servers may be busy with other specs.

/** Counts the transactions that store appends. */
class CommitCounter implements Logger {
  commits = 0;

  logQuery(query: string): void {
    if (/^BEGIN IMMEDIATE|START TRANSACTION|_append_(one|many)_/.test(query)) this.commits += 1;
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

const one = (
  stream: string,
  more: Partial<Append['events'][number]> = {},
  guard: Append['guard'] = { version: 'any' },
): Append[] => [{ stream, guard, events: [{ type: 'T', data: {}, ...more }] }];

async function stored(store: EventStore) {
  const events = [];
  for await (const event of store.read({})) events.push(event);
  return events;
}

describeDatabases('GatheredAppends', (database) => {
  const transactions = new OpenTransactions();
  const counter = new CommitCounter();
  let place: DatabasePlace;
  let counted: DataSource;
  let store: TypeOrmEventStore;

  beforeAll(async () => {
    place = await database.make();
    counted = await place.connect({ logger: counter, logging: true });
  });
  beforeEach(async () => {
    await place.clear();
    store = await place.open({}, counted);
    await store.head();
    counter.commits = 0;
  });
  afterEach(async () => {
    await transactions.rollbackAll();
    await store.close();
  });
  afterAll(() => place?.drop());

  it('commits what arrives during a commit together in the next', async () => {
    await Promise.all(range(100).map((index) => store.append(one(`s${index}`))));
    expect(counter.commits).toBeLessThanOrEqual(2);
    expect(await stored(store)).toHaveLength(100);
  });

  it('commits each append by itself when told so', async () => {
    const alone = await place.open({ gather: false }, counted);
    await Promise.all(range(20).map((index) => alone.append(one(`s${index}`))));
    expect(counter.commits).toBe(20);
    await alone.close();
  });

  it('stores unguarded appends to one stream in the order of their calls, with versions and positions without a hole', async () => {
    const ids = range(100).map((index) => `id-${index}`);
    await Promise.all(ids.map((id) => store.append(one('s', { id }))));
    const events = await stored(store);
    expect(events.map(({ id }) => id)).toStrictEqual(ids);
    expect(events.map(({ version }) => version)).toStrictEqual(range(100).map((index) => index + 1));
    expect(events.map(({ position }) => Number(position))).toStrictEqual(range(100).map((index) => index + 1));
  });

  it('gives each append its own outcome: those that cannot be stored fail alone, and take no position', async () => {
    await store.append(one('taken', { id: 'taken' }));
    const cyclic: { self?: object } = {};
    cyclic.self = cyclic;
    const outcomes = await Promise.allSettled([
      store.append(one('a', { id: 'a' })),
      store.append(one('taken', {}, { version: 'none' })),
      store.append(one('b', { id: 'taken' })),
      store.append(one('c', { data: cyclic })),
      store.append(one('d'), () => {
        throw new RangeError('from the hook');
      }),
      store.append(one('e', { id: 'a' })),
      store.append(one('taken', {}, { condition: { criteria: [{ types: ['T'] }], after: undefined } })),
      store.append([...one('f'), ...one('taken', {}, { version: 7 })]),
      store.append(one('taken', { id: 'z' }, { version: 1 })),
    ]);
    const names = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'stored' : outcome.reason.constructor.name));
    // Which of two with one id is stored is nobody's promise: the hook of another append may hold up either.
    expect([names[0], names[5]].sort()).toStrictEqual(['DuplicateEventError', 'stored']);
    expect(names.filter((_, index) => index !== 0 && index !== 5)).toStrictEqual([
      'OptimisticLockError',
      'DuplicateEventError',
      'UnstorablePayloadError',
      'RangeError',
      'OptimisticLockError',
      'OptimisticLockError',
      'stored',
    ]);
    const events = await stored(store);
    expect(events.map(({ id }) => id).sort()).toStrictEqual(['a', 'taken', 'z']);
    if (database !== postgres && database !== pglite)
      expect(events.map(({ position }) => Number(position))).toStrictEqual([1, 2, 3]);
    await store.append(one('afterwards'));
  });

  it('runs 200 commands on one aggregate at once: 200 more events, versions contiguous, the state right', async () => {
    const es = await EventSourcing.open({ store, classes: [Tally] });
    const tally = await es.loadOrCreate(Tally, { tallyId: 't' });
    await Promise.all(range(200).map(() => tally.count(1)));
    expect((await es.load(Tally, { tallyId: 't' })).total).toBe(200);
    expect((await stored(store)).map(({ version }) => version)).toStrictEqual(range(200).map((index) => index + 1));
    await es.close();
  });

  it('runs 200 commands on 20 open aggregates at once', async () => {
    const es = await EventSourcing.open({ store, classes: [Wallet] });
    const wallets = await Promise.all(range(20).map((index) => es.loadOrCreate(Wallet, { walletId: `w${index}` })));
    await Promise.all(range(200).map((index) => wallets[index % 20]?.credit(1)));
    for (const wallet of wallets) expect((await es.load(Wallet, { walletId: wallet.walletId })).balance).toBe(10);
    await es.close();
  });

  it('gets through hundreds of appends that race for one boundary, and none of them waits for ever', async () => {
    const outcomes = await Promise.allSettled(
      range(400).map((index) =>
        store.append(
          one(`s${index}`, { tags: ['seat:1'] }, { condition: { criteria: [{ tags: ['seat:1'] }], after: undefined } }),
        ),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OptimisticLockError);
  });
});

describeDatabases(
  'GatheredAppends of several processes',
  (database) => {
    const transactions = new OpenTransactions();
    const processes: TypeOrmEventStore[] = [];
    let place: DatabasePlace;
    let other: DataSource;

    beforeAll(async () => {
      place = await database.make();
      other = await place.connect();
      for (const _ of range(3)) processes.push(await place.open({}, await place.connect()));
    });
    beforeEach(() => place.clear());
    afterEach(() => transactions.rollbackAll());
    afterAll(async () => {
      for (const store of processes) await store.close();
      await place?.drop();
    });

    it('stores an id that several processes append at once a single time, and says so to the others', async () => {
      const outcomes = await Promise.allSettled(
        range(60).map((index) => processes[index % 3]?.append(one(`s${index}`, { id: `id-${Math.floor(index / 3)}` }))),
      );
      const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
      expect(new Set(failed)).toStrictEqual(new Set(['DUPLICATE_EVENT']));
      expect(failed).toHaveLength(40);
      expect(new Set((await stored(processes[0] as TypeOrmEventStore)).map(({ id }) => id)).size).toBe(20);
    });

    it('numbers 100 unguarded appends of several processes to one stream from 1 to 100', async () => {
      await Promise.all(range(100).map((index) => processes[index % 3]?.append(one('s'))));
      const versions = (await stored(processes[0] as TypeOrmEventStore)).map(({ version }) => version);
      expect(versions).toStrictEqual(range(100).map((index) => index + 1));
    });

    if (database === postgres) {
      const store = () => processes[1] as TypeOrmEventStore;
      const begin = async () => transactions.begin(other, await place.open({}, other));

      it('keeps only those waiting whose locks a transaction of others holds, not the rest of the batch', async () => {
        const held = await begin();
        await held.store.append(one('held', { tags: ['a:1'] }));
        const waiting = [store().append(one('held')), store().append(one('tagged', { tags: ['b:1'] }))];
        await Promise.all(range(50).map((index) => store().append(one(`s${index}`, { tags: [`a:${index + 2}`] }))));
        await store().append(one('later'));
        await held.rollback();
        await Promise.all(waiting);
      });

      it('keeps nobody waiting for a transaction of others, however many locks the whole batch needs', async () => {
        const held = await begin();
        await held.store.append(one('held'));
        await Promise.all(
          range(400).map((index) =>
            store().append(one(`s${index}`, { tags: [`a:x${index}`, `b:y${index}`, `c:z${index}`] }, { version: 'none' })),
          ),
        );
        await held.rollback();
      });

      it('goes on with what is free again while several others still wait', async () => {
        const streams = range(6).map((index) => `held-${index}`);
        const held = [];
        for (const stream of streams) {
          const transaction = await begin();
          await transaction.store.append(one(stream));
          held.push(transaction);
        }
        const waiting = streams.map((stream) => store().append(one(stream)));
        await held[5]?.rollback();
        await waiting[5];
        await held[4]?.rollback();
        await waiting[4];
        for (const transaction of held.slice(0, 4)) await transaction.rollback();
        await Promise.all(waiting);
      });

      it('passes on an error of the database as it is, to the append that it is about', async () => {
        const dataSource = await place.dataSource();
        const table = `"${place.tables.schema}".eventfold_events`;
        await dataSource.query(`CREATE FUNCTION "${place.tables.schema}".refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN RAISE EXCEPTION 'not on my watch' USING ERRCODE = 'EF001'; END $$`);
        await dataSource.query(
          `CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW WHEN (NEW.type = 'Refused') EXECUTE FUNCTION "${place.tables.schema}".refuse()`,
        );
        const appends = [one('a'), one('b', { type: 'Refused' }), one('c'), one('d', { type: 'Refused' })];
        const outcomes = await Promise.allSettled(appends.map((append) => store().append(append)));
        await dataSource.query(`DROP TRIGGER refuse ON ${table}`);
        expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'stored'))).toStrictEqual([
          'stored',
          'EF001',
          'stored',
          'EF001',
        ]);
        expect(outcomes[1]).toMatchObject({ reason: { message: 'not on my watch' } });
      });
    }
  },
  [postgres, mariadb, sqlite],
);
