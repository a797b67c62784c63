import type { RuleBook } from './rule-book';

/** What is known of generations. */
export function recordRules({ describe, it, expect }: RuleBook): void {
  describe('records', () => {
    it('are none at first', async ({ place }) => {
      expect(await place.records()).toStrictEqual([]);
      expect(await place.records('Tallies')).toStrictEqual([]);
    });

    it('begin empty', async ({ place, definition }) => {
      const { token, ...record } = await place.create(definition, 3, 'serving');
      expect(record).toEqual({
        projection: 'Tallies',
        generation: 1,
        version: 3,
        kind: definition.kind,
        role: 'serving',
        checkpoint: undefined,
        owner: undefined,
        isPaused: false,
        failure: undefined,
        eventsPerSecond: 0,
      });
      expect(await place.records()).toEqual([{ ...record, token }]);
    });

    it('begin once for each role', async ({ place, definition }) => {
      const created = await Promise.all([1, 2, 3].map(() => place.create(definition, 1, 'serving')));
      expect(created.map(({ generation }) => generation)).toStrictEqual([1, 1, 1]);
      const later = await place.create(definition, 2, 'serving');
      expect([later.generation, later.version]).toStrictEqual([1, 1]);
      expect(await place.records()).toHaveLength(1);
    });

    it('are numbered on, beside each other', async (scene) => {
      const { place, definition } = scene;
      await place.create(definition, 1, 'serving');
      const building = await place.create(definition, 2, 'building');
      expect([building.generation, building.version, building.role]).toStrictEqual([2, 2, 'building']);
      expect(await scene.roles()).toStrictEqual(['serving', 'building']);
    });

    it('go on building where the version is the same', async (scene) => {
      const building = await scene.take('building');
      await scene.keep(building, { to: scene.at(3), saved: [scene.made('x', 3)] });
      const again = await scene.place.create(scene.definition, 1, 'building');
      expect([again.generation, again.checkpoint]).toStrictEqual([building.generation, scene.at(3)]);
      expect(await scene.totals('building')).toStrictEqual({ x: 3 });
    });

    it('build anew where the version is another one', async (scene) => {
      const { place, definition } = scene;
      await scene.take('serving');
      const building = await scene.take('building');
      const filled = await scene.keep(building, {
        to: scene.at(3),
        saved: [scene.made('x', 3)],
        queued: [scene.failed('y', 2)],
      });
      const anew = await place.create(definition, 2, 'building');
      expect([anew.version, anew.checkpoint]).toStrictEqual([2, undefined]);
      expect(await scene.totals('building')).toStrictEqual({});
      expect(await place.blocked(anew)).toStrictEqual([]);
      expect(await scene.roles()).toStrictEqual(['serving', 'building']);
      expect(await scene.commit(filled, { to: scene.at(4) })).toBe(false);
    });

    it('are told by projection, and all in order', async ({ place, definition }) => {
      const other = { ...definition, projection: 'Others' };
      await place.create(definition, 1, 'serving');
      if (definition.kind === 'entity') return;
      await place.create(other, 1, 'serving');
      await place.create(other, 1, 'building');
      const names = (await place.records()).map(({ projection, generation }) => `${projection} ${generation}`);
      expect(names).toStrictEqual(['Others 1', 'Others 2', 'Tallies 1']);
      expect((await place.records('Tallies')).map(({ projection }) => projection)).toStrictEqual(['Tallies']);
    });

    it('change where they are marked, and stay as they are elsewhere', async (scene) => {
      const { place } = scene;
      const taken = await scene.take();
      const told = async () => {
        const { isPaused, failure, owner } = await scene.recordOf(taken);
        return [isPaused, failure, owner];
      };
      await place.mark(taken, { isPaused: true });
      expect(await told()).toStrictEqual([true, undefined, 'one']);
      await place.mark(taken, { failure: 'It is broken: 漢字 🙂' });
      expect(await told()).toStrictEqual([true, 'It is broken: 漢字 🙂', 'one']);
      await place.mark(taken, { isPaused: false });
      expect(await told()).toStrictEqual([false, 'It is broken: 漢字 🙂', 'one']);
      await place.mark(taken, { failure: undefined });
      expect(await told()).toStrictEqual([false, undefined, 'one']);
    });

    it('keep a failure of any length', async (scene) => {
      const record = await scene.take();
      const failure = 'x'.repeat(20_000);
      await scene.place.mark(record, { failure });
      expect((await scene.recordOf(record)).failure).toBe(failure);
    });

    it('are another one for their owner once they are marked', async (scene) => {
      const record = await scene.take();
      await scene.place.mark(record, { isPaused: true });
      expect((await scene.recordOf(record)).token === record.token).toBe(false);
      expect(await scene.commit(record, { to: scene.at(1) })).toBe(false);
      expect((await scene.recordOf(record)).checkpoint).toBeUndefined();
    });

    it('may be gone when they are marked', async ({ place }) => {
      await place.mark({ projection: 'Tallies', generation: 7 }, { isPaused: true });
      expect(await place.records()).toStrictEqual([]);
    });
  });
}
