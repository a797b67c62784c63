import {
  AggregateNotFoundError,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  OptimisticLockError,
  Projection,
  ProjectionId,
  uncommittedEvents,
  versionOf,
} from 'eventfold';
import fc from 'fast-check';
import { AsyncTally, Added as TallyAdded } from '../controls/tally';
import { Counted, Moved, Refused, rejection, Tally, Wallet } from '../controls/wallets';
import { promise, range } from '../promises/stores';

@Event('noticed')
class Noticed {
  tallyId!: string;
  by!: number;
}

/** Records, in the append's own transaction, what was counted. */
let recordNotice: (notice: Noticed) => Promise<unknown>;

@Projection({ mode: 'inline' })
class Notices {
  @ProjectionId() tallyId!: string;
  noticed: number[] = [];

  @Handles(Counted)
  async counted({ tallyId, by }: Counted) {
    await recordNotice(createEvent(Noticed, { tallyId, by }));
  }

  @Handles(Noticed)
  saw({ by }: Noticed) {
    if (by < 0) throw new Refused('nothing is below nothing');
    this.noticed.push(by);
  }
}

/** Of several that race, one may lose all of its attempts. */
const isExpected = (error: unknown) => error instanceof Refused || error instanceof OptimisticLockError;

promise('Aggregates and commands', (trial) => {
  const wallets = () => trial.process(Wallet, Tally);
  const count = (es: EventSourcing, by: number) =>
    es.appendUnguarded(es.streamOf(Tally, { tallyId: 'a' }), [createEvent(Counted, { tallyId: 'a', by })]);
  const move = (es: EventSourcing, from: string, to: string, amount: number) =>
    es.appendUnguarded(es.streamOf(Wallet, { walletId: from }), [createEvent(Moved, { from, to, amount })]);

  describe('a command', () => {
    it('stores its events, raises the version, and shows in a fresh load of another process', async () => {
      const [es, other] = [await wallets(), await wallets()];
      const tally = await es.create(Tally, { tallyId: 'a' });
      await tally.countTwice(3);
      expect([versionOf(tally), tally.total]).toStrictEqual([2, 6]);
      const fresh = await other.load(Tally, { tallyId: 'a' });
      expect([versionOf(fresh), fresh.total]).toStrictEqual([2, 6]);
      const stored = await trial.stored();
      expect(stored.map(({ stream, version, type }) => [stream, version, type])).toStrictEqual([
        ['Tally:a', 1, 'tally.counted'],
        ['Tally:a', 2, 'tally.counted'],
      ]);
    });

    it.each(['closed', 'open'] as const)(
      'runs again after a race lost to another process, on the new state (%s)',
      async (kind) => {
        const [es, rival] = [await wallets(), await wallets()];
        const aggregate = await (kind === 'closed'
          ? es.loadOrCreate(Tally, { tallyId: 'a' })
          : es.loadOrCreate(Wallet, { walletId: 'a' }));
        const seen: number[] = [];
        const meanwhile = async () => {
          seen.push(aggregate instanceof Tally ? aggregate.total : aggregate.balance);
          if (seen.length === 1) await (kind === 'closed' ? count(rival, 7) : move(rival, 'z', 'a', 7));
        };
        await (aggregate instanceof Tally ? aggregate.count(1, meanwhile) : aggregate.credit(1, meanwhile));
        expect(seen).toStrictEqual([0, 7]);
        expect(aggregate instanceof Tally ? aggregate.steps : aggregate.movements).toStrictEqual([7, 1]);
        expect(await trial.stored()).toHaveLength(2);
      },
    );

    it.each(['closed', 'open'] as const)('gives up after five attempts, and says what it lost (%s)', async (kind) => {
      const [es, rival] = [await wallets(), await wallets()];
      let runs = 0;
      const rivalry = () => {
        runs += 1;
        return kind === 'closed' ? count(rival, 10) : move(rival, 'z', 'a', 10);
      };
      const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
      const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
      const error = await rejection(kind === 'closed' ? tally.count(1, rivalry) : wallet.credit(1, rivalry));
      expect(runs).toBe(5);
      expect(error).toBeInstanceOf(OptimisticLockError);
      const stored = await trial.stored();
      expect(stored).toHaveLength(5);
      if (kind === 'closed') expect(error).toMatchObject({ type: 'Tally', ids: { tallyId: 'a' }, expected: 4, actual: 5 });
      else expect(error).toMatchObject({ type: 'Wallet', ids: { walletId: 'a' }, actual: stored.at(-1)?.position });
      await (kind === 'closed' ? tally.count(1) : wallet.credit(1));
      expect(kind === 'closed' ? tally.total : wallet.balance).toBe(51);
    });

    it('runs once when a rival is outside of its boundary', async () => {
      const [es, rival] = [await wallets(), await wallets()];
      const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
      let runs = 0;
      await wallet.credit(1, () => {
        runs += 1;
        return move(rival, 'y', 'z', 7);
      });
      expect([runs, wallet.balance]).toStrictEqual([1, 1]);
    });

    it.each([0, 1])('of two instances at version %i that both emit, the second loses', async (version) => {
      const [es, rival] = [await wallets(), await wallets()];
      const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
      if (version === 1) await tally.count(100);
      const error = await rejection(es.transaction(() => tally.count(2, () => count(rival, 1))));
      expect(error).toBeInstanceOf(OptimisticLockError);
      expect(error).toMatchObject({ type: 'Tally', ids: { tallyId: 'a' }, expected: version, actual: version + 1 });
      expect(await trial.stored()).toHaveLength(version + 1);
    });

    it('stores nothing when it emits and then throws, and leaves the instance as it was', async () => {
      const es = await wallets();
      const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
      await tally.count(1);
      await expect(tally.countAndRefuse(2)).rejects.toBeInstanceOf(Refused);
      expect(await trial.stored()).toHaveLength(1);
      expect({ ...tally }).toStrictEqual({ tallyId: 'a', total: 1, steps: [1] });
      expect([versionOf(tally), uncommittedEvents(tally)]).toStrictEqual([1, []]);
      await tally.count(3);
      expect(tally.steps).toStrictEqual([1, 3]);
    });

    it('leaves an open instance as it was when it throws, though others have stored since', async () => {
      const [es, rival] = [await wallets(), await wallets()];
      const wallet = await es.loadOrCreate(Wallet, { walletId: 'a' });
      await wallet.credit(1);
      await expect(wallet.creditAndRefuse(2, () => move(rival, 'z', 'a', 10))).rejects.toBeInstanceOf(Refused);
      expect(wallet.movements).toStrictEqual([1]);
      await wallet.credit(3);
      expect(wallet.movements).toStrictEqual([1, 10, 3]);
    });

    it('that emits nothing appends nothing and wakes nobody; after a conflict nothing is published', async () => {
      const store = await trial.store();
      const woken: unknown[] = [];
      const listening = store.appended().subscribe((position) => woken.push(position));
      const es = await EventSourcing.open({ store, classes: [Wallet, Tally] });
      const tally = await es.loadOrCreate(Tally, { tallyId: 'a' });
      await tally.look();
      expect([woken, await store.head()]).toStrictEqual([[], undefined]);
      const lost = es.transaction(() => tally.count(1, () => count(es, 1)));
      await expect(lost).rejects.toBeInstanceOf(OptimisticLockError);
      const [event, ...more] = await trial.stored();
      expect([...new Set(woken), ...more]).toStrictEqual([event?.position]);
      listening.unsubscribe();
      await es.close();
    });

    it('of 200 at once, in two processes, each stores its event', async () => {
      const processes = [await wallets(), await wallets()];
      for (const shared of [true, false]) {
        const ids = { tallyId: shared ? 'one' : 'each' };
        const ones = await Promise.all(processes.map((es) => es.loadOrCreate(Tally, ids)));
        // One process at a time, as five attempts do not win every race of two.
        for (const [index, es] of processes.entries()) {
          const tallies = await Promise.all(range(100).map(() => (shared ? ones[index] : es.loadOrCreate(Tally, ids))));
          await Promise.all(tallies.map((tally) => tally?.count(1)));
        }
        const versions = [];
        for await (const { version } of (await trial.store()).read({ stream: `Tally:${ids.tallyId}` })) versions.push(version);
        expect(versions).toStrictEqual(range(200, 1));
        for (const es of processes) expect((await es.load(Tally, ids)).total).toBe(200);
      }
    });

    it('lets 100 transfers at once between two wallets neither make nor lose money', async () => {
      const es = await wallets();
      const [a, b] = [await es.create(Wallet, { walletId: 'a' }), await es.create(Wallet, { walletId: 'b' })];
      await Promise.all([a.credit(1_000), b.credit(1_000)]);
      // Two that take turns at winning may lose five times in a row.
      const insist = (transfer: () => Promise<void>): Promise<void> =>
        transfer().catch((error) => {
          if (error instanceof OptimisticLockError) return insist(transfer);
          throw error;
        });
      await Promise.all(range(100).map((n) => insist(() => (n % 3 === 0 ? a.move('b', 7) : b.move('a', 5)))));
      const fresh = [await es.load(Wallet, { walletId: 'a' }), await es.load(Wallet, { walletId: 'b' })];
      expect(fresh.map(({ balance }) => balance)).toStrictEqual([1_000 - 34 * 7 + 66 * 5, 1_000 + 34 * 7 - 66 * 5]);
    });
  });

  describe('loading', () => {
    it('refuses an instance without events, and finds one whose state is back at its initial value', async () => {
      const es = await wallets();
      expect(await rejection(es.load(Tally, { tallyId: 'a' }))).toBeInstanceOf(AggregateNotFoundError);
      const tally = await es.create(Tally, { tallyId: 'a' });
      await tally.count(5);
      await tally.count(-5);
      expect(await es.load(Tally, { tallyId: 'a' })).toMatchObject({ total: 0, steps: [5, -5] });
    });

    it('finds an open instance that owns no stream but is named by an event of another', async () => {
      const es = await wallets();
      const a = await es.create(Wallet, { walletId: 'a' });
      await a.credit(5);
      await a.move('b', 2);
      const b = await es.load(Wallet, { walletId: 'b' });
      expect([b.balance, versionOf(b)]).toStrictEqual([2, 0]);
    });

    it('keeps ids apart that differ in case, in a space or in an accent', async () => {
      const es = await wallets();
      const ids = ['a', 'A', 'a ', ' a', 'ä', 'a\u0308', 'ａ', "a'", 'a"', 'a\\', 'a:b', 'a%', '😀'];
      for (const [index, id] of ids.entries()) {
        await (await es.create(Tally, { tallyId: id })).count(index);
        await (await es.create(Wallet, { walletId: id })).credit(index);
      }
      for (const [index, id] of ids.entries()) {
        expect((await es.load(Tally, { tallyId: id })).steps).toStrictEqual([index]);
        expect((await es.load(Wallet, { walletId: id })).movements).toStrictEqual([index]);
      }
    });

    it('loads any number of events completely, and counts them', async () => {
      const es = await wallets();
      const many = 5_000;
      const events = range(many).map(() => createEvent(Counted, { tallyId: 'a', by: 1 }));
      await es.append(es.streamOf(Tally, { tallyId: 'a' }), events, { version: 'none' });
      const moves = range(many).map((n) => createEvent(Moved, { from: n % 2 ? 'a' : 'b', to: n % 2 ? 'b' : 'a', amount: 1 }));
      await es.appendUnguarded('moves', moves);
      expect((await es.load(Tally, { tallyId: 'a' })).total).toBe(many);
      const wallet = await es.load(Wallet, { walletId: 'a' });
      expect([wallet.balance, wallet.movements.length]).toStrictEqual([0, many]);
      expect(await es.statsOf(Tally, { tallyId: 'a' })).toMatchObject({ events: many, version: many });
      expect(await es.statsOf(Wallet, { walletId: 'a' })).toMatchObject({ events: many, version: 0 });
      expect(await es.statsOf(Wallet, { walletId: 'nobody' })).toMatchObject({ events: 0, version: 0 });
    });
  });

  it('an empty append is a no-op: no projection and no subscriber hears of it', async () => {
    const es = await trial.process(AsyncTally);
    const heard: unknown[] = [];
    es.events({ types: [TallyAdded] }).subscribe((event) => heard.push(event));
    expect(await es.appendUnguarded('s', [])).toStrictEqual({ events: [], position: undefined });
    await es.projections.caughtUp();
    expect([heard, await trial.stored()]).toStrictEqual([[], []]);
  });

  it('an inline projection that appends a derived event does so in the same transaction, without waiting for itself', async () => {
    const es = await trial.process(Tally, Wallet, Notices);
    recordNotice = (notice) => es.appendUnguarded('notices', [notice]);
    const tally = await es.create(Tally, { tallyId: 'a' });
    await tally.count(1);
    await Promise.all(range(5, 2).map((by) => tally.count(by)));
    const stored = await trial.stored();
    expect(stored.map(({ stream, version }) => `${stream} ${version}`)).toStrictEqual(
      range(6, 1).flatMap((version) => [`Tally:a ${version}`, `notices ${version}`]),
    );
    expect((await es.projections.get(Notices, { tallyId: 'a' }))?.noticed).toStrictEqual(range(6, 1));
    await expect(tally.count(-1)).rejects.toThrow();
    expect(await trial.stored()).toHaveLength(12);
    expect(tally.total).toBe(21);
  });

  it('any history of commands in several processes leaves what those that succeeded add up to', async () => {
    const step = fc.record({
      process: fc.nat(1),
      id: fc.constantFrom('a', 'b'),
      by: fc.integer({ min: -5, max: 9 }),
      kind: fc.constantFrom('count', 'countTwice', 'countAndRefuse', 'credit', 'move', 'creditAndRefuse', 'together'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), async (rounds) => {
        await trial.end();
        await trial.begin();
        const processes = [await wallets(), await wallets()];
        const totals = new Map<string, number>();
        const change = (key: string, by: number) => totals.set(key, (totals.get(key) ?? 0) + by);
        const run = async ({ process, id, by, kind }: (typeof rounds)[number][number]) => {
          const es = processes[process] as EventSourcing;
          const tally = await es.loadOrCreate(Tally, { tallyId: id });
          const wallet = await es.loadOrCreate(Wallet, { walletId: id });
          if (kind === 'count' || kind === 'countTwice') {
            await tally[kind](by);
            change(`tally ${id}`, kind === 'count' ? by : 2 * by);
          } else if (kind === 'credit') {
            await wallet.credit(by);
            change(`wallet ${id}`, by);
          } else if (kind === 'move') {
            await wallet.move('b', by);
            change(`wallet ${id}`, -by);
            change('wallet b', by);
          } else if (kind === 'together') {
            await es.transaction(() => tally.count(by).then(() => wallet.credit(by)), { attempts: 5 });
            change(`tally ${id}`, by);
            change(`wallet ${id}`, by);
          } else await (kind === 'countAndRefuse' ? tally.countAndRefuse(by) : wallet.creditAndRefuse(by));
        };
        for (const round of rounds) {
          for (const outcome of await Promise.allSettled(round.map(run)))
            if (outcome.status === 'rejected' && !isExpected(outcome.reason)) throw outcome.reason;
        }
        for (const es of processes) {
          for (const id of ['a', 'b']) {
            expect((await es.loadOrCreate(Tally, { tallyId: id })).total).toBe(totals.get(`tally ${id}`) ?? 0);
            expect((await es.loadOrCreate(Wallet, { walletId: id })).balance).toBe(totals.get(`wallet ${id}`) ?? 0);
          }
        }
      }),
      { numRuns: trial.isInMemory ? 100 : 15 },
    );
  });
});
