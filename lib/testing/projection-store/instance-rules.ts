import { refusalOf } from '../event-store/steps';
import type { RuleBook } from './rule-book';
import type { Tally } from './tally';

/** Instances, each by itself. */
export function instanceRules({ describe, it, expect }: RuleBook): void {
  describe('an instance', () => {
    it('is not there before it is kept', async (scene) => {
      expect(await scene.load(['x'])).toStrictEqual({});
      const record = await scene.take();
      expect(await scene.load(['x'])).toStrictEqual({});
      await scene.keep(record, { to: scene.at(1), saved: [scene.made('y')] });
      expect(Object.keys(await scene.load(['x', 'y']))).toStrictEqual(['y']);
    });

    it('comes back as it was, an instance of its class', async (scene) => {
      await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', -7, 'naïve 漢字 🙂'), scene.made('y')] });
      const { x, y } = await scene.load(['x', 'y']);
      expect(x).toStrictEqual(scene.tally('x', -7, 'naïve 漢字 🙂'));
      expect(y).toStrictEqual(scene.tally('y'));
      expect(scene.definition.idOf(x as Tally)).toEqual(scene.id('x'));
    });

    it("is the caller's own when it is loaded", async (scene) => {
      await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1)] });
      const { x } = await scene.load(['x']);
      Object.assign(x as Tally, { total: 99 });
      for (const tally of (await scene.scanned()).flat()) tally.total = 99;
      expect(await scene.load(['x'])).toStrictEqual({ x: scene.tally('x', 1) });
    });

    it('may be changed after it was handed over', async (scene) => {
      const saved = scene.made('x', 1);
      await scene.keep(await scene.take(), { to: scene.at(1), saved: [saved] });
      (saved.state as Tally).total = 99;
      expect(await scene.load(['x'])).toStrictEqual({ x: scene.tally('x', 1) });
    });

    it('is removed, and may be made again', async (scene) => {
      let record = await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1), scene.made('y', 1)] });
      record = await scene.keep(record, { to: scene.at(2), removed: [scene.id('x'), scene.id('nobody')] });
      expect(await scene.totals()).toStrictEqual({ y: 1 });
      await scene.keep(record, { to: scene.at(3), saved: [scene.made('x', 3)] });
      expect(await scene.totals()).toStrictEqual({ x: 3, y: 1 });
    });

    it('is removed and made anew at once', async (scene) => {
      const record = await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1), scene.made('y', 1)] });
      await scene.keep(record, { to: scene.at(2), removed: [scene.id('x')], saved: [scene.made('x', 3)] });
      expect(await scene.totals()).toStrictEqual({ x: 3, y: 1 });
    });

    it('that is said to be new and is there already is kept, or refused with all the rest', async (scene) => {
      const record = await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1)] });
      const refusal = await refusalOf(scene.commit(record, { to: scene.at(2), saved: [scene.made('w', 2), scene.made('x', 2)] }));
      const isKept = refusal === 'nothing was refused';
      expect(await scene.totals()).toStrictEqual(isKept ? { w: 2, x: 2 } : { x: 1 });
      expect((await scene.recordOf(record)).checkpoint).toBe(scene.at(isKept ? 2 : 1));
      if (!isKept) expect(scene.place.isRefusal(refusal)).toBe(true);
    });

    it('is one in each generation', async (scene) => {
      await scene.keep(await scene.take('serving'), { to: scene.at(1), saved: [scene.made('x', 1)] });
      await scene.keep(await scene.take('building'), { to: scene.at(2), saved: [scene.made('x', 2), scene.made('y', 2)] });
      expect([await scene.totals('serving'), await scene.totals('building')]).toStrictEqual([{ x: 1 }, { x: 2, y: 2 }]);
      expect(await scene.load(['x', 'y'], 'serving')).toStrictEqual({ x: scene.tally('x', 1) });
      expect(Object.keys(await scene.load(['x', 'y'], 'building'))).toStrictEqual(['x', 'y']);
      expect(await scene.load(['x'], 'kept')).toStrictEqual({});
    });

    it('is seen by another process', async (scene) => {
      const other = await scene.another();
      if (other === undefined) return;
      await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1)] });
      expect(await scene.load(['x'], 'serving', other)).toStrictEqual({ x: scene.tally('x', 1) });
    });
  });

  describe('a scan', () => {
    it('gives nothing where there is nothing', async (scene) => {
      expect((await scene.scanned()).flat()).toStrictEqual([]);
      await scene.take();
      expect((await scene.scanned()).flat()).toStrictEqual([]);
      expect((await scene.scanned('kept')).flat()).toStrictEqual([]);
    });

    it('gives every instance once, in an order that stays the same', async (scene) => {
      const names = Array.from({ length: 2_500 }, (_, index) => `${index % 7}-${index}`);
      const record = await scene.keep(await scene.take(), { to: scene.at(1), saved: names.map((name) => scene.made(name, 1)) });
      const chunks = await scene.scanned();
      expect(chunks.every((chunk) => chunk.length > 0)).toBe(true);
      const order = chunks.flat().map(({ id }) => id);
      expect([...order].sort()).toStrictEqual([...names].sort());
      await scene.keep(record, { to: scene.at(2), saved: names.slice(0, 9).map((name) => scene.changed(name, 2)) });
      expect((await scene.scanned()).flat().map(({ id }) => id)).toStrictEqual(order);
    });

    it('gives instances of their class', async (scene) => {
      await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1, 'a note')] });
      expect((await scene.scanned()).flat()).toStrictEqual([scene.tally('x', 1, 'a note')]);
    });
  });
}
