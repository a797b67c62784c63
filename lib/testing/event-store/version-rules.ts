import type { EventStore } from '../../store/event-store';
import { InvalidAppendError, OptimisticLockError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, appendOne, noted, notes, notesIn, readAll, refusalOf, to, versionsOf } from './steps';

/** Guards that name a version of the stream. */
export function versionRules({ describe, it, expect }: RuleBook): void {
  describe('version guard', () => {
    it('lets an append pass at the version it names', async (store) => {
      await append(store, 'a', notes(2), { version: 0 });
      await append(store, 'a', notes(1), { version: 2 });
      await append(store, 'b', notes(1), { version: 'none' });
      await append(store, 'b', notes(1), { version: 'exists' });
      await append(store, 'b', notes(1), { version: 'any' });
      await append(store, 'c', notes(1), { version: 'any' });
      expect(await versionsOf(store, 'a')).toStrictEqual([1, 2, 3]);
      expect(await versionsOf(store, 'b')).toStrictEqual([1, 2, 3]);
      expect(await versionsOf(store, 'c')).toStrictEqual([1]);
    });

    it('refuses a version behind or ahead of the stream', async (store) => {
      await append(store, 'a', notes(3));
      for (const version of [0, 1, 2, 4, 5, 1000]) await expectRefused(store, 'a', version, version, 3);
    });

    it('refuses any version but 0 of a stream that does not exist', async (store) => {
      await append(store, 'b', notes(3));
      for (const version of [1, 3]) await expectRefused(store, 'a', version, version, 0);
    });

    it("refuses 'none' for a stream that exists, and 'exists' for one that does not", async (store) => {
      await append(store, 'a', notes(2));
      await expectRefused(store, 'a', 'none', 0, 2);
      await expectRefused(store, 'b', 'exists', 'exists', 0);
    });

    it('is seen from before the call for every append in it', async (store) => {
      await append(store, 'a', notes(1));
      await store.append([
        to('a', notes(2), { version: 1 }),
        to('b', notes(1), { version: 'none' }),
        to('a', notes(1), { version: 1 }),
      ]);
      expect(await versionsOf(store, 'a')).toStrictEqual([1, 2, 3, 4]);
      const twice = store.append([to('c', notes(1), { version: 'none' }), to('c', notes(1), { version: 1 })]);
      expect(await refusalOf(twice)).toBeInstanceOf(OptimisticLockError);
      expect(await versionsOf(store, 'c')).toStrictEqual([]);
    });

    it('lets one of several racing appends pass', async (store) => {
      for (const version of [0, 'none', 1] as const) {
        const stream = `s${version}`;
        if (version === 1) await append(store, stream, [noted('first')]);
        const race = Array.from({ length: 20 }, (_, index) => refusalOf(append(store, stream, [noted(index)], { version })));
        const lost = (await Promise.all(race)).filter((outcome) => outcome instanceof OptimisticLockError);
        expect(lost).toHaveLength(19);
        expect(await versionsOf(store, stream)).toStrictEqual(version === 1 ? [1, 2] : [1]);
      }
    });

    it('lets the loser of a race pass at the version that it then finds', async (store) => {
      await append(store, 'a', [noted('theirs')], { version: 0 });
      const error = await refusalOf(append(store, 'a', [noted('mine')], { version: 0 }));
      const { actual } = error as OptimisticLockError;
      expect((await appendOne(store, 'a', noted('mine'), { version: actual as number })).version).toBe(2);
      expect(await notesIn(store, { stream: 'a' })).toStrictEqual(['theirs', 'mine']);
    });

    it('is never chosen by a misspelt or missing guard', async (store) => {
      const guards = [
        undefined,
        null,
        {},
        { versoin: 'any' },
        { version: 'all' },
        { version: undefined },
        { version: 'any', x: 1 },
      ];
      const numbers = [{ version: -1 }, { version: 0.5 }, { version: Number.NaN }, { version: '1' }, { version: true }];
      const conditions = [{ condition: undefined }, { condition: {} }, { condition: { criteria: [null], after: undefined } }];
      const criteria = [[{ type: ['noted'] }], [{ types: 'noted' }], [{ tags: 'a:1' }], [{ tags: [7] }], 'noted'];
      const badConditions = criteria.map((bad) => ({ condition: { criteria: bad, after: undefined } }));
      for (const guard of [...guards, ...numbers, ...conditions, ...badConditions])
        expect(await refusalOf(store.append([{ stream: 'a', events: notes(1), guard: guard as never }]))).toBeInstanceOf(
          InvalidAppendError,
        );
      expect(await readAll(store)).toStrictEqual([]);
    });
  });

  async function expectRefused(
    store: EventStore,
    stream: string,
    version: number | 'none' | 'exists',
    expected: number | string,
    actual: number,
  ): Promise<void> {
    const before = await readAll(store);
    const error = await refusalOf(append(store, stream, [noted('refused')], { version }));
    expect(error).toBeInstanceOf(OptimisticLockError);
    const lock = error as OptimisticLockError;
    expect({ stream: lock.stream, expected: lock.expected, actual: lock.actual }).toStrictEqual({ stream, expected, actual });
    expect(await readAll(store)).toStrictEqual(before);
  }
}
