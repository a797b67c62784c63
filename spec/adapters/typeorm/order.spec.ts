import { EventSourcing, type EventStore, type Position } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../controls/databases';
import { OpenTransactions } from '../../controls/open-transactions';
import { Added, AsyncTally, added } from '../../controls/tally';

// Servers may be busy with other specs.

interface One {
  readonly stream?: string;
  readonly type?: string;
  readonly tags?: readonly string[];
  readonly count?: number;
}

let numbered = 0;

/** Appends events without a guard. @returns their numbers. */
async function append(store: EventStore, { stream = 's', type = 'T', tags = [], count = 1 }: One = {}): Promise<number[]> {
  const numbers = Array.from({ length: count }, () => {
    numbered += 1;
    return numbered;
  });
  await store.append([
    { stream, guard: { version: 'any' }, events: numbers.map((number) => ({ type, tags, data: { number } })) },
  ]);
  return numbers;
}

async function numbersIn(store: EventStore, query: Parameters<EventStore['read']>[0] = {}): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { data } of store.read(query)) numbers.push((data as { number: number }).number);
  return numbers;
}

describeDatabases(
  'Order without gaps',
  (database) => {
    let place: DatabasePlace;
    let writers: DataSource;
    let readers: DataSource;
    let store: TypeOrmEventStore;
    let reader: TypeOrmEventStore;
    const transactions = new OpenTransactions();
    const begin = () => transactions.begin(writers, store);

    beforeAll(async () => {
      place = await database.make();
      writers = await place.connect();
      readers = await place.connect();
    });
    beforeEach(async () => {
      await place.clear();
      store = await place.open({}, writers);
      reader = await place.open({}, readers);
    });
    afterEach(async () => {
      await transactions.rollbackAll();
      await store.close();
      await reader.close();
    });
    afterAll(() => place?.drop());

    /** What readers of every sort see of the events of type T. */
    async function seen(): Promise<number[]> {
      const numbers = await numbersIn(reader);
      const ways = [
        await numbersIn(reader, { criteria: [{ types: ['T'] }] }),
        await numbersIn(reader, { criteria: [{}] }),
        await numbersIn(reader, { criteria: [{ types: ['T'], tags: ['a:1'] }, { types: ['T'] }] }),
        await numbersIn(reader, { afterTime: '2000-01-01T00:00:00.000Z' }),
        (await numbersIn(reader, { direction: 'backward' })).reverse(),
        (await reader.page({}, { first: 1_000 })).items.map(({ data }) => (data as { number: number }).number),
        (await reader.page({}, { last: 1_000 })).items.map(({ data }) => (data as { number: number }).number),
        await numbersIn(reader, { criteria: [{ types: ['T'] }], afterTime: '2000-01-01T00:00:00.000Z' }),
      ];
      for (const way of ways) expect(way).toStrictEqual(numbers);
      const head = await reader.head();
      const newest = (await reader.page({}, { last: 1 })).endCursor;
      expect(
        head === undefined ? undefined : await numbersIn(reader, { before: reader.position(`${Number(head) + 1}`) }),
      ).toStrictEqual(newest === undefined ? undefined : numbers);
      return numbers;
    }

    it('shows an append that began first and committed last in its place, and nothing behind it before', async () => {
      const before = await append(store);
      const first = await begin();
      const late = await append(first.store, { stream: 'late' });
      expect(await seen()).toStrictEqual(before);
      await first.commit();
      const after = await append(store);
      expect(await seen()).toStrictEqual([...before, ...late, ...after]);
    });

    if (database === postgres) {
      it('holds readers at an append under way, however many are committed behind it', async () => {
        const before = await append(store);
        const first = await begin();
        const late = await append(first.store, { stream: 'late' });
        const behind = await append(store, { count: 3 });
        expect(await seen()).toStrictEqual(before);
        await first.commit();
        expect(await seen()).toStrictEqual([...before, ...late, ...behind]);
      });

      it('moves on from one slow append to the next, in whatever order they commit', async () => {
        const slow = [await begin(), await begin(), await begin(), await begin()];
        const numbers: number[] = [];
        for (const [index, transaction] of slow.entries()) {
          numbers.push(...(await append(transaction.store, { stream: `slow-${index}`, count: 2 })));
          numbers.push(...(await append(store, { stream: 'quick' })));
          expect(await seen()).toStrictEqual([]);
        }
        await slow[1]?.commit();
        await slow[3]?.commit();
        expect(await seen()).toStrictEqual([]);
        await slow[0]?.commit();
        expect(await seen()).toStrictEqual(numbers.slice(0, 6));
        await slow[2]?.commit();
        expect(await seen()).toStrictEqual(numbers);
      });

      it('passes the holes of what was rolled back', async () => {
        const before = await append(store);
        const first = await begin();
        await append(first.store, { stream: 'lost', count: 5 });
        const behind = await append(store);
        const second = await begin();
        await append(second.store, { stream: 'lost too' });
        await second.rollback();
        expect(await seen()).toStrictEqual(before);
        await first.rollback();
        expect(await seen()).toStrictEqual([...before, ...behind]);
        expect(await numbersIn(reader, { limit: 1 })).toStrictEqual(before);
        expect(await numbersIn(reader, { limit: 2 })).toStrictEqual([...before, ...behind]);
      });

      it('lets readers on when the session that idles in its transaction is ended', async () => {
        const idle = await begin();
        const [{ pid }] = await idle.runner.query('SELECT pg_backend_pid() AS pid');
        await append(idle.store, { stream: 'lost' });
        const behind = await append(store);
        expect(await seen()).toStrictEqual([]);
        await writers.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
        expect(await seen()).toStrictEqual(behind);
        await idle.runner.release().catch(() => undefined);
      });

      it('is not held back by a transaction that wrote something else and idles', async () => {
        const other = await place.connect();
        const unrelated = other.createQueryRunner();
        await unrelated.startTransaction();
        await unrelated.query('CREATE TEMPORARY TABLE mine (id int)');
        await unrelated.query('INSERT INTO mine VALUES (1)');
        const numbers = await append(store, { count: 2 });
        const rolledBack = await begin();
        await append(rolledBack.store, { stream: 'lost' });
        await rolledBack.rollback();
        const behind = await append(store);
        expect(await seen()).toStrictEqual([...numbers, ...behind]);
        await unrelated.rollbackTransaction();
        await unrelated.release();
      });

      it('is not held back by locks of others that look like those of an append', async () => {
        const other = await place.connect();
        const holder = other.createQueryRunner();
        await holder.startTransaction();
        await holder.query('SELECT pg_advisory_xact_lock_shared(($1::regclass::oid::bigint & 32767) << 48)', [
          `"${place.tables.schema}".eventfold_events`,
        ]);
        const lost = await begin();
        await append(lost.store, { stream: 'lost' });
        await lost.rollback();
        const numbers = await append(store);
        expect(await seen()).toStrictEqual(numbers);
        await holder.rollbackTransaction();
        await holder.release();
      });

      it('lets boundaries and streams be read in spite of an append under way that shares nothing with them', async () => {
        const idle = await begin();
        await append(idle.store, { stream: 'idle', type: 'Idle', tags: ['a:1'] });
        const numbers = await append(store, { stream: 'other', tags: ['a:2'] });
        expect(await numbersIn(reader, { stream: 'other' })).toStrictEqual(numbers);
        expect(await numbersIn(reader, { criteria: [{ tags: ['a:2'] }, { types: ['T'], tags: ['b:2'] }] })).toStrictEqual(
          numbers,
        );
        expect(await numbersIn(reader, { criteria: [{ types: ['T'] }] })).toStrictEqual(numbers);
        expect(await numbersIn(reader, { criteria: [{ types: ['Idle'] }] })).toStrictEqual([]);
        expect(await numbersIn(reader, { criteria: [{ types: ['T'] }, { types: ['Idle'] }] })).toStrictEqual([]);
        expect(await numbersIn(reader, { criteria: [{ tags: ['a:1'] }, { tags: ['a:2'] }] })).toStrictEqual([]);
        await idle.rollback();
        expect(await numbersIn(reader, { criteria: [{ types: ['T'] }, { types: ['Idle'] }] })).toStrictEqual(numbers);
      });

      it('keeps versions and positions of a stream in one order, though a transaction that wrote before appends to it later', async () => {
        const wrote = await begin();
        await wrote.runner.query('CREATE TEMPORARY TABLE mine (id int) ON COMMIT DROP');
        await wrote.runner.query('INSERT INTO mine VALUES (1)');
        const first = await append(store, { count: 5 });
        const late = await append(wrote.store);
        expect(await seen()).toStrictEqual(first);
        await wrote.commit();
        expect(await seen()).toStrictEqual([...first, ...late]);
        expect(await numbersIn(reader, { stream: 's' })).toStrictEqual([...first, ...late]);
      });

      it('holds readers for what is left of a transaction after a rollback to a savepoint, and no longer', async () => {
        const transaction = await begin();
        await transaction.runner.startTransaction();
        await append(transaction.store, { stream: 'lost' });
        await transaction.runner.rollbackTransaction();
        const between = await append(store);
        expect(await seen()).toStrictEqual(between);
        const kept = await append(transaction.store, { stream: 'kept' });
        await transaction.runner.startTransaction();
        await append(transaction.store, { stream: 'lost' });
        await transaction.runner.rollbackTransaction();
        const behind = await append(store);
        expect(await seen()).toStrictEqual(between);
        await transaction.runner.startTransaction();
        const inner = await append(transaction.store, { stream: 'kept' });
        await transaction.runner.commitTransaction();
        const last = await append(store);
        expect(await seen()).toStrictEqual(between);
        await transaction.commit();
        expect(await seen()).toStrictEqual([...between, ...kept, ...behind, ...inner, ...last]);
      });

      it('sees an append before a rollback to a later savepoint as under way, though the later append took the place of its marker', async () => {
        const transaction = await begin();
        const kept = await append(transaction.store, { stream: 'kept' });
        await transaction.runner.startTransaction();
        await append(transaction.store, { stream: 'lost' });
        const behind = await append(store);
        await transaction.runner.rollbackTransaction();
        const more = await append(transaction.store, { stream: 'more' });
        expect(await seen()).toStrictEqual([]);
        await transaction.commit();
        expect(await seen()).toStrictEqual([...kept, ...behind, ...more]);
      });
    }

    it('tells followers and projections nothing past an append under way, and all in order when it is over', async () => {
      const es = await EventSourcing.open({ store: reader, classes: [AsyncTally] });
      const writing = await EventSourcing.open({ store, classes: [AsyncTally] });
      const amounts: number[] = [];
      let heard = () => {};
      es.events({ types: [Added] }).subscribe(({ data }) => {
        amounts.push(data.amount);
        heard();
      });
      const first = await begin();
      await first.store.append([{ stream: 'late', guard: { version: 'any' }, events: [eventOf(1)] }]);
      const others = database === postgres ? [2, 3, 4] : [];
      for (const amount of others) await writing.appendUnguarded('quick', [added('a', amount)]);
      await es.projections.caughtUp();
      expect(amounts).toStrictEqual([]);
      expect(await es.projections.get(AsyncTally, { id: 'a' })).toBeUndefined();
      await first.commit();
      const { position } = await writing.appendUnguarded('quick', [added('a', 5)]);
      await es.projections.caughtUp(AsyncTally, { position: position as Position, timeoutMs: 20_000 });
      const all = [1, ...others, 5];
      expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual(all);
      while (amounts.length < all.length) await new Promise<void>((wake) => (heard = wake));
      expect(amounts).toStrictEqual(all);
      await es.close();
      await writing.close();
    });

    it('tells followers of what was held back by an append that is rolled back', async () => {
      const es = await EventSourcing.open({ store: reader, classes: [AsyncTally] });
      const first = await begin();
      await first.store.append([{ stream: 'late', guard: { version: 'any' }, events: [eventOf(1)] }]);
      const heard = new Promise<number>((resolve) => es.events({ types: [Added] }).subscribe(({ data }) => resolve(data.amount)));
      const behind = store.append([{ stream: 'behind', guard: { version: 'any' }, events: [eventOf(2)] }]);
      if (database === postgres) await behind;
      await first.rollback();
      await behind;
      expect(await heard).toBe(2);
      await es.close();
    });
  },
  [postgres, mariadb],
);

function eventOf(amount: number) {
  return { type: 'tally.added', data: { id: 'a', amount } };
}
