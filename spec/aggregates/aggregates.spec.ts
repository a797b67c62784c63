import {
  AggregateExistsError,
  AggregateNotFoundError,
  createEvent,
  NotRegisteredError,
  OptimisticLockError,
  uncommittedEvents,
  versionOf,
} from 'eventfold';
import { Counted, dataOf, Moved, openWallets, Refused, rejection, Tally, Wallet } from '../controls/wallets';

describe('es.load', () => {
  it('refuses an instance without events, naming it and the calls that begin one', async () => {
    const { es } = await openWallets();
    const error = await rejection(es.load(Tally, { tallyId: 'a' }));
    expect(error).toBeInstanceOf(AggregateNotFoundError);
    expect(error).toMatchObject({ type: 'Tally', ids: { tallyId: 'a' } });
    expect((error as Error).message).toContain('es.create or es.loadOrCreate');
  });

  it('finds an instance whose state is back at its initial value', async () => {
    const { es } = await openWallets();
    const tally = await es.create(Tally, { tallyId: 'a' });
    await tally.count(5);
    await tally.count(-5);
    expect(await es.load(Tally, { tallyId: 'a' })).toMatchObject({ total: 0, steps: [5, -5] });
  });

  it('folds the history of its own instance only', async () => {
    const { es } = await openWallets();
    await (await es.create(Tally, { tallyId: 'a' })).count(1);
    await (await es.create(Tally, { tallyId: 'b' })).count(2);
    expect((await es.load(Tally, { tallyId: 'b' })).steps).toEqual([2]);
  });

  it('finds an open instance that owns no stream but is named by an event of another', async () => {
    const { es } = await openWallets();
    const a = await es.create(Wallet, { walletId: 'a' });
    await a.credit(5);
    await a.move('b', 2);
    const b = await es.load(Wallet, { walletId: 'b' });
    expect(b.balance).toBe(2);
    expect(versionOf(b)).toBe(0);
  });

  it('loads any number of events completely', async () => {
    const { es } = await openWallets();
    const events = Array.from({ length: 5_000 }, () => createEvent(Counted, { tallyId: 'a', by: 1 }));
    await es.append(es.streamOf(Tally, { tallyId: 'a' }), events, { version: 'none' });
    expect((await es.load(Tally, { tallyId: 'a' })).total).toBe(5_000);
  });

  it('refuses a class that is not registered', async () => {
    const { es } = await openWallets();
    class Stranger extends Tally {}
    await expect(es.load(Stranger, { tallyId: 'a' })).rejects.toBeInstanceOf(NotRegisteredError);
  });

  it('gives an instance of the class, named as it is', async () => {
    const { es } = await openWallets();
    const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
    expect(tally).toBeInstanceOf(Tally);
    expect(tally.constructor).toBe(Tally);
    expect(tally.tallyId).toBe('a');
  });
});

describe('es.create', () => {
  it('begins an instance without storing anything', async () => {
    const { es, data } = await openWallets();
    expect(versionOf(await es.create(Tally, { tallyId: 'a' }))).toBe(0);
    expect(await data()).toEqual([]);
  });

  it('refuses an instance that has events', async () => {
    const { es } = await openWallets();
    await (await es.create(Tally, { tallyId: 'a' })).count(1);
    const error = await rejection(es.create(Tally, { tallyId: 'a' }));
    expect(error).toBeInstanceOf(AggregateExistsError);
    expect(error).toMatchObject({ type: 'Tally', ids: { tallyId: 'a' } });
  });

  it('refuses the first command when the instance has got events since', async () => {
    const { es, data } = await openWallets();
    const [one, other] = [await es.create(Tally, { tallyId: 'a' }), await es.create(Tally, { tallyId: 'a' })];
    await one.count(1);
    await expect(other.count(2)).rejects.toBeInstanceOf(AggregateExistsError);
    expect(await data()).toHaveLength(1);
  });

  it('refuses the first command when a rival creates the instance while it runs', async () => {
    const { es, store } = await openWallets();
    const one = await es.create(Tally, { tallyId: 'a' });
    const rival = () => es.append('Tally:a', [createEvent(Counted, { tallyId: 'a', by: 9 })], { version: 'none' });
    await expect(one.count(1, rival)).rejects.toBeInstanceOf(AggregateExistsError);
    expect(await dataOf(store)).toEqual([{ tallyId: 'a', by: 9 }]);
  });

  it('lets the second command find the events of the first', async () => {
    const { es } = await openWallets();
    const tally = await es.create(Tally, { tallyId: 'a' });
    await tally.count(1);
    await tally.count(2);
    expect(tally.steps).toEqual([1, 2]);
  });
});

