import type { Criterion } from '../../events/criterion';
import type { Position } from '../../events/recorded-event';
import type { Guard } from '../../store/append';
import type { EventStore } from '../../store/event-store';
import { InvalidPositionError, OptimisticLockError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, appendOne, noted, notes, notesIn, readAll, refusalOf, to } from './steps';

/** Guards that name a boundary: no matching event was stored since. */
export function conditionRules({ describe, it, expect }: RuleBook): void {
  describe('condition guard', () => {
    it('lets an append pass while nothing matches', async (store) => {
      await append(store, 'a', [noted(1, { tags: ['a:1'] })]);
      expect(await holds(store, [{ types: ['noted'], tags: ['a:2'] }])).toBe(true);
      expect(await holds(store, [{ types: ['other'] }])).toBe(true);
      expect(await holds(store, [])).toBe(true);
    });

    it('refuses an append when any event in the store matches, whatever its stream', async (store) => {
      await append(store, 'a', [noted(1, { tags: ['a:1'] })]);
      for (const criterion of [{ types: ['noted'] }, { tags: ['a:1'] }, { types: ['noted'], tags: ['a:1'] }, {}, { tags: [] }])
        expect(await holds(store, [criterion])).toBe(false);
    });

    it('looks only behind its position', async (store) => {
      const first = await appendOne(store, 'a', noted(1, { tags: ['a:1'] }));
      const second = await appendOne(store, 'b', noted(2, { tags: ['a:1'] }));
      await append(store, 'a', [noted(3, { tags: ['a:2'] })]);
      expect(await holds(store, [{ tags: ['a:1'] }], first.position)).toBe(false);
      expect(await holds(store, [{ tags: ['a:1'] }], second.position)).toBe(true);
      expect(await holds(store, [{ tags: ['a:2'] }], second.position)).toBe(false);
      expect(await holds(store, [{}], await store.head())).toBe(true);
    });

    it('wants one of the types and all of the tags', async (store) => {
      await append(store, 'a', [noted(1, { tags: ['a:1', 'b:2'] })]);
      expect(await holds(store, [{ types: ['other', 'noted'], tags: ['b:2', 'a:1'] }])).toBe(false);
      expect(await holds(store, [{ types: ['other'], tags: ['a:1', 'b:2'] }])).toBe(true);
      expect(await holds(store, [{ types: ['noted'], tags: ['a:1', 'b:3'] }])).toBe(true);
      expect(await holds(store, [{ types: [], tags: ['a:1'] }])).toBe(true);
      expect(await holds(store, [{ tags: ['a:1', 'c:1'] }])).toBe(true);
    });

    it('is broken by what matches any of its criteria', async (store) => {
      await append(store, 'a', [noted(1, { tags: ['a:1'] })]);
      expect(await holds(store, [{ tags: ['a:2'] }, { types: ['noted'] }])).toBe(false);
      expect(await holds(store, [{ types: ['noted'], tags: ['a:1'] }, { types: ['other'] }])).toBe(false);
      expect(
        await holds(store, [
          { types: ['noted'], tags: ['a:2'] },
          { types: ['other'], tags: ['a:1'] },
        ]),
      ).toBe(true);
    });

    it('says which position it expected, and that of the newest event that matches', async (store) => {
      const first = await appendOne(store, 'a', noted(1, { tags: ['a:1'] }));
      await append(store, 'b', [noted(2, { tags: ['a:1'] })]);
      const newest = await appendOne(store, 'c', { type: 'other', data: {}, tags: ['a:1'] });
      await append(store, 'd', [noted(4, { tags: ['a:2'] })]);
      const criteria = [{ types: ['other'] }, { types: ['noted'], tags: ['a:1'] }];
      const error = await refusalOf(append(store, 'e', notes(1), { condition: { criteria, after: first.position } }));
      expect(error).toBeInstanceOf(OptimisticLockError);
      const { stream, expected, actual } = error as OptimisticLockError;
      expect({ stream, expected, actual }).toStrictEqual({ stream: 'e', expected: first.position, actual: newest.position });
      expect(await readAll(store, { stream: 'e' })).toStrictEqual([]);
    });

    it('is seen from before the call for every append in it', async (store) => {
      const guard: Guard = { condition: { criteria: [{ tags: ['a:1'] }], after: undefined } };
      const event = noted(1, { tags: ['a:1'] });
      await store.append([to('a', [event, event], guard), to('b', [event], guard), to('a', [event], { version: 0 })]);
      expect(await readAll(store)).toHaveLength(4);
      expect(await refusalOf(store.append([to('c', [event]), to('d', [noted()], guard)]))).toBeInstanceOf(OptimisticLockError);
      expect(await readAll(store)).toHaveLength(4);
    });

    it('lets one of several racing appends pass', async (store) => {
      const { position: after } = await appendOne(store, 'a', noted('first', { tags: ['a:1'] }));
      const guard: Guard = { condition: { criteria: [{ types: ['noted'], tags: ['a:1'] }], after } };
      const race = Array.from({ length: 20 }, (_, index) =>
        refusalOf(append(store, `s${index}`, [noted(index, { tags: ['a:1'] })], guard)),
      );
      const lost = (await Promise.all(race)).filter((outcome) => outcome instanceof OptimisticLockError);
      expect(lost).toHaveLength(19);
      expect(await readAll(store)).toHaveLength(2);
    });

    it('lets one of two racing appends pass that each would break the other', async (store) => {
      for (let round = 0; round < 10; round += 1) {
        const [left, right] = [`left:${round}`, `right:${round}`];
        const guarded = (reads: string, writes: string) =>
          append(store, writes, [noted(round, { tags: [writes] })], {
            condition: { criteria: [{ tags: [reads] }], after: undefined },
          });
        await Promise.all([refusalOf(guarded(left, right)), refusalOf(guarded(right, left))]);
        expect(await readAll(store, { criteria: [{ tags: [left] }, { tags: [right] }] })).toHaveLength(1);
      }
    });

    it('lets racing appends of different boundaries pass', async (store) => {
      const race = Array.from({ length: 20 }, (_, index) => {
        const tags = [`a:${index}`];
        return append(store, 'shared', [noted(index, { tags })], { condition: { criteria: [{ tags }], after: undefined } });
      });
      await Promise.all(race);
      expect((await notesIn(store)).sort()).toStrictEqual(Array.from({ length: 20 }, (_, index) => index).sort());
    });

    it('refuses a position that is none of this store', async (store) => {
      await append(store, 'a', notes(1));
      for (const after of ['', 'nonsense', null, 7] as unknown as Position[]) {
        const guard = { condition: { criteria: [{ types: ['other'] }], after } };
        expect(await refusalOf(append(store, 'a', notes(1), guard))).toBeInstanceOf(InvalidPositionError);
      }
      expect(await readAll(store)).toHaveLength(1);
    });
  });

  async function holds(store: EventStore, criteria: readonly Criterion[], after?: Position): Promise<boolean> {
    const before = await readAll(store);
    const outcome = await refusalOf(append(store, 'probe', [{ type: 'probed', data: {} }], { condition: { criteria, after } }));
    const probes = await readAll(store, { stream: 'probe' });
    if (outcome === 'nothing was refused') {
      expect(await readAll(store)).toHaveLength(before.length + 1);
      return probes.length > 0;
    }
    expect(outcome).toBeInstanceOf(OptimisticLockError);
    expect(await readAll(store)).toStrictEqual(before);
    return false;
  }
}
