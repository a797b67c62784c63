import {
  AggregateExistsError,
  AggregateNotFoundError,
  createEvent,
  EventSourcing,
  ForeignTransactionError,
  Handles,
  InMemoryEventStore,
  InvalidArgumentError,
  OptimisticLockError,
  Projection,
  ProjectionError,
  ProjectionId,
} from 'eventfold';
import { type TypeOrmEventStore, UnfitTransactionError } from 'eventfold/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { type DatabasePlace, describeDatabases } from '../controls/databases';
import { connectWithNotes, note, notesIn, storeOn } from '../controls/notes';
import { Counted, Refused, rejection, signal, Tally, Wallet } from '../controls/wallets';

@Projection({ mode: 'inline' })
class InlineTotal {
  @ProjectionId() tallyId!: string;
  total = 0;

  @Handles(Counted)
  counted(event: Counted) {
    this.total += event.by;
    if (event.by === 13) throw new Error('thirteen');
  }
}

@Projection()
class AsyncTotal {
  @ProjectionId() tallyId!: string;
  total = 0;

  @Handles(Counted)
  counted(event: Counted) {
    this.total += event.by;
  }
}

const counted = (tallyId: string, by: number) => createEvent(Counted, { tallyId, by });

/** How a transaction, or a savepoint in one, ends. */
type End = 'commits' | 'rolls back';

const ends: readonly End[] = ['commits', 'rolls back'];

