import {
  createEvent,
  EventSourcing,
  EventSourcingError,
  Handles,
  InMemoryEventStore,
  MisplacedEmitError,
  OptimisticLockError,
  Projection,
  ProjectionId,
  UnfinishedCommandError,
  uncommittedEvents,
  versionOf,
} from 'eventfold';
import { Counted, Credited, dataOf, openWallets, Refused, rejection, signal, Tally, Wallet } from '../controls/wallets';

async function opened() {
  const opening = await openWallets();
  const { es } = opening;
  const [a, b] = [await es.loadOrCreate(Wallet, { walletId: 'a' }), await es.loadOrCreate(Wallet, { walletId: 'b' })];
  const [x, y] = [await es.loadOrCreate(Tally, { tallyId: 'x' }), await es.loadOrCreate(Tally, { tallyId: 'y' })];
  const credit = (walletId: string, amount: number) =>
    es.appendUnguarded(`Wallet:${walletId}`, [createEvent(Credited, { walletId, amount })]);
  const count = (tallyId: string, by: number) => es.appendUnguarded(`Tally:${tallyId}`, [createEvent(Counted, { tallyId, by })]);
  return { ...opening, a, b, x, y, credit, count };
}

describe('es.transaction', () => {
  it('stores the events of several aggregates in one append', async () => {
    const { es, store, a, x, data } = await opened();
    let wakeUps = 0;
    store.appended().subscribe(() => (wakeUps += 1));
    await es.transaction(async () => {
      await a.credit(1);
      await x.count(2);
      await a.credit(3);
      expect(await data()).toEqual([]);
    });
    expect(wakeUps).toBe(1);
    expect(await data()).toEqual([
      { walletId: 'a', amount: 1 },
      { tallyId: 'x', by: 2 },
      { walletId: 'a', amount: 3 },
    ]);
    expect([a.movements, x.steps, versionOf(a), versionOf(x)]).toEqual([[1, 3], [2], 2, 1]);
  });

  it('stores nothing of any when one refuses, and puts all back', async () => {
    const { es, a, x, data } = await opened();
    await expect(
      es.transaction(async () => {
        await a.credit(1);
        await x.count(2);
        await a.move('b', 50);
      }),
    ).rejects.toBeInstanceOf(Refused);
    expect(await data()).toEqual([]);
    expect([a.movements, x.steps, versionOf(a), versionOf(x)]).toEqual([[], [], 0, 0]);
    await Promise.all([a.credit(5), x.count(6)]);
    expect([a.movements, x.steps]).toEqual([[5], [6]]);
  });

  it('keeps each of several open instances right for the commands that follow', async () => {
    const { es, a, b } = await opened();
    await es.transaction(async () => {
      await a.credit(10);
      await b.credit(20);
    });
    await a.credit(1);
    await b.credit(2);
    expect([a.movements, b.movements]).toEqual([
      [10, 1],
      [20, 2],
    ]);
  });

  it('puts back all of several open instances', async () => {
    const { es, a, b } = await opened();
    await a.credit(1);
    await b.credit(2);
    const failing = es.transaction(async () => {
      await a.credit(10);
      await b.credit(20);
      await a.move('b', 5);
      throw new Refused('no');
    });
    await expect(failing).rejects.toBeInstanceOf(Refused);
    expect([a.movements, b.movements]).toEqual([[1], [2]]);
  });

  it('hands what one instance emits to another that it belongs to, at once', async () => {
    const { es, a, b } = await opened();
    await es.transaction(async () => {
      await a.credit(10);
      await b.look();
      await a.move('b', 4);
      expect(b.balance).toBe(4);
      await b.move('a', 1);
      expect(a.balance).toBe(7);
    });
    expect([await a.look(), await b.look()]).toEqual([7, 3]);
    expect((await es.load(Wallet, { walletId: 'b' })).movements).toEqual([4, -1]);
  });

  it('shows an instance that joins late what was emitted before', async () => {
    const { es, a, b } = await opened();
    await es.transaction(async () => {
      await a.credit(10);
      await a.move('b', 4);
      expect(await b.look()).toBe(4);
      await b.move('a', 3);
    });
    expect([a.balance, await b.look()]).toEqual([9, 1]);
  });

  it('lets two instances of one identity take part', async () => {
    const { es, x, data } = await opened();
    const twin = await es.loadOrCreate(Tally, { tallyId: 'x' });
    await es.transaction(async () => {
      await x.count(1);
      await twin.double();
      await x.double();
    });
    expect(await data()).toEqual([1, 1, 2].map((by) => ({ tallyId: 'x', by })));
    await twin.count(10);
    await x.count(20);
    await twin.look();
    expect([x.steps, twin.steps]).toEqual([
      [1, 1, 2, 10, 20],
      [1, 1, 2, 10, 20],
    ]);
    expect([versionOf(x), versionOf(twin)]).toEqual([5, 5]);
  });

  it.each(['closed', 'open'])(
    'does not let one of two instances of one identity miss what only the other has read (%s)',
    async (kind) => {
      const { es, a, x, credit, count } = await opened();
      const [twinA, twinX] = [await es.loadOrCreate(Wallet, { walletId: 'a' }), await es.loadOrCreate(Tally, { tallyId: 'x' })];
      await es.transaction(async () => {
        await (kind === 'open' ? a.look() : x.look());
        await (kind === 'open' ? credit('a', 5) : count('x', 5));
        await (kind === 'open' ? twinA.credit(1) : twinX.count(1));
      });
      expect(kind === 'open' ? await a.look() : await x.look()).toBe(6);
      expect(kind === 'open' ? a.movements : x.steps).toEqual([5, 1]);
    },
  );

  it.each(['closed', 'open'])('refuses what one of two instances decided on older state than the other (%s)', async (kind) => {
    const { es, a, x, credit, count, data } = await opened();
    const [twinA, twinX] = [await es.loadOrCreate(Wallet, { walletId: 'a' }), await es.loadOrCreate(Tally, { tallyId: 'x' })];
    const late = es.transaction(async () => {
      await (kind === 'open' ? a.look() : x.look());
      await (kind === 'open' ? credit('a', 5) : count('x', 5));
      await (kind === 'open' ? twinA.credit(1) : twinX.count(1));
      await (kind === 'open' ? a.credit(1) : x.double());
    });
    await expect(late).rejects.toBeInstanceOf(OptimisticLockError);
    expect(await data()).toHaveLength(1);
  });

  it('joins the transaction or command around it', async () => {
    const { es, x, y, data } = await opened();
    const failing = es.transaction(async () => {
      await es.transaction(() => x.count(1));
      await x.look(() => es.transaction(() => y.count(2)));
      throw new Refused('no');
    });
    await expect(failing).rejects.toBeInstanceOf(Refused);
    expect(await data()).toEqual([]);
  });

  it('is no part of another that runs at the same time', async () => {
    const { es, x, y, data } = await opened();
    const go = signal();
    const waiting = es.transaction(async () => {
      await x.count(1);
      await go.promise;
      throw new Refused('no');
    });
    await es.transaction(() => y.count(2));
    go.give();
    await expect(waiting).rejects.toBeInstanceOf(Refused);
    expect(await data()).toEqual([{ tallyId: 'y', by: 2 }]);
  });

  it('returns what its work resolves to, also without any command', async () => {
    const { es } = await opened();
    expect(await es.transaction(() => 5)).toBe(5);
  });

  it('passes on what its work throws before it returns a promise', async () => {
    const { es, x } = await opened();
    const thrown = new Refused('at once');
    await expect(
      es.transaction(() => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    await x.count(1);
  });

  it('runs its work once unless told otherwise, and as often as told', async () => {
    const { es, x, count } = await opened();
    let runs = 0;
    const work = () =>
      x.count(1, async () => {
        runs += 1;
        await count('x', 10);
      });
    await expect(es.transaction(work)).rejects.toBeInstanceOf(OptimisticLockError);
    expect(runs).toBe(1);
    await expect(es.transaction(work, { attempts: 3 })).rejects.toBeInstanceOf(OptimisticLockError);
    expect(runs).toBe(4);
    expect(await x.look()).toBe(40);
  });

  it('does not run again for undefined that is thrown', async () => {
    const { es } = await opened();
    let runs = 0;
    const work = () => {
      runs += 1;
      return Promise.reject(undefined);
    };
    await expect(es.transaction(work, { attempts: 3 })).rejects.toBeUndefined();
    expect(runs).toBe(1);
  });

  it('refuses when a command was not awaited, and stores nothing', async () => {
    const { es, x, y, data } = await opened();
    const [begun, go] = [signal(), signal()];
    let forgotten: Promise<unknown> = Promise.resolve();
    const error = await rejection(
      es.transaction(async () => {
        await x.count(1);
        forgotten = rejection(
          y.count(2, () => {
            begun.give();
            return go.promise;
          }),
        );
        await begun.promise;
      }),
    );
    expect(error).toBeInstanceOf(UnfinishedCommandError);
    expect(error).toMatchObject({ running: 1 });
    go.give();
    expect(await forgotten).toBeInstanceOf(MisplacedEmitError);
    expect(await data()).toEqual([]);
    await Promise.all([x.count(3), y.count(4)]);
    expect([x.steps, y.steps]).toEqual([[3], [4]]);
  });

  it('refuses when a transaction in it was not awaited', async () => {
    const { es, x, data } = await opened();
    let forgotten: Promise<unknown> = Promise.resolve();
    const error = await rejection(
      es.transaction(() => {
        forgotten = rejection(
          es.transaction(async () => {
            await Promise.resolve();
            await x.count(1);
          }),
        );
      }),
    );
    expect(error).toBeInstanceOf(UnfinishedCommandError);
    expect(await forgotten).toBeInstanceOf(UnfinishedCommandError);
    expect(await data()).toEqual([]);
  });

  it('folds an instance once, though the transaction failed while it was being refreshed', async () => {
    const { es, a, x, credit, count } = await opened();
    for (const by of [1, 2, 3]) await Promise.all([credit('a', by), count('x', by)]);
    const failing = es.transaction(() => Promise.all([Promise.reject(new Refused('no')), a.look(), x.look()]));
    const next = [failing.catch(() => Promise.all([a.credit(4), x.count(4)])), failing.catch(() => undefined)];
    await Promise.all(next);
    expect([a.movements, x.steps]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });

  it('gives its instances free, also those it still waited for when it failed', async () => {
    const { es, x, y } = await opened();
    const go = signal();
    const holding = x.count(1, () => go.promise);
    const failing = es.transaction(() => Promise.all([x.count(2), Promise.reject(new Refused('no'))]));
    await expect(failing).rejects.toBeInstanceOf(Refused);
    go.give();
    await holding;
    await Promise.all([x.count(3), y.count(3)]);
    expect(x.steps).toEqual([1, 3]);
  });

  it('does not store what a command of a failed transaction begins afterwards', async () => {
    const { es, x, y, data } = await opened();
    const go = signal();
    let late: Promise<unknown> = Promise.resolve();
    const failing = es.transaction(() => {
      late = rejection(go.promise.then(() => y.count(1)));
      return Promise.all([x.countAndRefuse(1), late]);
    });
    await expect(failing).rejects.toBeInstanceOf(Refused);
    go.give();
    expect(await late).toBeInstanceOf(UnfinishedCommandError);
    expect(await data()).toEqual([]);
  });

  it('does not take in what a command of a failed transaction emits afterwards', async () => {
    const { es, x, data } = await opened();
    const go = signal();
    let late: Promise<unknown> = Promise.resolve();
    const failing = es.transaction(async () => {
      late = rejection(x.count(100, () => go.promise));
      await x.countAndRefuse(1);
    });
    await expect(failing).rejects.toBeInstanceOf(Refused);
    await x.count(2, async () => {
      go.give();
      expect(await late).toBeInstanceOf(MisplacedEmitError);
    });
    expect(await data()).toEqual([{ tallyId: 'x', by: 2 }]);
    expect(x.steps).toEqual([2]);
  });

  it('refreshes an instance before any of several commands that are called on it at once', async () => {
    const { es, x, count } = await opened();
    await count('x', 5);
    const seen: number[] = [];
    await es.transaction(() => Promise.all([x.double(seen), x.double(seen)]));
    expect(seen).toEqual([5, 5]);
    expect(x.steps).toEqual([5, 5, 5]);
  });

  it('ends when several commands on one instance wait for another command', async () => {
    const { es, x } = await opened();
    const twin = await es.loadOrCreate(Tally, { tallyId: 'x' });
    const go = signal();
    const holding = x.count(1, () => go.promise);
    const waiting = es.transaction(() => Promise.all([x.count(2), x.count(3), twin.count(4)]));
    go.give();
    await Promise.all([holding, waiting]);
    expect(await x.look()).toBe(10);
    expect(await twin.look()).toBe(10);
  });

  it('rejects when a command in it emitted and then refused, though that was caught', async () => {
    const { es, data, x } = await opened();
    const failing = es.transaction(async () => {
      await x.count(1);
      await x.countAndRefuse(2).catch(() => undefined);
      await x.count(3);
    });
    await expect(failing).rejects.toBeInstanceOf(Refused);
    expect(await data()).toEqual([]);
    expect(x.steps).toEqual([]);
  });

  it('goes on after a command that refused before anything was emitted', async () => {
    const { es, a, b } = await opened();
    await es.transaction(async () => {
      await a.credit(1);
      await a.move('b', 5).catch(() => b.credit(5));
    });
    expect([a.balance, b.balance]).toEqual([1, 5]);
  });

  it('rejects when a transaction in it did, though that was caught', async () => {
    const { es, x, data } = await opened();
    const failing = es.transaction(async () => {
      await es
        .transaction(async () => {
          await x.count(1);
          throw new Refused('inner');
        })
        .catch(() => undefined);
    });
    await expect(failing).rejects.toMatchObject({ message: 'inner' });
    expect(await data()).toEqual([]);
  });

  it('numbers uncommitted events on from the version of their stream', async () => {
    const { es, store, x, count } = await opened();
    await count('x', 1);
    await es.transaction(async () => {
      await x.count(2);
      await x.count(3);
      expect(uncommittedEvents(x)).toStrictEqual([
        createEvent(Counted, { tallyId: 'x', by: 2 }),
        createEvent(Counted, { tallyId: 'x', by: 3 }),
      ]);
    });
    expect(uncommittedEvents(x)).toEqual([]);
    const versions = [];
    for await (const event of store.read({ stream: 'Tally:x' })) versions.push(event.version);
    expect(versions).toEqual([1, 2, 3]);
  });

  it('shows an instance what an inline projection appended to it in the same transaction', async () => {
    @Projection({ mode: 'inline' })
    class Bonus {
      @ProjectionId() walletId!: string;

      @Handles(Credited)
      async credited(event: Credited) {
        if (event.amount === 100)
          await bonus.appendUnguarded('elsewhere', [createEvent(Credited, { walletId: event.walletId, amount: 1 })]);
      }
    }
    const store = new InMemoryEventStore();
    const bonus = await EventSourcing.open({ store, classes: [Wallet, Bonus] });
    const wallet = await bonus.loadOrCreate(Wallet, { walletId: 'a' });
    await wallet.credit(100);
    expect(await dataOf(store)).toHaveLength(2);
    await wallet.credit(5);
    expect(wallet.movements).toEqual([100, 1, 5]);
    await bonus.close();
  });
});

describe('a command that an inline projection calls', () => {
  async function opened(react: (event: Credited) => unknown) {
    @Projection({ mode: 'inline' })
    class Reaction {
      @ProjectionId() walletId!: string;

      @Handles(Credited)
      async credited(event: Credited) {
        await react(event);
      }
    }
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Wallet, Tally, Reaction] });
    const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
    return { es, store, wallet, tally: await es.loadOrCreate(Tally, { tallyId: 'x' }) };
  }

  it('is stored with the append, or not at all', async () => {
    const { store, wallet, tally } = await opened(async ({ amount }) => {
      await tally.count(amount);
      if (amount === 13) throw new Refused('unlucky');
    });
    await wallet.credit(1);
    await expect(wallet.credit(13)).rejects.toBeDefined();
    expect(await dataOf(store)).toEqual([
      { walletId: 'a', amount: 1 },
      { tallyId: 'x', by: 1 },
    ]);
    await wallet.credit(2);
    await tally.count(3);
    expect([wallet.movements, tally.steps]).toEqual([
      [1, 2],
      [1, 2, 3],
    ]);
  });

  it.each(['the same', 'another'])(
    'on the instance that is being stored is refused, and holds nothing up (%s one)',
    async (which) => {
      const { es, store, wallet } = await opened(async ({ amount }) => {
        if (amount !== 13) return;
        const same = which === 'the same' ? wallet : await es.loadOrCreate(Wallet, { walletId: 'a' });
        await same.credit(1);
      });
      await expect(wallet.credit(13)).rejects.toBeDefined();
      expect(await dataOf(store)).toEqual([]);
      await wallet.credit(2);
      expect(wallet.movements).toEqual([2]);
    },
  );

  it('does not wait for a command that waits for the append', async () => {
    const go = signal();
    const { es, wallet, tally } = await opened(async () => {
      go.give();
      await (await es.loadOrCreate(Tally, { tallyId: 'x' })).count(1);
    });
    await Promise.all([tally.count(10, () => go.promise), wallet.credit(5)]);
    expect((await es.load(Tally, { tallyId: 'x' })).total).toBe(11);
    expect(await tally.look()).toBe(11);
  });
});

