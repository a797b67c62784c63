import { AsyncTally, added, InlineTally, moved, type TallyState } from '../controls/tally';
import { promise, range } from './stores';

promise('Exactly once in the store: each event has been applied once, in every process', (trial) => {
  it.each<new () => TallyState>([AsyncTally, InlineTally])(
    'applies each event once, whoever appended it and whenever the process began: %p',
    async (target) => {
      const processes = [await trial.process(target), await trial.process(target)];
      for (const amount of range(60, 1)) {
        if (amount === 30) processes.push(await trial.process(target));
        await processes[amount % processes.length]?.appendUnguarded('s', [added('a', amount), moved('a', 'b', amount)]);
      }
      processes.push(await trial.process(target));
      for (const { projections } of processes) {
        await projections.caughtUp();
        expect((await projections.get(target, { id: 'a' }))?.seen).toStrictEqual(
          range(60, 1).flatMap((amount) => [amount, -amount]),
        );
        expect((await projections.get(target, { id: 'b' }))?.seen).toStrictEqual(range(60, 1));
      }
    },
  );

  it('gives a subscriber each event once, with the id by which a repeat would be known', async () => {
    const [one, two] = [await trial.process(AsyncTally), await trial.process(AsyncTally)];
    const seen: string[] = [];
    const all = new Promise<void>((done) =>
      two.events().subscribe(({ id }) => {
        seen.push(id);
        if (seen.length === 100) done();
      }),
    );
    await Promise.all(range(100).map((amount) => (amount % 2 ? one : two).appendUnguarded('s', [added('a', amount)])));
    await all;
    expect(new Set(seen).size).toBe(100);
    expect(seen).toStrictEqual((await trial.stored()).map(({ id }) => id));
  });
});
