import type { Class, EventSourcing } from 'eventfold';
import fc from 'fast-check';
import { AsyncTally, added, InlineTally, LiveTally, moved, type TallyState } from '../controls/tally';
import { promise } from './stores';

const targets: Class<TallyState>[] = [AsyncTally, InlineTally, LiveTally];

async function rebuiltOf(es: EventSourcing, target: Class): Promise<void> {
  await es.projections.rebuild(target);
}

promise('A rebuild equals the incremental result: a late or new process shows what one shows that was always there', (trial) => {
  it('for any events and any moment of registration, restart or rebuild', async () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const event = fc.oneof(
      fc.record({ id, amount: fc.nat(100) }).map((given) => added(given.id, given.amount)),
      fc.record({ from: id, to: id, amount: fc.nat(100) }).map((given) => moved(given.from, given.to, given.amount)),
    );
    const appends = fc.array(fc.array(event, { minLength: 1, maxLength: 4 }), { maxLength: 20 });
    const moments = fc.record({ late: fc.nat(20), restart: fc.nat(20), rebuild: fc.nat(20) });
    await fc.assert(
      fc.asyncProperty(appends, moments, fc.boolean(), async (appends, { late, restart, rebuild }, isAwaited) => {
        await trial.end();
        await trial.begin();
        const always = await trial.process(...targets);
        const processes = [always];
        const registering: Promise<void>[] = [];
        for (const [index, events] of appends.entries()) {
          if (index === late) {
            const es = await trial.process(LiveTally);
            processes.push(es);
            registering.push(es.projections.register(AsyncTally), es.projections.register(InlineTally));
            if (isAwaited) await Promise.all(registering);
          }
          if (index === rebuild) registering.push(rebuiltOf(always, AsyncTally), rebuiltOf(always, InlineTally));
          if (index === restart) processes.push(await trial.process(...targets));
          await always.appendUnguarded(`s${index % 3}`, events);
        }
        await Promise.all(registering);
        processes.push(await trial.process(...targets));
        const shown = [];
        for (const { projections } of processes) {
          await projections.caughtUp();
          const each = targets.map((target) => Promise.all(['a', 'b', 'c'].map((id) => projections.get(target, { id }))));
          shown.push((await Promise.all(each)).map((states) => states.map((state) => state && { ...state })));
        }
        for (const other of shown.slice(1)) expect(other).toStrictEqual(shown[0]);
      }),
      { numRuns: trial.isInMemory ? 80 : 10 },
    );
  });
});
