import { OptimisticLockError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, noted, notes, notesIn, notesOf, readAll, refusalOf } from './steps';

/** Tags that are added to what is stored. */
export function tagRules({ describe, it, expect }: RuleBook): void {
  describe('retag', () => {
    it('adds tags by which events are found from then on', async (store) => {
      await append(store, 'a', notes(4));
      expect(await store.retag(['noted'], (event) => [`rest:${Number(notesOf([event])[0]) % 2}`, 'all:1'])).toBe(4);
      expect(await notesIn(store, { criteria: [{ tags: ['rest:1'] }] })).toStrictEqual([1, 3]);
      expect(await notesIn(store, { criteria: [{ tags: ['all:1', 'rest:0'] }], stream: 'a' })).toStrictEqual([2, 4]);
      expect((await store.page({ criteria: [{ tags: ['rest:1'] }] }, { first: 1 })).hasNextPage).toBe(true);
    });

    it('is seen by condition guards', async (store) => {
      await append(store, 'a', notes(1));
      const guard = { condition: { criteria: [{ tags: ['a:1'] }], after: undefined } };
      await append(store, 'b', [{ type: 'other', data: {} }], guard);
      await store.retag(['noted'], () => ['a:1']);
      expect(await refusalOf(append(store, 'b', notes(1), guard))).toBeInstanceOf(OptimisticLockError);
    });

    it('keeps the tags that are there, and everything else', async (store) => {
      await append(store, 'a', [noted(1, { tags: ['a:1'], metadata: { actor: 'me' } }), noted(2)]);
      const before = await readAll(store);
      await store.retag(['noted'], () => ['b:2']);
      const after = await readAll(store);
      expect(after.map(({ tags }) => [...tags].sort())).toStrictEqual([['a:1', 'b:2'], ['b:2']]);
      expect(after.map((event) => ({ ...event, tags: [] }))).toStrictEqual(before.map((event) => ({ ...event, tags: [] })));
      expect(await notesIn(store, { criteria: [{ tags: ['a:1'] }] })).toStrictEqual([1]);
    });

    it('counts the events that get a tag they lacked', async (store) => {
      await append(store, 'a', [noted(1, { tags: ['a:1'] }), noted(2, { tags: ['a:1', 'b:2'] }), noted(3)]);
      expect(await store.retag(['noted'], () => ['a:1', 'a:1'])).toBe(1);
      expect(await store.retag(['noted'], () => ['b:2', 'a:1', 'b:2'])).toBe(2);
      expect(await store.retag(['noted'], () => ['a:1', 'b:2'])).toBe(0);
      expect(await store.retag(['noted'], () => [])).toBe(0);
      const tags = (await readAll(store)).map((event) => [...event.tags].sort());
      expect(tags).toStrictEqual([
        ['a:1', 'b:2'],
        ['a:1', 'b:2'],
        ['a:1', 'b:2'],
      ]);
      expect(await notesIn(store, { criteria: [{ tags: ['b:2'] }] })).toStrictEqual([1, 2, 3]);
    });

    it('asks about events of the given types only', async (store) => {
      await append(store, 'a', [noted(1), noted(2, { type: 'other' }), noted(3, { type: 'third' })]);
      const asked = new Set<string>();
      const changed = await store.retag(['other', 'third', 'unknown'], ({ type }) => {
        asked.add(type);
        return ['a:1'];
      });
      expect([changed, [...asked]]).toStrictEqual([2, ['other', 'third']]);
      expect(await store.retag([], () => ['b:2'])).toBe(0);
      expect(await notesIn(store, { criteria: [{ tags: ['a:1'] }, { tags: ['b:2'] }] })).toStrictEqual([2, 3]);
    });

    it('adds nothing when the tags of one event cannot be told', async (store) => {
      await append(store, 'a', notes(3));
      const failure = new Error('no');
      const tagsOf = (event: object) => {
        if (notesOf([event as never])[0] === 3) throw failure;
        return ['a:1'];
      };
      expect(await refusalOf(store.retag(['noted'], tagsOf))).toBe(failure);
      expect(await readAll(store, { criteria: [{ tags: ['a:1'] }] })).toStrictEqual([]);
      expect(await store.retag(['noted'], () => ['a:1'])).toBe(3);
      expect(await notesIn(store, { criteria: [{ tags: ['a:1'] }] })).toStrictEqual([1, 2, 3]);
    });
  });
}
