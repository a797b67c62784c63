import type { QueuedEvent } from '../../store/projection-store';
import type { RuleBook } from './rule-book';
import { failure, type Scene } from './scene';

/** Events that instances could not take, and those that wait behind them. */
export function queueRules({ describe, it, expect }: RuleBook): void {
  describe('a queue', () => {
    it('begins with the event that failed', async (scene) => {
      const record = await withQueued(scene, [scene.failed('x', 3)]);
      expect(await scene.place.blocked(record)).toEqual([{ ...scene.id('x'), event: scene.event(3), failure, waiting: 0 }]);
      expect(await scene.place.queue(record, 'x', 10)).toStrictEqual([scene.event(3)]);
      expect(await scene.place.queue(record, 'y', 10)).toStrictEqual([]);
    });

    it('goes on with those that wait, in order', async (scene) => {
      let record = await withQueued(scene, [scene.failed('x', 3), scene.waiting('x', 7), scene.waiting('x', 5)]);
      record = await scene.keep(record, { queued: [scene.waiting('x', 9), scene.waiting('x', 8), scene.waiting('x', 4)] });
      expect(await numbersIn(scene, 'x')).toStrictEqual([3, 4, 5, 7, 8, 9]);
      expect(await numbersIn(scene, 'x', 2)).toStrictEqual([3, 4]);
      expect((await scene.place.blocked(record)).map(({ waiting }) => waiting)).toStrictEqual([5]);
    });

    it('keeps all that is said of a failure', async (scene) => {
      const given = {
        message: 'naïve 漢字 🙂',
        stack: 'a line\n'.repeat(5_000),
        attempts: 17,
        lastFailedAt: '2002-02-03T04:05:06.789Z',
        retryAt: '2003-02-03T04:05:06.001Z',
      };
      const record = await withQueued(scene, [scene.failed('x', 3, given), scene.failed('y', 4, { stack: undefined })]);
      const blocked = await scene.place.blocked(record);
      expect(blocked.map((each) => each.failure)).toEqual([
        { ...failure, ...given },
        { ...failure, stack: undefined },
      ]);
    });

    it('has one failure for its first event: the last that was told', async (scene) => {
      const record = await withQueued(scene, [scene.failed('x', 3), scene.waiting('x', 4)]);
      const again = { message: 'Still not.', attempts: 2, retryAt: '2003-02-03T04:05:06.789Z' };
      await scene.keep(record, { queued: [scene.failed('x', 3, again)] });
      const [blocked, ...others] = await scene.place.blocked(record);
      expect([blocked?.failure, blocked?.waiting]).toEqual([{ ...failure, ...again }, 1]);
      expect(others).toStrictEqual([]);
      expect(await numbersIn(scene, 'x')).toStrictEqual([3, 4]);
    });

    it('lets events go up to a position', async (scene) => {
      let record = await withQueued(
        scene,
        [2, 3, 4, 5].map((number) => scene.failed('x', number)),
      );
      record = await scene.keep(record, { queued: [scene.failed('y', 2)] });
      record = await scene.keep(record, { released: [{ key: 'x', upTo: scene.position(3) }] });
      expect([await numbersIn(scene, 'x'), await numbersIn(scene, 'y')]).toStrictEqual([[4, 5], [2]]);
      record = await scene.keep(record, { released: [{ key: 'x', upTo: scene.position(9) }] });
      expect(await numbersIn(scene, 'x')).toStrictEqual([]);
      expect((await scene.place.blocked(record)).map(({ key }) => key)).toStrictEqual(['y']);
    });

    it('goes on with a failure of the next event in the same commit', async (scene) => {
      const record = await withQueued(scene, [scene.failed('x', 2), scene.waiting('x', 3), scene.waiting('x', 4)]);
      const queued = [scene.failed('x', 3, { message: 'Nor this.' })];
      await scene.keep(record, { queued, released: [{ key: 'x', upTo: scene.position(2) }] });
      const [blocked] = await scene.place.blocked(record);
      expect([blocked?.event, blocked?.failure.message, blocked?.waiting]).toStrictEqual([scene.event(3), 'Nor this.', 1]);
    });

    it('has it be the turn of an event that waited, once those before it were let go', async (scene) => {
      const waiting = [scene.waiting('x', 4), scene.waiting('x', 5)];
      let record = await withQueued(scene, [scene.failed('x', 3), ...waiting]);
      record = await scene.keep(record, { released: [{ key: 'x', upTo: scene.position(4) }] });
      const [blocked] = await scene.place.blocked(record);
      expect([blocked?.event.id, blocked?.failure.attempts]).toStrictEqual([scene.event(5).id, 0]);
      expect(Date.parse(blocked?.failure.retryAt ?? '') <= Date.now()).toBe(true);
    });

    it('stands still for as long as an event waits', async (scene) => {
      const record = await withQueued(scene, [scene.failed('x', 2), scene.waiting('x', 3), scene.waiting('x', 4)]);
      await scene.keep(record, { released: [{ key: 'x', upTo: scene.position(2) }] });
      const blocked = await scene.place.blocked(record);
      expect(blocked.map(({ key, event, waiting }) => [key, event.id, waiting])).toStrictEqual([['x', scene.event(3).id, 1]]);
    });

    it('is one of several, told in the order of the events that they stand still at', async (scene) => {
      const queued = [scene.failed('x', 5), scene.waiting('x', 6), scene.failed('y', 3), scene.failed('z', 4)];
      const record = await withQueued(scene, queued);
      const blocked = await scene.place.blocked(record);
      expect(blocked.map(({ key, waiting }) => [key, waiting])).toStrictEqual([
        ['y', 0],
        ['z', 0],
        ['x', 1],
      ]);
    });

    it('may hold an event that does not say which instance it belongs to', async (scene) => {
      const unrouted = { ...scene.failed('\u0001nowhere', 3), key: '\u0001nowhere', values: undefined };
      const record = await withQueued(scene, [unrouted, scene.failed('x', 3)]);
      const blocked = await scene.place.blocked(record);
      const found = blocked.find(({ key }) => key === unrouted.key);
      expect(found).toEqual({ key: unrouted.key, values: undefined, event: scene.event(3), failure, waiting: 0 });
      expect(blocked).toHaveLength(2);
      await scene.keep(record, { released: [{ key: unrouted.key, upTo: scene.position(3) }] });
      expect((await scene.place.blocked(record)).map(({ key }) => key)).toStrictEqual(['x']);
    });

    it('is that of one instance, to the last character of its key', async (scene) => {
      const long = 'x'.repeat(5_000);
      const names = ['a', 'A', 'a ', '\u00e9', 'e\u0301', '|', '\\', '__proto__', 'constructor', `${long}y`, `${long}z`];
      const record = await withQueued(
        scene,
        names.map((name) => scene.failed(name, 3)),
      );
      const blocked = await scene.place.blocked(record);
      expect(blocked.map(({ values }) => values?.[0]).sort()).toStrictEqual([...names].sort());
      expect(blocked.map(({ key }) => key).sort()).toStrictEqual(names.map((name) => scene.id(name).key).sort());
      await scene.keep(record, { released: [{ key: scene.id('a').key, upTo: scene.position(9) }] });
      expect(await scene.place.blocked(record)).toHaveLength(names.length - 1);
    });

    it('is another one in each generation', async (scene) => {
      const serving = await withQueued(scene, [scene.failed('x', 3)]);
      const building = await scene.take('building');
      expect(await scene.place.blocked(building)).toStrictEqual([]);
      await scene.keep(building, { to: scene.at(9), queued: [scene.failed('x', 4)] });
      expect(await numbersIn(scene, 'x')).toStrictEqual([3]);
      await scene.place.drop(scene.definition, building);
      expect(await scene.place.blocked(serving)).toHaveLength(1);
      expect(await scene.place.blocked(building)).toStrictEqual([]);
    });

    it('holds hundreds of events', async (scene) => {
      const numbers = Array.from({ length: 300 }, (_, index) => index);
      const queued = numbers.flatMap((index) => [scene.failed(`x${index}`, 2), scene.waiting(`x${index}`, 3)]);
      const record = await withQueued(scene, queued);
      const blocked = await scene.place.blocked(record);
      expect(blocked.map(({ waiting }) => waiting)).toStrictEqual(numbers.map(() => 1));
    });

    it('is there for another process', async (scene) => {
      const other = await scene.another();
      if (other === undefined) return;
      const record = await withQueued(scene, [scene.failed('x', 3), scene.waiting('x', 4)]);
      expect(await other.blocked(record)).toEqual(await scene.place.blocked(record));
      expect(await other.queue(record, 'x', 9)).toStrictEqual([scene.event(3), scene.event(4)]);
    });
  });
}

/** @returns the record of a serving generation that has come to its end, with these queues. */
async function withQueued(scene: Scene, queued: readonly QueuedEvent[]) {
  return scene.keep(await scene.take(), { to: scene.at(9), queued });
}

/** @returns the numbers of the events in the queue of the serving generation. */
async function numbersIn({ place, definition, events, id }: Scene, name: string, limit = 100): Promise<number[]> {
  const generation = { projection: definition.projection, generation: 1 };
  const queued = await place.queue(generation, id(name).key, limit);
  return queued.map((event) => events.findIndex(({ position }) => position === event.position) + 1);
}