describe('es.loadOrCreate', () => {
  it('gives a new instance or the one that is there', async () => {
    const { es } = await openWallets();
    await (await es.loadOrCreate(Tally, { tallyId: 'a' })).count(1);
    await (await es.loadOrCreate(Tally, { tallyId: 'a' })).count(2);
    expect((await es.load(Tally, { tallyId: 'a' })).steps).toEqual([1, 2]);
  });
});

describe('a command', () => {
  it('stores its events, raises the version, and shows in a fresh load', async () => {
    const { es, store } = await openWallets();
    const tally = await es.create(Tally, { tallyId: 'a' });
    await tally.countTwice(3);
    expect(versionOf(tally)).toBe(2);
    expect(tally.total).toBe(6);
    expect((await es.load(Tally, { tallyId: 'a' })).total).toBe(6);
    const events = [];
    for await (const event of store.read({})) events.push(event);
    expect(events.map(({ stream, version, type, time }) => ({ stream, version, type, time }))).toEqual([
      { stream: 'Tally:a', version: 1, type: 'tally.counted', time: '2001-02-03T04:05:06.789Z' },
      { stream: 'Tally:a', version: 2, type: 'tally.counted', time: '2001-02-03T04:05:06.789Z' },
    ]);
    expect(events[0]?.data).toStrictEqual(createEvent(Counted, { tallyId: 'a', by: 3 }));
  });

  it('refreshes the instance first', async () => {
    const { es } = await openWallets();
    const [one, other] = [await es.loadOrCreate(Tally, { tallyId: 'a' }), await es.loadOrCreate(Tally, { tallyId: 'a' })];
    await one.count(4);
    await other.double();
    expect(other.steps).toEqual([4, 4]);
  });

  it('returns what its method resolves to', async () => {
    const { es } = await openWallets();
    expect(await (await es.loadOrCreate(Tally, { tallyId: 'a' })).look()).toBe(0);
  });

  it.each(['closed', 'open'] as const)('runs again after a lost race, on the state of the rival (%s)', async (kind) => {
    const { es, data } = await openWallets();
    const seen: number[] = [];
    const rivals = [1];
    const aggregate =
      kind === 'closed' ? await es.loadOrCreate(Tally, { tallyId: 'a' }) : await es.loadOrCreate(Wallet, { walletId: 'a' });
    const meanwhile = async () => {
      seen.push(aggregate instanceof Tally ? aggregate.total : aggregate.balance);
      if (rivals.pop() === undefined) return;
      if (kind === 'closed') await es.appendUnguarded('Tally:a', [createEvent(Counted, { tallyId: 'a', by: 7 })]);
      else await moveUnguarded(es, 'z', 'a', 7);
    };
    await (aggregate instanceof Tally ? aggregate.count(1, meanwhile) : aggregate.credit(1, meanwhile));
    expect(seen).toEqual([0, 7]);
    expect(await data()).toHaveLength(2);
    expect(aggregate instanceof Tally ? aggregate.steps : aggregate.movements).toEqual([7, 1]);
  });

  it('runs once when the rival is outside of its boundary', async () => {
    const { es } = await openWallets();
    const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
    let runs = 0;
    await wallet.credit(1, async () => {
      runs += 1;
      await moveUnguarded(es, 'y', 'z', 7);
    });
    expect(runs).toBe(1);
    expect(wallet.balance).toBe(1);
  });

  it.each(['closed', 'open'] as const)('gives up after five attempts, with the error of the last (%s)', async (kind) => {
    const { es, store } = await openWallets();
    let runs = 0;
    const isClosed = kind === 'closed';
    const rival = async () => {
      runs += 1;
      if (isClosed) await es.appendUnguarded('Tally:a', [createEvent(Counted, { tallyId: 'a', by: 10 })]);
      else await moveUnguarded(es, 'z', 'a', 10);
    };
    const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
    const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
    const error = await rejection(isClosed ? tally.count(1, rival) : wallet.credit(1, rival));
    expect(runs).toBe(5);
    expect(error).toBeInstanceOf(OptimisticLockError);
    if (isClosed)
      expect(error).toMatchObject({ type: 'Tally', ids: { tallyId: 'a' }, stream: 'Tally:a', expected: 4, actual: 5 });
    else expect(error).toMatchObject({ type: 'Wallet', ids: { walletId: 'a' }, stream: 'Wallet:a', actual: await store.head() });
    expect(await dataOf(store)).toHaveLength(5);
    await (isClosed ? tally.count(1) : wallet.credit(1));
    expect(isClosed ? tally.total : wallet.balance).toBe(51);
  });

  it('passes a domain error on unchanged, without another attempt', async () => {
    const { es, data } = await openWallets();
    const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
    let runs = 0;
    const thrown = new Refused('no');
    const error = await rejection(
      wallet.credit(1, () => {
        runs += 1;
        throw thrown;
      }),
    );
    expect(error).toBe(thrown);
    expect(runs).toBe(1);
    expect(await data()).toEqual([]);
  });

  it('does not take the lost race of an append in its body for its own', async () => {
    const { es } = await openWallets();
    const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
    let runs = 0;
    const error = await rejection(
      tally.count(1, async () => {
        runs += 1;
        await es.append('Tally:b', [createEvent(Counted, { tallyId: 'b', by: 1 })], { version: 7 });
      }),
    );
    expect(runs).toBe(1);
    expect(error).toMatchObject({ stream: 'Tally:b', expected: 7, actual: 0 });
  });

  it.each([undefined, null, 'text', 0])('passes on even %p when that is thrown', async (thrown) => {
    const { es, data } = await openWallets();
    const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
    await expect(tally.countAndRefuse(1, () => Promise.reject(thrown))).rejects.toBe(thrown);
    expect(await data()).toEqual([]);
    expect(tally.total).toBe(0);
  });

  it('stores nothing when it emits and then throws, and leaves the instance as it was', async () => {
    const { es, data } = await openWallets();
    const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
    await tally.count(1);
    await expect(tally.countAndRefuse(2)).rejects.toBeInstanceOf(Refused);
    expect(await data()).toHaveLength(1);
    expect({ ...tally }).toEqual({ tallyId: 'a', total: 1, steps: [1] });
    expect(versionOf(tally)).toBe(1);
    expect(uncommittedEvents(tally)).toEqual([]);
    await tally.count(3);
    expect(tally.steps).toEqual([1, 3]);
  });

  it('leaves an open instance as it was when it throws, though others have stored since', async () => {
    const { es } = await openWallets();
    const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
    await wallet.credit(1);
    await expect(wallet.creditAndRefuse(2, () => moveUnguarded(es, 'z', 'a', 10))).rejects.toBeInstanceOf(Refused);
    expect(wallet.movements).toEqual([1]);
    await wallet.credit(3);
    expect(wallet.movements).toEqual([1, 10, 3]);
  });

  it('that emits nothing appends nothing and wakes nobody', async () => {
    const { es, store } = await openWallets();
    const woken: unknown[] = [];
    store.appended().subscribe((position) => woken.push(position));
    const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
    await tally.look();
    expect(await store.head()).toBeUndefined();
    expect(woken).toEqual([]);
    expect(versionOf(tally)).toBe(0);
  });

  it('publishes nothing after a conflict', async () => {
    const { es, store } = await openWallets();
    const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
    let woken = 0;
    store.appended().subscribe(() => (woken += 1));
    const rival = () => es.appendUnguarded('Tally:a', [createEvent(Counted, { tallyId: 'a', by: 1 })]);
    await expect(es.transaction(() => tally.count(1, rival))).rejects.toBeInstanceOf(OptimisticLockError);
    expect(woken).toBe(1);
  });

  it.each([0, 1])('of two instances at version %i that both emit, the second loses', async (version) => {
    const { es, data } = await openWallets();
    const [one, other] = [await es.loadOrCreate(Tally, { tallyId: 'a' }), await es.loadOrCreate(Tally, { tallyId: 'a' })];
    if (version === 1) await one.count(100);
    const rival = () => es.append('Tally:a', [createEvent(Counted, { tallyId: 'a', by: 1 })], { version });
    const error = await rejection(es.transaction(() => other.count(2, rival)));
    expect(error).toBeInstanceOf(OptimisticLockError);
    expect(error).toMatchObject({ type: 'Tally', ids: { tallyId: 'a' }, expected: version, actual: version + 1 });
    expect(await data()).toHaveLength(version + 1);
  });

  it.each(['one instance', 'an instance each'])('of 200 at once on %s each stores its event', async (how) => {
    const { es, store } = await openWallets();
    const one = await es.loadOrCreate(Tally, { tallyId: 'a' });
    const tallies = await Promise.all(
      Array.from({ length: 200 }, () => (how === 'one instance' ? one : es.loadOrCreate(Tally, { tallyId: 'a' }))),
    );
    await Promise.all(tallies.map((tally) => tally.count(1)));
    const versions: number[] = [];
    for await (const { version } of store.read({ stream: 'Tally:a' })) versions.push(version);
    expect(versions).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect((await es.load(Tally, { tallyId: 'a' })).total).toBe(200);
  });

  it('lets 100 transfers at once between two wallets neither make nor lose money', async () => {
    const { es } = await openWallets();
    const a = await es.create(Wallet, { walletId: 'a' });
    const b = await es.create(Wallet, { walletId: 'b' });
    await Promise.all([a.credit(1_000), b.credit(1_000)]);
    await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 3 === 0 ? a.move('b', 7) : b.move('a', 5))));
    const [freshA, freshB] = [await es.load(Wallet, { walletId: 'a' }), await es.load(Wallet, { walletId: 'b' })];
    expect([freshA.balance, freshB.balance]).toEqual([1_000 - 34 * 7 + 66 * 5, 1_000 + 34 * 7 - 66 * 5]);
    expect([await a.look(), await b.look()]).toEqual([freshA.balance, freshB.balance]);
  });
});

