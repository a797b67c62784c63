import type { GenerationRecord } from '../../store/projection-store';
import type { RuleBook } from './rule-book';
import { eventually, longMs, type Scene } from './scene';

const shortMs = 50;

/** Who may change a generation. */
export function leaseRules({ describe, it, expect }: RuleBook): void {
  describe('a lease', () => {
    it('is taken with a token of its own', async (scene) => {
      const created = await scene.place.create(scene.definition, 1, 'serving');
      const taken = (await scene.place.take(created, 'one', longMs)) as GenerationRecord;
      expect(taken).toEqual({ ...created, owner: 'one', token: taken.token });
      expect(taken.token === created.token).toBe(false);
      expect(await scene.recordOf(taken)).toEqual(taken);
    });

    it('is refused to another owner', async (scene) => {
      const taken = await scene.take();
      expect(await scene.place.take(taken, 'two', longMs)).toBeUndefined();
      expect(await scene.place.renew(taken, 'two', longMs)).toBeUndefined();
      expect(await scene.recordOf(taken)).toEqual(taken);
    });

    it('is given to one of several at once', async ({ place, definition }) => {
      const created = await place.create(definition, 1, 'serving');
      const owners = ['one', 'two', 'three', 'four', 'five'];
      const taken = await Promise.all(owners.map((owner) => place.take(created, owner, longMs)));
      const winners = taken.flatMap((record) => record?.owner ?? []);
      expect(winners).toHaveLength(1);
      expect((await place.records())[0]?.owner).toBe(winners[0]);
    });

    it('is taken again by its owner, with another token', async (scene) => {
      const first = await scene.take();
      const second = await scene.take();
      expect([second.owner, second.token === first.token]).toStrictEqual(['one', false]);
      expect(await scene.commit(first, { to: scene.at(1) })).toBe(false);
      expect(await scene.commit(second, { to: scene.at(1) })).toBe(true);
    });

    it('is renewed with the same token', async (scene) => {
      const taken = await scene.take();
      expect(await scene.place.renew(taken, 'one', longMs)).toEqual(taken);
      expect(await scene.commit(taken, { to: scene.at(1) })).toBe(true);
    });

    it('is free at once when it is released', async (scene) => {
      const taken = await scene.take();
      await scene.place.release(taken, 'two');
      expect((await scene.recordOf(taken)).owner).toBe('one');
      await scene.place.release(taken, 'one');
      expect((await scene.recordOf(taken)).owner).toBeUndefined();
      expect(await scene.place.renew(taken, 'one', longMs)).toBeUndefined();
      expect((await scene.place.take(taken, 'two', longMs))?.owner).toBe('two');
    });

    it('runs out', async (scene) => {
      const created = await scene.place.create(scene.definition, 1, 'serving');
      const first = (await scene.place.take(created, 'one', shortMs)) as GenerationRecord;
      await eventually(async () => ((await scene.recordOf(first)).owner === undefined ? true : undefined));
      const second = (await scene.place.take(created, 'two', longMs)) as GenerationRecord;
      expect(second.owner).toBe('two');
      expect(await scene.place.renew(first, 'one', longMs)).toBeUndefined();
      expect(await scene.commit(first, { to: scene.at(1), saved: [scene.made('x')] })).toBe(false);
      expect(await scene.commit(second, { to: scene.at(1) })).toBe(true);
      expect(await scene.totals()).toStrictEqual({});
    });

    it('does not run out when it is renewed', async (scene) => {
      const created = await scene.place.create(scene.definition, 1, 'serving');
      await scene.place.take(created, 'one', shortMs * 10);
      await scene.place.renew(created, 'one', longMs);
      await afterAnother(scene, shortMs * 10);
      expect(await scene.place.take(created, 'two', longMs)).toBeUndefined();
    });

    it('is kept by a commit that says so', async (scene) => {
      const created = await scene.place.create(scene.definition, 1, 'serving');
      const taken = (await scene.place.take(created, 'one', shortMs * 10)) as GenerationRecord;
      await scene.keep(taken, { to: scene.at(1), leaseMs: longMs });
      await afterAnother(scene, shortMs * 10);
      expect((await scene.recordOf(taken)).owner).toBe('one');
    });

    it('is one for each generation', async (scene) => {
      const serving = await scene.take('serving');
      const building = await scene.place.create(scene.definition, 2, 'building');
      expect((await scene.place.take(building, 'two', longMs))?.owner).toBe('two');
      expect((await scene.recordOf(serving)).owner).toBe('one');
      expect(await scene.commit(serving, { to: scene.at(1) })).toBe(true);
    });

    it('is not to be had of a generation that is gone', async ({ place }) => {
      const gone = { projection: 'Tallies', generation: 7 };
      expect(await place.take(gone, 'one', longMs)).toBeUndefined();
      expect(await place.renew(gone, 'one', longMs)).toBeUndefined();
      await place.release(gone, 'one');
    });

    it('is refused to another process', async (scene) => {
      const other = await scene.another();
      if (other === undefined) return;
      const taken = await scene.take();
      expect(await other.take(taken, 'two', longMs)).toBeUndefined();
      await scene.place.release(taken, 'one');
      const theirs = (await other.take(taken, 'two', longMs)) as GenerationRecord;
      expect(await scene.place.take(taken, 'one', longMs)).toBeUndefined();
      expect(await scene.commit(taken, { to: scene.at(1) })).toBe(false);
      expect(await other.commit(scene.definition, theirs, scene.changes(theirs, { to: scene.at(1) }))).toBe(true);
      expect((await scene.recordOf(taken)).checkpoint).toBe(scene.at(1));
    });
  });
}

/** Waits until another lease, taken now for so long, has run out. */
async function afterAnother({ place, definition }: Scene, leaseMs: number): Promise<void> {
  const other = await place.create(definition, 1, 'building');
  await place.take(other, 'clock', leaseMs);
  await eventually(() => place.take(other, 'next', leaseMs));
}
