import { refusalOf } from '../event-store/steps';
import type { RuleBook } from './rule-book';
import { failure } from './scene';

/** Changes that are kept together, or not at all. */
export function commitRules({ describe, it, expect }: RuleBook): void {
  describe('a commit', () => {
    it('keeps instances, queues and the checkpoint', async (scene) => {
      const record = await scene.take();
      const changes = {
        to: scene.at(4),
        saved: [scene.made('x', 1), scene.made('y', 2)],
        queued: [scene.failed('z', 3)],
        eventsPerSecond: 1234.5,
      };
      expect(await scene.commit(record, changes)).toBe(true);
      expect(await scene.recordOf(record)).toEqual({ ...record, checkpoint: scene.at(4), eventsPerSecond: 1234.5 });
      expect(await scene.totals()).toStrictEqual({ x: 1, y: 2 });
      expect((await scene.place.blocked(record)).map(({ key }) => key)).toStrictEqual(['z']);
    });

    it('goes on from the one before it', async (scene) => {
      let record = await scene.take();
      record = await scene.keep(record, { to: scene.at(1), saved: [scene.made('x', 1), scene.made('y', 1)] });
      record = await scene.keep(record, { to: scene.at(2), saved: [scene.changed('x', 2)] });
      record = await scene.keep(record, { to: scene.at(3), saved: [scene.made('z', 3)], removed: [scene.id('y')] });
      expect(record.checkpoint).toBe(scene.at(3));
      expect(await scene.totals()).toStrictEqual({ x: 2, z: 3 });
    });

    it('moves a checkpoint alone', async (scene) => {
      const record = await scene.take();
      expect((await scene.keep(record, { to: scene.at(7) })).checkpoint).toBe(scene.at(7));
    });

    it('may leave the checkpoint where it is', async (scene) => {
      const record = await scene.keep(await scene.take(), { to: scene.at(7) });
      expect((await scene.keep(record, { saved: [scene.made('x', 1)] })).checkpoint).toBe(scene.at(7));
      expect(await scene.totals()).toStrictEqual({ x: 1 });
    });

    it('is refused with another token, and keeps nothing', async (scene) => {
      const record = await scene.take();
      const stale = { ...record, token: record.token - 1 };
      const changes = { to: scene.at(1), saved: [scene.made('x')], queued: [scene.failed('y', 1)] };
      expect(await scene.commit(stale, changes)).toBe(false);
      expect(await scene.recordOf(record)).toEqual(record);
      expect(await scene.totals()).toStrictEqual({});
      expect(await scene.place.blocked(record)).toStrictEqual([]);
    });

    it('is refused from another checkpoint, and keeps nothing', async (scene) => {
      const begun = await scene.take();
      const record = await scene.keep(begun, { to: scene.at(2), saved: [scene.made('x', 2)] });
      const changes = { to: scene.at(3), saved: [scene.changed('x', 3)], queued: [scene.failed('y', 3)] };
      expect(await scene.commit(begun, changes)).toBe(false);
      expect(await scene.commit(record, { ...changes, from: scene.at(1) })).toBe(false);
      expect(await scene.recordOf(record)).toEqual(record);
      expect(await scene.totals()).toStrictEqual({ x: 2 });
      expect(await scene.place.blocked(record)).toStrictEqual([]);
    });

    it('is kept for one of several from the same checkpoint', async (scene) => {
      const record = await scene.take();
      const names = ['u', 'v', 'w', 'x', 'y'];
      const kept = await Promise.all(
        names.map((name, index) => scene.commit(record, { to: scene.at(index + 1), saved: [scene.made(name, index + 1)] })),
      );
      const winner = kept.indexOf(true);
      expect(kept.filter((isKept) => isKept)).toHaveLength(1);
      expect(await scene.totals()).toStrictEqual({ [names[winner] as string]: winner + 1 });
      expect((await scene.recordOf(record)).checkpoint).toBe(scene.at(winner + 1));
    });

    it('keeps nothing when one of its instances cannot be kept', async (scene) => {
      const begun = await scene.take();
      const queued = [scene.failed('z', 2), scene.waiting('z', 3)];
      const record = await scene.keep(begun, { to: scene.at(3), saved: [scene.made('x', 1), scene.made('y', 1)], queued });
      const broken = Object.defineProperty(scene.tally('w'), 'note', {
        enumerable: true,
        get: () => {
          throw new Error('It cannot be read.');
        },
      });
      const changes = {
        to: scene.at(4),
        saved: [scene.changed('x', 2), { ...scene.made('w'), state: broken }, scene.made('v', 2)],
        removed: [scene.id('y')],
        queued: [scene.failed('u', 4)],
        released: [{ key: 'z', upTo: scene.position(2) }],
      };
      expect(await refusalOf(scene.commit(record, changes))).toBeInstanceOf(Error);
      expect(await scene.recordOf(record)).toEqual(record);
      expect(await scene.totals()).toStrictEqual({ x: 1, y: 1 });
      expect(await scene.place.blocked(record)).toEqual([{ ...scene.id('z'), event: scene.event(2), failure, waiting: 1 }]);
      expect(await scene.commit(record, { to: scene.at(4), saved: [scene.changed('x', 2)] })).toBe(true);
    });

    it('leaves the token as it is, unless it is of somebody else', async (scene) => {
      const first = await scene.take();
      const second = await scene.keep(first, { to: scene.at(1) });
      expect(second.token).toBe(first.token);
      const third = await scene.keep(second, { saved: [scene.made('x', 1)], isForeign: true });
      expect(third.token === second.token).toBe(false);
      expect(await scene.commit(second, { to: scene.at(2) })).toBe(false);
      expect(await scene.commit(third, { to: scene.at(2) })).toBe(true);
    });

    it('is refused when the generation is gone', async (scene) => {
      const record = await scene.take('building');
      await scene.place.drop(scene.definition, record);
      expect(await scene.commit(record, { to: scene.at(1) })).toBe(false);
      expect(await scene.place.records()).toStrictEqual([]);
    });

    it('keeps thousands of instances', async (scene) => {
      const names = Array.from({ length: 3_000 }, (_, index) => `instance ${index}`);
      let record = await scene.take();
      record = await scene.keep(record, { to: scene.at(1), saved: names.map((name) => scene.made(name, 1, name)) });
      const [rest, removed] = [names.slice(0, 2_000), names.slice(2_000)];
      record = await scene.keep(record, {
        to: scene.at(2),
        saved: rest.map((name) => scene.changed(name, 2, name)),
        removed: removed.map((name) => scene.id(name)),
      });
      const loaded = await scene.load(names);
      expect(Object.keys(loaded)).toStrictEqual(rest);
      expect(Object.values(loaded).every(({ id, total, note }) => total === 2 && note === id)).toBe(true);
    });
  });

  describe('errors', () => {
    it('of a handler are neither transient nor about what is to be kept', async ({ place }) => {
      for (const error of [new Error('no'), new TypeError('no'), 'text', undefined])
        expect([place.isTransient(error), place.isRefusal(error)]).toStrictEqual([false, false]);
    });
  });
}