describeDatabases('Your transaction is yours', (database) => {
  const tallyId = 't';
  let place: DatabasePlace;
  let dataSource: DataSource;
  let store: TypeOrmEventStore;
  let es: EventSourcing;

  beforeAll(async () => {
    place = await database.make();
    dataSource = await connectWithNotes(place, true);
  });
  afterAll(() => place?.drop());

  beforeEach(async () => {
    await place.clear();
    store = storeOn(place, dataSource);
    es = await EventSourcing.open({ store, classes: [Tally, Wallet, InlineTotal, AsyncTotal] });
  });
  afterEach(() => es.close());

  /** Runs work in a transaction, or in a savepoint of one, and ends it. */
  async function inTransaction(end: End, work: (manager: EntityManager) => unknown, around: EntityManager = dataSource.manager) {
    const run = around.transaction(async (manager) => {
      await work(manager);
      if (end === 'rolls back') throw new Refused('the user changed his mind');
    });
    if (end === 'commits') await run;
    else await expect(run).rejects.toBeInstanceOf(Refused);
  }

  /** A command in a transaction of the user's, beside a row of his. */
  async function count(manager: EntityManager, by: number) {
    await note(manager, String(by));
    await es.transaction(manager, async () => (await es.loadOrCreate(Tally, { tallyId })).count(by));
  }

  async function stored(): Promise<number[]> {
    const numbers: number[] = [];
    for await (const event of store.read({})) numbers.push((event.data as Counted).by);
    return numbers;
  }

  /** Events, rows, and both read models tell the same. */
  async function expectStored(...numbers: number[]) {
    const sum = numbers.length === 0 ? undefined : numbers.reduce((a, b) => a + b);
    expect(await stored()).toStrictEqual(numbers);
    expect(await notesIn(dataSource)).toStrictEqual(numbers.map(String).sort());
    expect((await es.projections.get(InlineTotal, { tallyId }))?.total).toBe(sum);
    await es.projections.caughtUp();
    expect((await es.projections.get(AsyncTotal, { tallyId }))?.total).toBe(sum);
    expect((await es.loadOrCreate(Tally, { tallyId })).total).toBe(sum ?? 0);
  }

  describe('together', () => {
    it('commits events, inline projections and rows', async () => {
      await inTransaction('commits', async (manager) => {
        await count(manager, 1);
        await count(manager, 2);
      });
      await expectStored(1, 2);
    });

    it('rolls back events, inline projections and rows', async () => {
      await inTransaction('rolls back', (manager) => count(manager, 1));
      await expectStored();
      await inTransaction('commits', (manager) => count(manager, 2));
      await expectStored(2);
    });

    it.each(ends.flatMap((first) => ends.flatMap((second) => ends.map((outer) => [first, second, outer] as const))))(
      'a savepoint that %s, one that %s and the transaction that %s',
      async (first, second, outer) => {
        await inTransaction(outer, async (transaction) => {
          await count(transaction, 1);
          await inTransaction(first, (savepoint) => count(savepoint, 2), transaction);
          await count(transaction, 3);
          await inTransaction(second, (savepoint) => count(savepoint, 4), transaction);
          await count(transaction, 5);
        });
        const kept = [1, ...(first === 'commits' ? [2] : []), 3, ...(second === 'commits' ? [4] : []), 5];
        await expectStored(...(outer === 'commits' ? kept : []));
      },
    );

    it.each(ends.flatMap((inner) => ends.flatMap((middle) => ends.map((outer) => [inner, middle, outer] as const))))(
      'a savepoint that %s in one that %s in a transaction that %s',
      async (inner, middle, outer) => {
        await inTransaction(outer, async (transaction) => {
          await inTransaction(
            middle,
            async (savepoint) => {
              await count(savepoint, 1);
              await inTransaction(inner, (innermost) => count(innermost, 2), savepoint);
            },
            transaction,
          );
          await count(transaction, 3);
        });
        const kept = [...(middle === 'commits' ? [1, ...(inner === 'commits' ? [2] : [])] : []), 3];
        await expectStored(...(outer === 'commits' ? kept : []));
      },
    );

    it('stores the events of all commands in the work when it ends', async () => {
      await inTransaction('commits', async (manager) => {
        await note(manager, '1');
        await note(manager, '2');
        await es.transaction(manager, async () => {
          const tally = await es.create(Tally, { tallyId });
          await tally.count(1);
          await (await es.load(Wallet, { walletId: 'w' }).catch(() => es.create(Wallet, { walletId: 'w' }))).look();
          await tally.count(2);
        });
      });
      await expectStored(1, 2);
    });

    it('takes in what is appended without an aggregate', async () => {
      await inTransaction('rolls back', (manager) =>
        es.transaction(manager, () => es.append(es.streamOf(Tally, { tallyId }), [counted(tallyId, 1)], { version: 'none' })),
      );
      expect(await stored()).toStrictEqual([]);
      await inTransaction('commits', async (manager) => {
        await es.transaction(manager, async () => {
          const { position, events } = await es.append(es.streamOf(Tally, { tallyId }), [counted(tallyId, 1)], {
            version: 'none',
          });
          expect(position).toBe(events[0]?.position);
          expect((await es.load(Tally, { tallyId })).total).toBe(1);
        });
        await note(manager, '1');
      });
      await expectStored(1);
    });

    it('stores what a command emitted nothing for: nothing', async () => {
      await inTransaction('commits', async (manager) => {
        await es.transaction(manager, async () => (await es.create(Tally, { tallyId })).look());
      });
      await expectStored();
    });
  });

  describe('before the outermost commit', () => {
    it('tells nobody, and after it everybody', async () => {
      const heard: unknown[] = [];
      const subscriptions = [
        es.events().subscribe((event) => heard.push(['event', (event.data as Counted).by])),
        es.projections.changes(InlineTotal).subscribe(({ total }) => heard.push(['inline', total])),
        es.projections.changes(AsyncTotal).subscribe(({ total }) => heard.push(['async', total])),
        store.appended().subscribe(() => heard.push('appended')),
      ];
      await inTransaction('rolls back', (manager) => count(manager, 1));
      await inTransaction('commits', async (transaction) => {
        await inTransaction('commits', (savepoint) => count(savepoint, 2), transaction);
        await inTransaction('rolls back', (savepoint) => count(savepoint, 3), transaction);
        expect(await stored()).toStrictEqual([]);
        expect(await store.head()).toBeUndefined();
        expect(await es.projections.get(InlineTotal, { tallyId })).toBeUndefined();
        expect(heard).toStrictEqual([]);
      });
      await expectStored(2);
      while (heard.length < 4) await new Promise(setImmediate);
      for (const subscription of subscriptions) subscription.unsubscribe();
      expect(heard).toContainEqual(['event', 2]);
      expect(heard).toContainEqual(['inline', 2]);
      expect(heard).toContainEqual(['async', 2]);
      expect(heard.filter((item) => Array.isArray(item))).toHaveLength(3);
    });

    it('shows the transaction what it wrote, and others what was there before', async () => {
      await (await es.create(Tally, { tallyId })).count(1);
      await inTransaction('commits', async (manager) => {
        await es.transaction(manager, async () => {
          const tally = await es.load(Tally, { tallyId });
          await tally.count(2);
        });
        await es.transaction(manager, async () => {
          expect((await es.load(Tally, { tallyId })).steps).toStrictEqual([1, 2]);
          expect((await es.statsOf(Tally, { tallyId })).version).toBe(2);
        });
        expect((await es.load(Tally, { tallyId })).steps).toStrictEqual([1]);
      });
      expect((await es.load(Tally, { tallyId })).steps).toStrictEqual([1, 2]);
    });
  });

  it.each(ends)('goes together with commands of others, which are stored when it %s', async (end) => {
    const [begun, go] = [signal(), signal()];
    const tally = await es.create(Tally, { tallyId });
    const transaction = inTransaction(end, async (manager) => {
      await count(manager, 1);
      begun.give();
      await go.promise;
      await count(manager, 2);
    });
    await begun.promise;
    const others = ['u', 'v'].map(async (id) => (await es.loadOrCreate(Tally, { tallyId: id })).count(9));
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    go.give();
    await Promise.all([transaction, ...others]);
    expect((await stored()).sort()).toStrictEqual([...(end === 'commits' ? [1, 2] : []), 9, 9]);
    expect((await es.projections.get(InlineTotal, { tallyId: 'u' }))?.total).toBe(9);
    expect((await es.projections.get(InlineTotal, { tallyId }))?.total).toBe(end === 'commits' ? 3 : undefined);
    if (end === 'rolls back') await tally.count(5);
  });

  describe('an aggregate', () => {
    it('is folded anew after a rollback', async () => {
      const tally = await es.create(Tally, { tallyId });
      await tally.count(1);
      await inTransaction('rolls back', (manager) => es.transaction(manager, () => tally.count(2)));
      expect(await tally.look()).toBe(1);
      await tally.double();
      expect(await stored()).toStrictEqual([1, 1]);
    });

    it('is folded anew after a savepoint was rolled back, in the transaction and after it', async () => {
      const tally = await es.create(Tally, { tallyId });
      await inTransaction('commits', async (transaction) => {
        await es.transaction(transaction, () => tally.count(1));
        await inTransaction('rolls back', (savepoint) => es.transaction(savepoint, () => tally.count(2)), transaction);
        await es.transaction(transaction, () => tally.double());
      });
      expect(await tally.look()).toBe(2);
      expect(await stored()).toStrictEqual([1, 1]);
    });

    it('goes on where it is after a commit', async () => {
      const tally = await es.create(Tally, { tallyId });
      await inTransaction('commits', (manager) => es.transaction(manager, () => tally.count(1)));
      await tally.double();
      expect(tally.steps).toStrictEqual([1, 1]);
      expect(await stored()).toStrictEqual([1, 1]);
    });

    it('is as it was for those outside while the transaction is open', async () => {
      const tally = await es.create(Tally, { tallyId });
      await tally.count(1);
      await inTransaction('commits', async (manager) => {
        await es.transaction(manager, () => tally.count(2));
        expect(await tally.look()).toBe(1);
        await es.transaction(manager, () => tally.double());
      });
      expect(await stored()).toStrictEqual([1, 2, 3]);
    });

    it('that somebody else holds is folded on as soon as the transaction has committed', async () => {
      const [tally, same] = [await es.create(Tally, { tallyId }), await es.create(Tally, { tallyId })];
      await inTransaction('commits', (manager) => es.transaction(manager, () => tally.count(1)));
      expect(await rejection(same.look())).toBeInstanceOf(AggregateExistsError);
      const [one, two] = [await es.load(Tally, { tallyId }), await es.load(Tally, { tallyId })];
      await inTransaction('commits', (manager) => es.transaction(manager, () => one.count(2)));
      expect(await two.look()).toBe(3);
    });

    it('of several that are at work at the same time in one transaction are all stored', async () => {
      const ids = ['a', 'b', 'c', 'd'];
      const tallies = await Promise.all(ids.map((id) => es.create(Tally, { tallyId: id })));
      await inTransaction('commits', (manager) =>
        Promise.all(tallies.map((tally, index) => es.transaction(manager, () => tally.count(index)))),
      );
      expect((await stored()).sort()).toStrictEqual([0, 1, 2, 3]);
    });

    it('with a boundary sees its own transaction, and is guarded in it', async () => {
      const [a, b] = [await es.create(Wallet, { walletId: 'a' }), await es.create(Wallet, { walletId: 'b' })];
      await inTransaction('commits', async (manager) => {
        await es.transaction(manager, () => a.credit(5));
        await es.transaction(manager, async () => {
          await a.move('b', 3);
          await b.move('a', 1);
        });
        await expect(es.transaction(manager, () => b.move('a', 9))).rejects.toBeInstanceOf(Refused);
      });
      expect([await a.look(), await b.look()]).toStrictEqual([3, 2]);
    });
  });

  describe('what fails in it', () => {
    it('by a command is taken back alone, and the transaction goes on', async () => {
      await inTransaction('commits', async (manager) => {
        await count(manager, 1);
        await expect(
          es.transaction(manager, async () => (await es.load(Tally, { tallyId })).countAndRefuse(2)),
        ).rejects.toBeInstanceOf(Refused);
        await count(manager, 3);
      });
      await expectStored(1, 3);
    });

    it('by an inline handler is taken back alone, and the transaction goes on', async () => {
      await inTransaction('commits', async (manager) => {
        await count(manager, 1);
        await expect(es.transaction(manager, async () => (await es.load(Tally, { tallyId })).count(13))).rejects.toBeInstanceOf(
          ProjectionError,
        );
        await count(manager, 3);
      });
      await expectStored(1, 3);
    });

    it('by a guard is taken back alone, and the transaction goes on', async () => {
      await inTransaction('commits', async (manager) => {
        await count(manager, 1);
        const append = es.transaction(manager, () =>
          es.append(es.streamOf(Tally, { tallyId }), [counted(tallyId, 2)], { version: 'none' }),
        );
        await expect(append).rejects.toBeInstanceOf(OptimisticLockError);
        await count(manager, 3);
      });
      await expectStored(1, 3);
    });

    it('is not done again by itself, for only the user can begin his transaction again', async () => {
      let runs = 0;
      const error = await rejection(
        dataSource.transaction((manager) =>
          es.transaction(manager, async () => {
            runs += 1;
            const tally = await es.loadOrCreate(Tally, { tallyId });
            await tally.count(1);
            // A rival, here by the user's own hand.
            await store.within(manager).append([
              {
                stream: es.streamOf(Tally, { tallyId }),
                guard: { version: 'any' },
                events: [{ type: 'tally.counted', data: { tallyId, by: 7 } }],
              },
            ]);
          }),
        ),
      );
      expect(error).toBeInstanceOf(OptimisticLockError);
      expect(runs).toBe(1);
      expect(await stored()).toStrictEqual([]);
    });
  });

  describe('an error says so', () => {
    it('when no transaction is open', async () => {
      await expect(es.transaction(dataSource.manager, () => undefined)).rejects.toBeInstanceOf(UnfitTransactionError);
      await expect(es.transaction({}, () => undefined)).rejects.toThrow('is no EntityManager');
      let kept: EntityManager | undefined;
      await dataSource.transaction(async (manager) => {
        kept = manager;
      });
      await expect(es.transaction(kept as EntityManager, () => undefined)).rejects.toThrow('No transaction is open');
    });

    it('when the transaction is another DataSource’s', async () => {
      if (database.name === 'PGlite') return; // One in a process.
      const other = await database.make();
      const stranger = await other.connect();
      await expect(stranger.transaction((manager) => es.transaction(manager, () => undefined))).rejects.toThrow(
        'belongs to another DataSource',
      );
      await other.drop();
    });

    it('when the transaction ends before what belongs to it', async () => {
      const over = signal();
      let late: Promise<unknown> | undefined;
      await dataSource.transaction(async (manager) => {
        const joined = store.within(manager);
        late = over.promise.then(() => rejection(joined.head()));
      });
      over.give();
      expect(await late).toBeInstanceOf(UnfitTransactionError);
    });

    it('when a command would be stored outside of the savepoint it is called in', async () => {
      const tally = await es.create(Tally, { tallyId });
      await dataSource.transaction((transaction) =>
        expect(
          es.transaction(transaction, () =>
            transaction.transaction((savepoint) => es.transaction(savepoint, () => tally.count(1))),
          ),
        ).rejects.toBeInstanceOf(ForeignTransactionError),
      );
      await dataSource.transaction((transaction) =>
        expect(es.transaction(transaction, () => transaction.transaction(() => tally.count(1)))).rejects.toBeInstanceOf(
          ForeignTransactionError,
        ),
      );
      await expect(
        es.transaction(() => dataSource.transaction((manager) => es.transaction(manager, () => tally.count(1)))),
      ).rejects.toBeInstanceOf(ForeignTransactionError);
      expect(await stored()).toStrictEqual([]);
    });

    it('when there is nothing to do, or too much', async () => {
      await dataSource.transaction(async (manager) => {
        await expect(es.transaction(manager as never)).rejects.toBeInstanceOf(InvalidArgumentError);
        await expect(es.transaction(manager, { attempts: 3 } as never)).rejects.toBeInstanceOf(InvalidArgumentError);
      });
    });
  });

  it('finds an aggregate that only its transaction knows', async () => {
    await inTransaction('rolls back', async (manager) => {
      await count(manager, 1);
      await expect(es.load(Tally, { tallyId })).rejects.toBeInstanceOf(AggregateNotFoundError);
      await es.transaction(manager, () => es.load(Tally, { tallyId }));
    });
    await expect(es.load(Tally, { tallyId })).rejects.toBeInstanceOf(AggregateNotFoundError);
  });
});

it('needs a store that can join transactions', async () => {
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Tally] });
  await expect(es.transaction({}, () => undefined)).rejects.toThrow('Leave the manager out');
  await es.close();
});
