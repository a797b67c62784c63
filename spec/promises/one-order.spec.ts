import { EventSourcing } from 'eventfold';
import { firstValueFrom, take, toArray } from 'rxjs';
import { Added, AsyncTally, added } from '../controls/tally';
import { promise, range } from './stores';

promise('One order, no gaps to fall into: who has read a position never later finds an unseen event at or below it', (trial) => {
  it('shows a reader that polls while others append every event once, in growing positions', async () => {
    const store = await trial.store();
    const processes = [await trial.process(AsyncTally), await trial.process(AsyncTally)];
    const appending = Promise.all(
      range(200).map(async (amount) => {
        for (let turn = 0; turn < amount % 7; turn += 1) await Promise.resolve();
        await processes[amount % 2]?.appendUnguarded(`s${amount % 5}`, [added('a', amount), added('b', amount)]);
      }),
    );
    const seen: string[] = [];
    let isOver = false;
    const over = appending.then(() => {
      isOver = true;
    });
    let after: string | undefined;
    for (let isLast = false; !isLast; ) {
      isLast = isOver;
      for await (const { position, id } of store.read(after === undefined ? {} : { after: store.position(after) })) {
        if (after !== undefined) expect(store.compare(store.position(after), position)).toBeLessThan(0);
        after = position;
        seen.push(id);
      }
      await new Promise((turn) => setImmediate(turn));
    }
    await over;
    expect(seen).toStrictEqual((await trial.stored()).map(({ id }) => id));
    expect(seen).toHaveLength(400);
  });

  it('gives the versions of a stream and their positions the same order', async () => {
    const es = await trial.process(AsyncTally);
    await Promise.all(range(100).map((amount) => es.appendUnguarded(`s${amount % 3}`, [added('a', amount), added('a', amount)])));
    const versions = new Map<string, number>();
    for (const { stream, version } of await trial.stored()) {
      expect(version).toBe((versions.get(stream) ?? 0) + 1);
      versions.set(stream, version);
    }
  });

  it('shows all subscribers and projections, of all processes, one and the same order', async () => {
    const processes: EventSourcing[] = [
      await trial.process(AsyncTally),
      await trial.process(AsyncTally),
      await trial.process(AsyncTally),
    ];
    const seen = processes.map((es) => firstValueFrom(es.events({ types: [Added] }).pipe(take(90), toArray())));
    await Promise.all(range(90).map((amount) => processes[amount % 3]?.appendUnguarded(`s${amount % 4}`, [added('a', amount)])));
    const order = (await trial.stored()).map(({ data }) => (data as Added).amount);
    for (const [index, es] of processes.entries()) {
      await es.projections.caughtUp();
      expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual(order);
      expect((await seen[index])?.map(({ data }) => data.amount)).toStrictEqual(order);
    }
  });
});
