import { Handles, Projection, ProjectionId } from 'eventfold';
import { Added, AsyncTally, added, InlineTally, LiveTally, type TallyState } from '../controls/tally';
import { promise, range } from './stores';

@Projection()
class Slow {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  async added(event: Added) {
    if (event.amount % 500 === 0) await new Promise((turn) => setImmediate(turn));
    this.seen.push(event.amount);
  }
}

promise('The default loses nothing: no default drops, reorders or forgets data silently', (trial) => {
  const count = 2_000;

  it.each<new () => TallyState | Slow>([AsyncTally, InlineTally, LiveTally, Slow])(
    'keeps a projection complete and in order through far more events than it can hold: %p',
    async (target) => {
      const es = await trial.process(target);
      const half = count / 2;
      await es.appendUnguarded(
        's',
        range(half).map((amount) => added('a', amount)),
      );
      for (const from of range(count / 200))
        await es.appendUnguarded(
          `s${from % 3}`,
          range(100, half + from * 100).map((amount) => added('a', amount)),
        );
      await es.projections.caughtUp(target, { timeoutMs: 30_000 });
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual(range(count));
    },
    60_000,
  );

  it('keeps everything for a loop that is slow, and for one that begins late', async () => {
    const es = await trial.process(Added);
    await es.appendUnguarded(
      's',
      range(count).map((amount) => added('a', amount)),
    );
    for (const pause of [500, count]) {
      const seen: number[] = [];
      for await (const { data } of es.events({ types: [Added] })) {
        seen.push(data.amount);
        if (seen.length % pause === 0) await new Promise((turn) => setImmediate(turn));
        if (seen.length === count) break;
      }
      expect(seen).toStrictEqual(range(count));
    }
  });

  it('reads any number of events in one call', async () => {
    const es = await trial.process(Added);
    await es.appendUnguarded(
      's',
      range(count).map((amount) => added('a', amount)),
    );
    expect((await trial.stored()).map(({ data }) => (data as Added).amount)).toStrictEqual(range(count));
  });
});
