import type { Class } from 'eventfold';
import { Added, AsyncTally, added, FussyTally, InlineTally, Poisoned, poisoned, StrictInline } from '../controls/tally';
import { promise } from './stores';

promise('One failure, one instance: everything else moves on', (trial) => {
  it('parks the event for its instance, lets later ones of that instance wait, and applies all others', async () => {
    const es = await trial.process(FussyTally, AsyncTally, InlineTally);
    const { events } = await es.appendUnguarded('s', [added('a', 1), poisoned('a'), added('a', 2), added('b', 3), added('a', 4)]);
    await es.projections.caughtUp();
    expect(await es.projections.parked()).toMatchObject([
      { projection: 'FussyTally', ids: { id: 'a' }, event: { id: events[1]?.id }, attempts: 1, waiting: 2 },
    ]);
    expect((await es.projections.get(FussyTally, { id: 'a' }))?.seen).toStrictEqual([1]);
    expect((await es.projections.get(FussyTally, { id: 'b' }))?.seen).toStrictEqual([3]);
    for (const target of [AsyncTally, InlineTally] as Class<AsyncTally>[])
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 2, 4]);
  });

  it('can list, retry and skip the event; what waited is applied in order', async () => {
    const es = await trial.process(FussyTally);
    await es.appendUnguarded('s', [poisoned('a'), added('a', 1), poisoned('a'), added('a', 2)]);
    await es.projections.caughtUp();
    await es.projections.retry(FussyTally, { id: 'a' });
    expect(await es.projections.parked(FussyTally)).toMatchObject([{ attempts: 2, waiting: 3 }]);
    await es.projections.skip(FussyTally, { id: 'a' });
    expect((await es.projections.get(FussyTally, { id: 'a' }))?.seen).toStrictEqual([1]);
    await es.projections.skip(FussyTally, { id: 'a' });
    expect((await es.projections.get(FussyTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    expect(await es.projections.parked()).toStrictEqual([]);
  });

  it('outlives the process', async () => {
    const es = await trial.process(FussyTally);
    await es.appendUnguarded('s', [added('a', 1), poisoned('a'), added('a', 2), added('b', 3)]);
    await es.projections.caughtUp();
    const [parked] = await es.projections.parked();
    await es.projections.stop();
    const next = await trial.process(FussyTally);
    await next.appendUnguarded('s', [added('a', 4)]);
    await next.projections.caughtUp();
    expect(await next.projections.parked()).toMatchObject([
      { event: { id: parked?.event.id }, attempts: 1, firstFailedAt: parked?.firstFailedAt, waiting: 2 },
    ]);
    await next.projections.skip(FussyTally, { id: 'a' });
    expect((await es.projections.get(FussyTally, { id: 'a' }))?.seen).toStrictEqual([1, 2, 4]);
  });

  it('stops a rebuild, which names the event; what serves goes on', async () => {
    const es = await trial.process(FussyTally);
    const { events } = await es.appendUnguarded('s', [added('a', 1), poisoned('a'), added('b', 3)]);
    await es.projections.caughtUp();
    await expect(es.projections.rebuild(FussyTally)).rejects.toMatchObject({
      code: 'REBUILD_FAILED',
      eventId: events[1]?.id,
      position: events[1]?.position,
      ids: { id: 'a' },
    });
    await es.appendUnguarded('s', [added('b', 4)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(FussyTally, { id: 'b' }))?.seen).toStrictEqual([3, 4]);
    expect(await es.projections.parked()).toHaveLength(1);
  });

  it('never reaches the caller of append, whose events stay stored; only an inline projection refuses them', async () => {
    const es = await trial.process(FussyTally);
    await es.appendUnguarded('s', [poisoned('a')]);
    await es.projections.caughtUp();
    await es.appendUnguarded('s', [added('a', 1)]);
    const strict = await trial.process(Added, Poisoned);
    await strict.projections.register(StrictInline);
    await expect(strict.appendUnguarded('s', [poisoned('b')])).rejects.toMatchObject({ code: 'PROJECTION', ids: { id: 'b' } });
    expect(await trial.stored()).toHaveLength(2);
  });
});
