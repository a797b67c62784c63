import type { Observable } from 'rxjs';
import { append, noted } from '../event-store/steps';
import type { RuleBook } from './rule-book';
import { eventually, type Scene } from './scene';

/** How far projections are, and who hears of it. */
export function progressRules({ describe, it, expect }: RuleBook): void {
  describe('behind', () => {
    it('counts the events of types after a position, and tells when the first was recorded', async (scene) => {
      const [one, two] = [new Date(1), new Date(2)];
      await append(scene.store, 'b', [
        noted('b', { type: 'other', time: one }),
        noted('b', { type: 'third', time: two }),
        noted('b', { type: 'other' }),
      ]);
      const { place } = scene;
      expect(await place.behind(['noted'], undefined)).toEqual({ events: 9, since: scene.event(1).time });
      expect(await place.behind(['noted'], scene.at(4))).toEqual({ events: 5, since: scene.event(5).time });
      expect(await place.behind(['noted', 'other'], scene.at(7))).toEqual({ events: 4, since: scene.event(8).time });
      expect(await place.behind(['other', 'third'], scene.at(9))).toEqual({ events: 3, since: one.toISOString() });
      expect(await place.behind(['third'], scene.at(9))).toEqual({ events: 1, since: two.toISOString() });
    });

    it('is nothing at the end, and without types', async ({ place, store }) => {
      const nothing = { events: 0, since: undefined };
      expect(await place.behind(['noted'], await store.head())).toEqual(nothing);
      expect(await place.behind(['unheard of'], undefined)).toEqual(nothing);
      expect(await place.behind([], undefined)).toEqual(nothing);
    });
  });

  describe('progress', () => {
    it('is told once changes are kept', async (scene) => {
      const record = await scene.take();
      const looks: Promise<Record<string, number>>[] = [];
      const heard = listen(scene.place.progressed(), () => looks.push(scene.totals()));
      await heard.settled(scene);
      await scene.keep(record, { to: scene.at(1), saved: [scene.made('x', 1)] });
      await eventually(async () => (await Promise.all(looks)).find(({ x }) => x === 1));
      expect(isAbout(heard.names, 'Tallies')).toBe(true);
      heard.stop();
    });

    it('is told to each of several', async (scene) => {
      const record = await scene.take();
      const heard = [listen(scene.place.progressed()), listen(scene.place.progressed())];
      for (const each of heard) await each.settled(scene);
      await scene.keep(record, { to: scene.at(1) });
      await eventually(async () => (heard.every(({ names }) => names.length > 0) ? true : undefined));
      for (const { stop } of heard) stop();
    });

    it('is told after a transaction, an append and a promotion', async (scene) => {
      let record = await scene.take();
      const heard = listen(scene.place.progressed());
      await heard.settled(scene);
      const isTold = () => eventually(async () => (heard.names.splice(0).length > 0 ? true : undefined));
      await scene.place.transact(scene.definition, record, async () => scene.changes(record, { to: scene.at(9) }));
      await isTold();
      record = await scene.recordOf(record);
      await scene.store.append([{ stream: 'b', events: [noted()], guard: { version: 'any' } }], async (events, transaction) => {
        const to = events[0]?.position as NonNullable<typeof record.checkpoint>;
        await scene.place.inline(transaction).advance([record], transaction.previous, to);
      });
      await isTold();
      const building = await scene.take('building');
      heard.names.splice(0);
      await scene.place.promote(scene.definition, building, await scene.recordOf(record));
      await isTold();
      heard.stop();
    });

    it('is told to another process', async (scene) => {
      const other = await scene.another();
      if (other === undefined) return;
      const record = await scene.take();
      const heard = listen(other.progressed());
      let checkpoint = 0;
      // Who has only begun to listen may miss one.
      await eventually(async () => {
        checkpoint += 1;
        if (heard.names.length === 0)
          await scene.keep(await scene.recordOf(record), { to: scene.at(1), saved: [scene.changed('x', checkpoint)] });
        return heard.names.length > 0 ? true : undefined;
      });
      expect(isAbout(heard.names, 'Tallies')).toBe(true);
      heard.stop();
    });
  });
}

/** A listener that keeps what it hears. */
function listen(progress: Observable<string | undefined>, then: () => void = () => undefined) {
  const names: (string | undefined)[] = [];
  const subscription = progress.subscribe((name) => {
    names.push(name);
    then();
  });
  return {
    names,
    stop: () => subscription.unsubscribe(),
    /** Waits until a call has gone to the place and back, and forgets what was heard before. */
    settled: async ({ place }: Scene) => {
      await place.records();
      names.splice(0);
    },
  };
}

function isAbout(names: readonly (string | undefined)[], projection: string): boolean {
  return names.some((name) => name === undefined || name === projection);
}
