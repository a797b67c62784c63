import type { GenerationRecord } from '../../store/projection-store';
import { notesOf, refusalOf } from '../event-store/steps';
import type { RuleBook } from './rule-book';
import { longMs, type Scene } from './scene';
import type { Tally } from './tally';

/** A second generation takes the place of the first, and gives it back. */
export function rebuildRules({ describe, it, expect }: RuleBook): void {
  describe('a generation that is built', () => {
    it('is promoted: it serves, and the one before is kept', async (scene) => {
      const { serving, building } = await both(scene);
      expect(await scene.place.promote(scene.definition, building, serving)).toBe(true);
      expect(await scene.roles()).toStrictEqual(['kept', 'serving']);
      expect(await scene.totals('serving')).toStrictEqual({ x: 20, z: 20 });
      expect(await scene.totals('kept')).toStrictEqual({ x: 10, y: 10 });
      expect(await scene.totals('building')).toStrictEqual({});
      expect(await scene.load(['x', 'y'], 'serving')).toStrictEqual({ x: scene.tally('x', 20) });
      const [kept, now] = [await scene.recordOf(serving), await scene.recordOf(building)];
      expect([kept.checkpoint, now.checkpoint, now.version]).toStrictEqual([scene.at(5), scene.at(6), 2]);
      expect((await scene.place.blocked(now)).map(({ key }) => key)).toStrictEqual(['w']);
      expect((await scene.place.blocked(kept)).map(({ key }) => key)).toStrictEqual(['v']);
    });

    it('is promoted where none serves', async (scene) => {
      const building = await scene.keep(await scene.take('building'), { to: scene.at(3), saved: [scene.made('x', 3)] });
      expect(await scene.place.promote(scene.definition, building, undefined)).toBe(true);
      expect(await scene.roles()).toStrictEqual(['serving']);
      expect(await scene.totals()).toStrictEqual({ x: 3 });
    });

    it('is another one for its owner once it is promoted, and so is the one before', async (scene) => {
      const { serving, building } = await both(scene);
      await scene.place.promote(scene.definition, building, serving);
      expect(await scene.commit(building, { to: scene.at(8) })).toBe(false);
      expect(await scene.commit(serving, { to: scene.at(8) })).toBe(false);
      const taken = (await scene.place.take(building, 'one', longMs)) as GenerationRecord;
      const now = await scene.keep(taken, { to: scene.at(7), saved: [scene.changed('x', 21)] });
      expect([now.role, now.checkpoint]).toStrictEqual(['serving', scene.at(7)]);
      expect(await scene.totals('serving')).toStrictEqual({ x: 21, z: 20 });
      expect(await scene.totals('kept')).toStrictEqual({ x: 10, y: 10 });
    });

    it('is not promoted when the token or the checkpoint of one of the two is another one', async (scene) => {
      const { serving, building } = await both(scene);
      const outdated: [GenerationRecord, GenerationRecord | undefined][] = [
        [{ ...building, token: building.token - 1 }, serving],
        [building, { ...serving, token: serving.token - 1 }],
        [{ ...building, checkpoint: scene.at(5) }, serving],
        [building, { ...serving, checkpoint: scene.at(4) }],
        [building, undefined],
        [{ ...building, generation: 7 }, serving],
      ];
      for (const [one, other] of outdated) expect(await scene.place.promote(scene.definition, one, other)).toBe(false);
      expect(await scene.roles()).toStrictEqual(['serving', 'building']);
      expect(await scene.totals('serving')).toStrictEqual({ x: 10, y: 10 });
      expect(await scene.totals('building')).toStrictEqual({ x: 20, z: 20 });
      expect(await scene.place.promote(scene.definition, building, serving)).toBe(true);
    });

    it('catches up with what serves as it is promoted', async (scene) => {
      const { serving, building } = await both(scene);
      await scene.keep(serving, { to: scene.at(8), saved: [scene.changed('x', 11)] });
      const seen: unknown[] = [];
      const isDone = await scene.place.promote(scene.definition, building, serving, async (transaction, upTo) => {
        for await (const chunk of transaction.read(transaction.checkpoint, upTo)) seen.push(...notesOf(chunk));
        const loaded = await transaction.load(scene.definition, building, [scene.id('x')]);
        seen.push(
          [...loaded.values()].map((state) => (state as Tally).total),
          transaction.checkpoint,
          upTo,
        );
        const queued = [scene.waiting('w', 7)];
        return scene.changes(building, { to: upTo, saved: [scene.changed('x', 21)], queued });
      });
      expect(isDone).toBe(true);
      expect(seen).toStrictEqual([7, 8, [20], scene.at(6), scene.at(8)]);
      expect(await scene.roles()).toStrictEqual(['kept', 'serving']);
      expect([await scene.totals('serving'), await scene.totals('kept')]).toStrictEqual([
        { x: 21, z: 20 },
        { x: 11, y: 10 },
      ]);
      const now = await scene.recordOf(building);
      expect(now.checkpoint).toBe(scene.at(8));
      expect((await scene.place.blocked(now)).map(({ waiting }) => waiting)).toStrictEqual([1]);
    });

    it('is not asked to catch up where it is no further behind, or is not promoted', async (scene) => {
      const { serving, building } = await both(scene);
      let calls = 0;
      const promote = (one: GenerationRecord, other: GenerationRecord) =>
        scene.place.promote(scene.definition, one, other, async () => {
          calls += 1;
          return scene.changes(one);
        });
      expect(await promote(building, { ...serving, token: serving.token - 1 })).toBe(false);
      expect(await promote({ ...building, token: building.token - 1 }, serving)).toBe(false);
      expect(await promote({ ...building, checkpoint: scene.at(5) }, serving)).toBe(false);
      expect(await promote(building, { ...serving, checkpoint: scene.at(2) })).toBe(true);
      expect(calls).toBe(0);
    });

    it('stays what it was when it cannot catch up', async (scene) => {
      const { serving, building } = await both(scene);
      const further = await scene.keep(serving, { to: scene.at(8) });
      const failure = new Error('no');
      const failing = scene.place.promote(scene.definition, building, serving, async (transaction) => {
        await transaction.write(scene.definition, building, { saved: [scene.changed('x', 99)], removed: [] });
        throw failure;
      });
      expect(await refusalOf(failing)).toBe(failure);
      expect(await scene.place.records()).toEqual([further, building]);
      expect(await scene.totals('building')).toStrictEqual({ x: 20, z: 20 });
    });

    it('is promoted once', async (scene) => {
      const { serving, building } = await both(scene);
      const promoting = [1, 2, 3].map(() => scene.place.promote(scene.definition, building, serving));
      expect((await Promise.all(promoting)).sort()).toStrictEqual([false, false, true]);
      expect(await scene.roles()).toStrictEqual(['kept', 'serving']);
    });

    it('drops what was kept before when it is promoted', async (scene) => {
      const { serving, building } = await both(scene);
      await scene.place.promote(scene.definition, building, serving);
      const third = await scene.keep(await scene.take('building', 3), { to: scene.at(7), saved: [scene.made('u', 30)] });
      const second = await scene.recordOf(building);
      expect(await scene.place.promote(scene.definition, third, second)).toBe(true);
      expect(await scene.roles()).toStrictEqual(['kept', 'serving']);
      const records = await scene.place.records();
      expect(records.map(({ version }) => version)).toStrictEqual([2, 3]);
      expect([await scene.totals('kept'), await scene.totals('serving')]).toStrictEqual([{ x: 20, z: 20 }, { u: 30 }]);
      expect(await scene.place.blocked(serving)).toStrictEqual([]);
    });

    it('is dropped with all its state', async (scene) => {
      const { serving, building } = await both(scene);
      await scene.place.drop(scene.definition, building);
      await scene.place.drop(scene.definition, building);
      expect(await scene.place.records()).toEqual([serving]);
      expect(await scene.totals('building')).toStrictEqual({});
      expect(await scene.totals('serving')).toStrictEqual({ x: 10, y: 10 });
      const anew = await scene.take('building', 2);
      expect(anew.checkpoint).toBeUndefined();
      expect(await scene.totals('building')).toStrictEqual({});
      expect(await scene.place.blocked(anew)).toStrictEqual([]);
    });

    it('is begun anew beside one that is kept', async (scene) => {
      const { serving, building } = await both(scene);
      await scene.place.promote(scene.definition, building, serving);
      const third = await scene.keep(await scene.take('building', 2), { to: scene.at(2), saved: [scene.made('x', 30)] });
      expect(third.generation > building.generation).toBe(true);
      expect(await scene.roles()).toStrictEqual(['kept', 'serving', 'building']);
      expect(await scene.totals('serving')).toStrictEqual({ x: 20, z: 20 });
      expect(await scene.totals('kept')).toStrictEqual({ x: 10, y: 10 });
      expect(await scene.totals('building')).toStrictEqual({ x: 30 });
    });
  });

  describe('a generation that serves', () => {
    it('is not dropped', async (scene) => {
      const serving = await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1)] });
      await scene.place.drop(scene.definition, serving).catch(() => undefined);
      expect(await scene.roles()).toStrictEqual(['serving']);
      expect(await scene.totals()).toStrictEqual({ x: 1 });
    });
  });

  describe('a generation that is kept', () => {
    it('is reopened where it was left, and promoted again', async (scene) => {
      const { serving, building } = await both(scene);
      await scene.place.promote(scene.definition, building, serving);
      const kept = await scene.recordOf(serving);
      expect(await scene.place.reopen(scene.definition)).toBe(true);
      expect(await scene.roles()).toStrictEqual(['building', 'serving']);
      const taken = (await scene.place.take(serving, 'one', longMs)) as GenerationRecord;
      expect([taken.checkpoint, taken.version, taken.token === kept.token]).toStrictEqual([scene.at(5), 1, false]);
      const caughtUp = await scene.keep(taken, { to: scene.at(6), saved: [scene.changed('x', 11)] });
      expect(await scene.totals('building')).toStrictEqual({ x: 11, y: 10 });
      expect(await scene.place.promote(scene.definition, caughtUp, await scene.recordOf(building))).toBe(true);
      expect(await scene.roles()).toStrictEqual(['serving', 'kept']);
      expect(await scene.totals('serving')).toStrictEqual({ x: 11, y: 10 });
      expect(await scene.totals('kept')).toStrictEqual({ x: 20, z: 20 });
    });

    it('is not reopened beside one that is built, nor where there is none', async (scene) => {
      const { serving, building } = await both(scene);
      expect(await scene.place.reopen(scene.definition)).toBe(false);
      await scene.place.promote(scene.definition, building, serving);
      await scene.take('building', 3);
      expect(await scene.place.reopen(scene.definition)).toBe(false);
      expect(await scene.roles()).toStrictEqual(['kept', 'serving', 'building']);
    });

    it('is dropped when that is said', async (scene) => {
      const { serving, building } = await both(scene);
      await scene.place.promote(scene.definition, building, serving);
      await scene.place.drop(scene.definition, serving);
      expect(await scene.roles()).toStrictEqual(['serving']);
      expect([await scene.totals('kept'), await scene.totals('serving')]).toStrictEqual([{}, { x: 20, z: 20 }]);
      expect(await scene.place.reopen(scene.definition)).toBe(false);
    });
  });
}

/** @returns the records of a generation that serves and of one that is built beside it. */
async function both(scene: Scene): Promise<{ serving: GenerationRecord; building: GenerationRecord }> {
  const serving = await scene.keep(await scene.take('serving'), {
    to: scene.at(5),
    saved: [scene.made('x', 10), scene.made('y', 10)],
    queued: [scene.failed('v', 4)],
  });
  const building = await scene.keep(await scene.take('building', 2), {
    to: scene.at(6),
    saved: [scene.made('x', 20), scene.made('z', 20)],
    queued: [scene.failed('w', 5)],
  });
  return { serving, building };
}