describe('es.statsOf', () => {
  it('counts the events that the state is folded from, and the version of the own stream', async () => {
    const { es } = await openWallets();
    const a = await es.create(Wallet, { walletId: 'a' });
    await a.credit(5);
    await a.move('b', 1);
    await a.move('a', 1);
    expect(await es.statsOf(Wallet, { walletId: 'a' })).toEqual({ events: 3, version: 3, hasSnapshot: false });
    expect(await es.statsOf(Wallet, { walletId: 'b' })).toEqual({ events: 1, version: 0, hasSnapshot: false });
    expect(await es.statsOf(Wallet, { walletId: 'c' })).toEqual({ events: 0, version: 0, hasSnapshot: false });
  });
});

describe('es.stats', () => {
  it('counts the commands carried through, and no others', async () => {
    const { es } = await openWallets();
    const tally = await es.create(Tally, { tallyId: 'a' });
    await tally.count(1);
    await tally.look();
    await tally.countAndRefuse(1).catch(() => undefined);
    await es.transaction(async () => {
      await tally.count(1);
      await tally.count(1);
    });
    expect(es.stats()).toMatchObject({ commandsProcessed: 3, projectionsRunning: 0 });
  });
});

async function moveUnguarded(es: Awaited<ReturnType<typeof openWallets>>['es'], from: string, to: string, amount: number) {
  await es.appendUnguarded(`Wallet:${from}`, [createEvent(Moved, { from, to, amount })]);
}
