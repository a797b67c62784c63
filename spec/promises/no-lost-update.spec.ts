import { OptimisticLockError } from 'eventfold';
import fc from 'fast-check';
import { Credited, Moved, Tally, Wallet } from '../controls/wallets';
import { promise, range } from './stores';

promise('No lost update: of two appends that saw the same state, at most one commits', (trial) => {
  it('lets one of many appends at the same version of a stream commit', async () => {
    const stores = await Promise.all([trial.store(), trial.store()]);
    const outcomes = await Promise.allSettled(
      range(50).map((index) =>
        stores[index % 2]?.append([{ stream: 's', guard: { version: 0 }, events: [{ type: 'a', data: { index } }] }]),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OptimisticLockError);
    expect(await trial.stored()).toHaveLength(1);
  });

  it('lets one of many appends on the same boundary commit, though they go to streams of their own', async () => {
    const store = await trial.store();
    const criteria = [{ types: ['a'], tags: ['room:1'] }];
    const outcomes = await Promise.allSettled(
      range(50).map((index) =>
        store.append([
          {
            stream: `s${index}`,
            guard: { condition: { criteria, after: undefined } },
            events: [{ type: 'a', data: {}, tags: ['room:1'] }],
          },
        ]),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await trial.stored()).toHaveLength(1);
  });

  it('loses no count, whatever two processes count at the same time', async () => {
    const [one, two] = [await trial.process(Tally, Wallet), await trial.process(Tally, Wallet)];
    const tallies = await Promise.all([one, two, one, two].map((es) => es.loadOrCreate(Tally, { tallyId: 't' })));
    const outcomes = await Promise.allSettled(range(40).map((index) => tallies[index % 4]?.count(1)));
    const counted = outcomes.filter(({ status }) => status === 'fulfilled').length;
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OptimisticLockError);
    expect(counted).toBeGreaterThan(0);
    expect((await one.load(Tally, { tallyId: 't' })).total).toBe(counted);
    expect((await trial.stored()).map(({ version }) => version)).toStrictEqual(range(counted, 1));
  });

  it('never lets a wallet give what it does not hold, in any interleaving', async () => {
    const move = fc.record({
      process: fc.nat(1),
      from: fc.nat(2),
      to: fc.nat(2),
      amount: fc.integer({ min: 1, max: 60 }),
      turns: fc.nat(6),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 20 }), async (moves) => {
        await trial.end();
        await trial.begin();
        const processes = [await trial.process(Wallet, Tally), await trial.process(Wallet, Tally)];
        for (const index of range(3)) {
          const [es] = processes;
          await (await es?.create(Wallet, { walletId: `w${index}` }))?.credit(50);
        }
        await Promise.allSettled(
          moves.map(async ({ process, from, to, amount, turns }) => {
            const wallet = await processes[process]?.load(Wallet, { walletId: `w${from}` });
            await wallet?.move(`w${to}`, amount, async () => {
              for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            });
          }),
        );
        const balances = new Map<string, number>();
        const change = (id: string, amount: number) => balances.set(id, (balances.get(id) ?? 0) + amount);
        for (const { type, data } of await trial.stored()) {
          if (type === 'wallet.credited') change((data as Credited).walletId, (data as Credited).amount);
          else {
            const { from, to, amount } = data as Moved;
            expect(balances.get(from)).toBeGreaterThanOrEqual(amount);
            change(from, -amount);
            change(to, amount);
          }
        }
      }),
      { numRuns: trial.isInMemory ? 60 : 25 },
    );
  });
});
