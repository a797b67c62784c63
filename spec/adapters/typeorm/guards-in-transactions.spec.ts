import { setTimeout as delay } from 'node:timers/promises';
import { type Append, type Criterion, type EventStore, OptimisticLockError } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../controls/databases';
import { OpenTransactions } from '../../controls/open-transactions';

// Servers may be busy with other specs.

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const random = (below: number) => Math.floor(Math.random() * below);

async function read(store: EventStore, criteria: readonly Criterion[]) {
  const events = [];
  for await (const event of store.read({ criteria })) events.push(event);
  return events;
}

function appendOf(
  stream: string,
  type: string,
  tags: readonly string[] = [],
  guard: Append['guard'] = { version: 'any' },
): Append[] {
  return [{ stream, guard, events: [{ type, tags, data: {} }] }];
}

const gaveUp = ['40P01', '40001', 'ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'];

const codeOf = (error: unknown) => (error as { code?: string }).code ?? '';

describeDatabases(
  'Guards of appends in transactions of users',
  (database) => {
    const transactions = new OpenTransactions();
    const dataSources: DataSource[] = [];
    const stores: TypeOrmEventStore[] = [];
    let place: DatabasePlace;

    beforeAll(async () => {
      place = await database.make();
      for (const _ of range(2)) dataSources.push(await place.connect());
      for (const dataSource of dataSources) stores.push(await place.open({}, dataSource));
    });
    beforeEach(() => place.clear());
    afterEach(() => transactions.rollbackAll());
    afterAll(async () => {
      for (const store of stores) await store.close();
      await place?.drop();
    });

    const store = (index: number) => stores[index % stores.length] as TypeOrmEventStore;
    const begin = (index: number) => transactions.begin(dataSources[index % dataSources.length] as DataSource, store(index));

    async function somebodyWaits(): Promise<void> {
      const locks = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND classid = '"${place.tables.schema}".eventfold_events'::regclass`;
      while ((await (await place.dataSource()).query(locks)).length === 0) await delay(10);
    }

    const boundaries: Record<string, readonly Criterion[]> = {
      'one tag': [{ tags: ['show:1'] }],
      'types only': [{ types: ['Sold'] }],
      'criteria without a common value': [{ types: ['Sold'], tags: ['show:1'] }, { types: ['Other'] }],
      everything: [{ types: ['Sold'] }, {}],
    };

    for (const [name, criteria] of Object.entries(boundaries)) {
      it(`sells exactly as many seats as there are, in slow transactions, some rolled back, with a boundary of ${name}`, async () => {
        const seats = 8;
        let sold = 0;
        const buy = async (buyer: number): Promise<void> => {
          for (;;) {
            const { runner, store: joined } = await begin(buyer);
            try {
              if (random(2) === 0) await joined.append(appendOf(`visit-${buyer}`, 'Visited'));
              const events = await read(joined, criteria);
              if (events.filter(({ type }) => type === 'Sold').length >= seats) {
                await runner.rollbackTransaction();
                await runner.release();
                return;
              }
              if (random(2) === 0) await delay(random(10));
              const guard = { condition: { criteria, after: events.at(-1)?.position } };
              await joined.append(appendOf(`buyer-${buyer}`, 'Sold', ['show:1'], guard));
              await delay(random(10));
              const isKept = random(10) > 0;
              await (isKept ? runner.commitTransaction() : runner.rollbackTransaction());
              await runner.release();
              if (isKept) sold += 1;
            } catch (error) {
              await runner.rollbackTransaction();
              await runner.release();
              if (!(error instanceof OptimisticLockError) && !gaveUp.includes(codeOf(error))) throw error;
            }
          }
        };
        await Promise.all(range(8).map(buy));
        expect(sold).toBe(seats);
        expect((await read(store(0), criteria)).filter(({ type }) => type === 'Sold')).toHaveLength(seats);
      });
    }

    const tagsOf = (count: number) => range(count).map((index) => `id${index}:${index}`);
    const changed: Record<string, readonly Criterion[]> = {
      ...boundaries,
      'two tags': [{ types: ['Sold'], tags: tagsOf(2) }],
      'ten tags': [{ types: ['Sold'], tags: tagsOf(10) }],
      'ten tags of any type': [{ tags: tagsOf(10) }],
    };

    for (const [name, criteria] of Object.entries(changed)) {
      it(`sees that a boundary of ${name} has changed since its transaction began to read`, async () => {
        const transaction = await begin(1);
        expect(await read(transaction.store, criteria)).toStrictEqual([]);
        const { position } = await store(0).append(appendOf('a', 'Sold', ['show:1', ...tagsOf(10)]));
        const guard = { condition: { criteria, after: undefined } };
        const late = transaction.store.append(appendOf('b', 'Sold', ['show:1'], guard));
        await expect(late).rejects.toMatchObject({ code: 'OPTIMISTIC_LOCK', expected: undefined, actual: position });
      });
    }

    it('sees that a stream has grown since its transaction began to read', async () => {
      const transaction = await begin(1);
      expect(await read(transaction.store, [{}])).toStrictEqual([]);
      await store(0).append(appendOf('a', 'T'));
      const late = transaction.store.append(appendOf('a', 'T', [], { version: 'none' }));
      await expect(late).rejects.toMatchObject({ code: 'OPTIMISTIC_LOCK', expected: 0, actual: 1 });
      await transaction.rollback();
      const again = await begin(0);
      await read(again.store, [{}]);
      await store(1).append(appendOf('a', 'T'));
      await again.store.append(appendOf('a', 'T'));
      await again.commit();
      expect((await read(store(1), [{}])).map(({ version }) => version)).toStrictEqual([1, 2, 3]);
    });

    if (database === postgres) {
      it('does not take a boundary of types for complete while an append to it is under way in another transaction', async () => {
        const first = await begin(0);
        await first.store.append(appendOf('a', 'Sold'));
        await store(1).append(appendOf('b', 'Sold'));
        const second = await begin(1);
        const criteria = [{ types: ['Sold'] }];
        const events = await read(second.store, criteria);
        const guarded = second.store.append(
          appendOf('c', 'Sold', [], { condition: { criteria, after: events.at(-1)?.position } }),
        );
        await first.commit();
        await expect(guarded).rejects.toMatchObject({ code: 'OPTIMISTIC_LOCK', expected: undefined, actual: '2' });
      });

      it('reads all that its transaction has written, though an append of others is under way', async () => {
        const other = await begin(0);
        await other.store.append(appendOf('other', 'T'));
        const { store: joined } = await begin(1);
        await joined.append(appendOf('mine', 'T', ['a:1']));
        const mine: string[] = [];
        for await (const { stream } of joined.read({})) mine.push(stream);
        expect(mine).toStrictEqual(['mine']);
        expect(await read(joined, [{ tags: ['a:1'] }])).toHaveLength(1);
        expect(await read(store(1), [{ types: ['T'] }])).toStrictEqual([]);
      });

      it('makes appends that cannot conflict wait for nothing', async () => {
        const { store: joined } = await begin(0);
        await joined.append(appendOf('a', 'A', ['x:1'], { condition: { criteria: [{ tags: ['x:1'] }], after: undefined } }));
        await store(1).append(appendOf('b', 'A', ['x:2'], { condition: { criteria: [{ tags: ['x:2'] }], after: undefined } }));
        await store(1).append(appendOf('c', 'A', ['x:3'], { version: 'none' }));
        await store(0).append(appendOf('d', 'B', [], { condition: { criteria: [{ types: ['B'] }], after: undefined } }));
      });

      it('appends again by itself when the database ends a deadlock at its cost', async () => {
        const [x, y] = ['deadlock-1', 'deadlock-2'];
        const transaction = await begin(0);
        const { store: joined } = transaction;
        await joined.append(appendOf(x, 'T'));
        // Whichever of them is locked first: the second half of one of these needs what the other holds.
        const both = store(1).append([...appendOf(x, 'T'), ...appendOf(y, 'T')]);
        await somebodyWaits();
        const outcome = await joined.append(appendOf(y, 'T')).then(
          () => 'stored',
          (error) => codeOf(error),
        );
        expect(['stored', '40P01']).toContain(outcome);
        await transaction.commit();
        expect((await both).events).toHaveLength(2);
      }, 15_000);

      it('holds guards where transactions are serializable unless told otherwise', async () => {
        const dataSource = await place.connect({ extra: { options: '-c default_transaction_isolation=serializable' } });
        const serializable = await place.open({}, dataSource);
        const guard = { condition: { criteria: [{ tags: ['x:1'] }], after: undefined } };
        const outcomes = await Promise.allSettled(
          range(20).map((index) =>
            (index % 2 === 0 ? serializable : store(1)).append(appendOf(`s${index}`, 'T', ['x:1'], guard)),
          ),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OptimisticLockError);
        await Promise.all(range(30).map((index) => serializable.append(appendOf(`t${index % 3}`, 'T'))));
        await serializable.close();
      });
    }
  },
  [postgres, mariadb],
);
