import { OptimisticLockError } from 'eventfold';
import { openWallets, signal, Tally } from '../controls/wallets';

async function tallies<Names extends string>(...names: Names[]) {
  const { es, data } = await openWallets();
  const made = await Promise.all(names.map(async (tallyId) => [tallyId, await es.loadOrCreate(Tally, { tallyId })] as const));
  return { es, data, ...(Object.fromEntries(made) as Record<Names, Tally>) };
}

describe('the commands of one instance', () => {
  it('queue up in the order they were called', async () => {
    const { a, data } = await tallies('a');
    await Promise.all([1, 2, 3, 4, 5].map((by) => a.count(by, () => Promise.resolve())));
    expect(await data()).toEqual([1, 2, 3, 4, 5].map((by) => ({ tallyId: 'a', by })));
  });

  it('go on after one of them failed', async () => {
    const { a } = await tallies('a');
    const results = await Promise.allSettled([a.count(1), a.countAndRefuse(2), a.count(3), a.countAndRefuse(4), a.count(5)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(a.steps).toEqual([1, 3, 5]);
  });
});

describe('two transactions that use two instances in opposite order', () => {
  it('both end: one of them loses, and may be tried again', async () => {
    const { es, a, b } = await tallies('a', 'b');
    const [first, second] = [signal(), signal()];
    let runs = 0;
    const results = await Promise.allSettled([
      es.transaction(async () => {
        await a.count(1);
        first.give();
        await second.promise;
        await b.count(1);
      }),
      es.transaction(
        async () => {
          runs += 1;
          await b.count(10);
          second.give();
          await first.promise;
          await a.count(10);
        },
        { attempts: 5 },
      ),
    ]);
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    for (const error of lost) expect(error).toBeInstanceOf(OptimisticLockError);
    expect(runs + lost.length).toBe(2);
    const expected = lost.length === 0 ? 11 : 10;
    expect([await a.look(), await b.look()]).toEqual([expected, expected]);
  });

  it('end also when one of them waits for several at once', async () => {
    const { es, a, b, c } = await tallies('a', 'b', 'c');
    const [hasA, go] = [signal(), signal()];
    const both = es.transaction(async () => {
      await a.count(1);
      hasA.give();
      await go.promise;
      await Promise.all([b.count(1), c.count(1)]);
    });
    await hasA.promise;
    const short = b.count(10, async () => {
      go.give();
      await turns();
    });
    const other = es.transaction(async () => {
      await c.count(100);
      await short;
      await turns();
      await a.count(100);
    });
    const results = await Promise.allSettled([both, short, other]);
    const rejected = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toBeInstanceOf(OptimisticLockError);
    const isOther = results[2]?.status === 'rejected';
    expect([await a.look(), await b.look(), await c.look()]).toEqual(isOther ? [1, 11, 1] : [100, 10, 100]);
  });

  it('end also when the one waits in a queue behind the other', async () => {
    const { es, x, y } = await tallies('x', 'y');
    const [hasY, go] = [signal(), signal()];
    const holder = x.count(1, () => go.promise);
    const one = es.transaction(async () => {
      await y.count(10);
      hasY.give();
      await turns();
      await x.count(10);
    });
    await hasY.promise;
    const two = es.transaction(() => Promise.all([x.count(100), y.count(100)]));
    const all = Promise.allSettled([holder, one, two]);
    await turns();
    await turns();
    go.give();
    const results = await all;
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    const isOne = results[1]?.status === 'rejected';
    expect([await x.look(), await y.look()]).toEqual(isOne ? [101, 100] : [11, 10]);
  });
});

/** Lets everything that can run now run, without a clock. */
async function turns() {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
