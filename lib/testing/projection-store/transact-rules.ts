import type { Changes, GenerationRecord, ProjectionTransaction, StateDefinition } from '../../store/projection-store';
import { refusalOf } from '../event-store/steps';
import type { RuleBook } from './rule-book';
import type { Scene } from './scene';
import type { Tally } from './tally';

/** Handlers at work in one transaction. */
export function transactRules({ describe, it, expect }: RuleBook): void {
  describe('a transaction', () => {
    it('keeps what it wrote and the changes that it ends with', async (scene) => {
      const record = await scene.take();
      const isKept = await transact(scene, record, async (transaction) => {
        await transaction.write(scene.definition, record, { saved: [scene.made('x', 1)], removed: [] });
        return { to: scene.at(3), saved: [scene.made('y', 2)], queued: [scene.failed('z', 3)] };
      });
      expect(isKept).toBe(true);
      expect(await scene.recordOf(record)).toEqual({ ...record, checkpoint: scene.at(3) });
      expect(await scene.totals()).toStrictEqual({ x: 1, y: 2 });
      expect(await scene.place.blocked(record)).toHaveLength(1);
    });

    it('sees what is kept, and what it has written', async (scene) => {
      const kept = {
        to: scene.at(3),
        saved: [scene.made('x', 1), scene.made('y', 1)],
        queued: [scene.failed('z', 2), scene.waiting('z', 3)],
      };
      const record = await scene.keep(await scene.take(), kept);
      const seen: unknown[] = [];
      await transact(scene, record, async (transaction) => {
        const look = async () => seen.push(await totalsIn(scene, record, transaction, ['x', 'y', 'z']));
        seen.push(
          transaction.checkpoint,
          (await transaction.queue('z', 9)).map(({ id }) => id),
        );
        await look();
        await transaction.write(scene.definition, record, { saved: [scene.changed('x', 2)], removed: [scene.id('y')] });
        await look();
        return {};
      });
      const ids = [scene.event(2).id, scene.event(3).id];
      expect(seen).toStrictEqual([scene.at(3), ids, { x: 1, y: 1 }, { x: 2 }]);
      expect(await scene.totals()).toStrictEqual({ x: 2 });
    });

    it('is taken back when its work fails, and passes the error on', async (scene) => {
      const record = await scene.take();
      const failure = new Error('no');
      const failing = transact(scene, record, async (transaction) => {
        await transaction.write(scene.definition, record, { saved: [scene.made('x', 1)], removed: [] });
        throw failure;
      });
      expect(await refusalOf(failing)).toBe(failure);
      expect(await scene.totals()).toStrictEqual({});
      expect(await scene.recordOf(record)).toEqual(record);
      expect(await scene.commit(record, { to: scene.at(1) })).toBe(true);
    });

    it('does not begin with another token', async (scene) => {
      const stale = await scene.take();
      await scene.take();
      let runs = 0;
      const isKept = await transact(scene, stale, async () => {
        runs += 1;
        return { to: scene.at(1) };
      });
      expect([isKept, runs]).toStrictEqual([false, 0]);
      expect((await scene.recordOf(stale)).checkpoint).toBeUndefined();
    });

    it('does not begin where the generation is gone', async (scene) => {
      const record = await scene.take('building');
      await scene.place.drop(scene.definition, record);
      let runs = 0;
      const isKept = await transact(scene, record, async () => {
        runs += 1;
        return {};
      });
      expect([isKept, runs]).toStrictEqual([false, 0]);
    });

    it('keeps nothing that ends at another checkpoint', async (scene) => {
      const begun = await scene.take();
      const record = await scene.keep(begun, { to: scene.at(2) });
      const isKept = await transact(scene, begun, async (transaction) => {
        await transaction.write(scene.definition, record, { saved: [scene.made('x', 1)], removed: [] });
        return { to: scene.at(3), saved: [scene.made('y', 1)], queued: [scene.failed('z', 1)] };
      });
      expect(isKept).toBe(false);
      expect(await scene.totals()).toStrictEqual({});
      expect(await scene.recordOf(record)).toEqual(record);
      expect(await scene.place.blocked(record)).toStrictEqual([]);
    });

    it('is alone with its generation', async (scene) => {
      const record = await scene.take();
      const others: Promise<boolean>[] = [];
      const isKept = await transact(scene, record, async (transaction) => {
        others.push(scene.commit(record, { to: scene.at(5), saved: [scene.made('x', 5)] }));
        others.push(transact(scene, record, async () => ({ to: scene.at(7), saved: [scene.made('x', 7)] })));
        const before = await totalsIn(scene, record, transaction, ['x']);
        return { to: scene.at(1), saved: [scene.made('x', Object.keys(before).length)] };
      });
      expect(isKept).toBe(true);
      expect(await Promise.all(others)).toStrictEqual([false, false]);
      expect(await scene.totals()).toStrictEqual({ x: 0 });
      expect((await scene.recordOf(record)).checkpoint).toBe(scene.at(1));
    });

    for (const kind of ['custom', 'reactor'] as const)
      it(`keeps how far a projection of the kind ${kind} is, and what stands still of it`, async (scene) => {
        const custom: StateDefinition = { ...scene.definition, projection: 'Custom', kind };
        const record = await scene.place.create(custom, 1, 'serving');
        const changes = scene.changes(record, { to: scene.at(3), queued: [scene.failed('x', 2)] });
        expect(await scene.place.transact(custom, record, async () => changes)).toBe(true);
        const building = await scene.place.create(custom, 2, 'building');
        const now = await scene.recordOf(record);
        expect([now.checkpoint, building.checkpoint]).toStrictEqual([scene.at(3), undefined]);
        expect(await scene.place.commit(custom, now, { ...changes, from: scene.at(3), to: scene.at(4), queued: [] })).toBe(true);
        expect(await scene.place.promote(custom, building, await scene.recordOf(record))).toBe(true);
        expect(await scene.place.blocked(record)).toHaveLength(1);
        await scene.place.drop(custom, record);
        expect((await scene.place.records()).map(({ generation, role }) => [generation, role])).toStrictEqual([[2, 'serving']]);
      });

    it('lets each of several apply what it finds', async (scene) => {
      const record = await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 0)] });
      const add = () =>
        transact(scene, record, async (transaction) => {
          const { x = 0 } = await totalsIn(scene, record, transaction, ['x']);
          return { saved: [scene.changed('x', x + 1)] };
        });
      expect(await Promise.all([add(), add(), add(), add()])).toStrictEqual([true, true, true, true]);
      expect(await scene.totals()).toStrictEqual({ x: 4 });
    });
  });

  describe('an attempt', () => {
    it('gives what its work gives, and is part of the transaction', async (scene) => {
      const record = await scene.take();
      let given: unknown;
      await transact(scene, record, async (transaction) => {
        given = await transaction.attempt(async () => {
          await transaction.write(scene.definition, record, { saved: [scene.made('x', 1)], removed: [] });
          return 'done';
        });
        return { to: scene.at(1) };
      });
      expect(given).toBe('done');
      expect(await scene.totals()).toStrictEqual({ x: 1 });
    });

    it('takes back its own work when it fails, and nothing before it', async (scene) => {
      const record = await scene.keep(await scene.take(), { to: scene.at(1), saved: [scene.made('x', 1)] });
      const failure = new Error('no');
      const seen: unknown[] = [];
      await transact(scene, record, async (transaction) => {
        const write = (...saved: Changes['saved']) => transaction.write(scene.definition, record, { saved, removed: [] });
        await write(scene.changed('x', 2));
        const failing = transaction.attempt(async () => {
          await write(scene.changed('x', 3), scene.made('y', 3));
          await transaction.write(scene.definition, record, { saved: [], removed: [scene.id('x')] });
          throw failure;
        });
        seen.push(await refusalOf(failing), await totalsIn(scene, record, transaction, ['x', 'y']));
        await transaction.attempt(() => write(scene.made('z', 4)));
        return { to: scene.at(2) };
      });
      expect(seen).toStrictEqual([failure, { x: 2 }]);
      expect(await scene.totals()).toStrictEqual({ x: 2, z: 4 });
    });

    it('that succeeded is taken back with the transaction', async (scene) => {
      const record = await scene.take();
      const failing = transact(scene, record, async (transaction) => {
        await transaction.attempt(() =>
          transaction.write(scene.definition, record, { saved: [scene.made('x', 1)], removed: [] }),
        );
        throw new Error('no');
      });
      expect(await refusalOf(failing)).toBeInstanceOf(Error);
      expect(await scene.totals()).toStrictEqual({});
    });
  });
}

/** Runs a transaction that leaves the checkpoint where `record` has it, unless its work says otherwise. */
function transact(
  scene: Scene,
  record: GenerationRecord,
  work: (transaction: ProjectionTransaction) => Promise<Partial<Changes>>,
): Promise<boolean> {
  return scene.place.transact(scene.definition, record, async (transaction) => scene.changes(record, await work(transaction)));
}

/** @returns the totals of the instances that a transaction sees. */
async function totalsIn(
  scene: Scene,
  record: GenerationRecord,
  transaction: Pick<ProjectionTransaction, 'load'>,
  names: readonly string[],
): Promise<Record<string, number>> {
  const ids = names.map((name) => scene.id(name));
  const loaded = [...(await transaction.load(scene.definition, record, ids)).values()] as Tally[];
  return Object.fromEntries(loaded.map(({ id, total }): [string, number] => [id, total]).sort());
}