describe('a command in a command', () => {
  it('is stored together with it', async () => {
    const { x, y, data } = await opened();
    await x.count(1, () => y.count(2));
    expect(await data()).toEqual([
      { tallyId: 'y', by: 2 },
      { tallyId: 'x', by: 1 },
    ]);
  });

  it('is undone with it', async () => {
    const { x, y, data } = await opened();
    await expect(x.countAndRefuse(1, () => y.count(2))).rejects.toBeInstanceOf(Refused);
    expect(await data()).toEqual([]);
    expect([x.steps, y.steps]).toEqual([[], []]);
  });

  it('may be one of the same instance', async () => {
    const { x } = await opened();
    await x.count(1, () => x.count(2));
    expect(x.steps).toEqual([2, 1]);
  });

  it('runs again with it after a lost race of either', async () => {
    const { x, y, count } = await opened();
    const rivals = [1];
    let runs = 0;
    await x.count(1, async () => {
      runs += 1;
      await y.double();
      if (rivals.pop() !== undefined) await count('y', 5);
    });
    expect(runs).toBe(2);
    expect([x.steps, y.steps]).toEqual([[1], [5, 5]]);
  });

  it('that was not awaited makes it refuse', async () => {
    const { x, y, data } = await opened();
    let forgotten: Promise<unknown> = Promise.resolve();
    await expect(
      x.count(1, () => {
        forgotten = rejection(y.count(2));
      }),
    ).rejects.toBeInstanceOf(UnfinishedCommandError);
    expect(await forgotten).toBeInstanceOf(EventSourcingError);
    expect(await data()).toEqual([]);
  });
});

describe('an emit', () => {
  it('of a command that has ended is refused', async () => {
    const { x, data } = await opened();
    const go = signal();
    let late: Promise<unknown> = Promise.resolve();
    await x.look(() => {
      late = rejection(go.promise.then(() => (x as unknown as { emit(...args: unknown[]): void }).emit(Counted, { by: 1 })));
    });
    go.give();
    expect(await late).toBeInstanceOf(MisplacedEmitError);
    expect(await data()).toEqual([]);
  });

  it('from outside is no part of a command that runs at the time', async () => {
    const { x, data } = await opened();
    const [begun, go] = [signal(), signal()];
    const running = x.count(1, () => {
      begun.give();
      return go.promise;
    });
    await begun.promise;
    expect(() => (x as unknown as { emit(...args: unknown[]): void }).emit(Counted, { by: 100 })).toThrow(MisplacedEmitError);
    go.give();
    await running;
    expect(await data()).toEqual([{ tallyId: 'x', by: 1 }]);
  });
});
