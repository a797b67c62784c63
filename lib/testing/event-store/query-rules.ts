import type { EventQuery } from '../../store/event-query';
import { InvalidPositionError, InvalidQueryError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, appendInTurn, appendOne, noted, notes, notesIn, positionsAt, readAll, refusalOf } from './steps';

/** Queries: which events match, and which queries are refused. */
export function queryRules({ describe, it, expect }: RuleBook): void {
  describe('query', () => {
    it('matches events of any of the types with all of the tags', async (store) => {
      await append(store, 's', [
        noted(1, { tags: ['a:1', 'b:1'] }),
        noted(2, { tags: ['a:1'] }),
        noted(3, { type: 'other', tags: ['a:1', 'b:1', 'c:1'] }),
        noted(4, { type: 'third', tags: ['b:1'] }),
        noted(5),
      ]);
      expect(await notesIn(store, { criteria: [{ types: ['noted'] }] })).toStrictEqual([1, 2, 5]);
      expect(await notesIn(store, { criteria: [{ types: ['third', 'other'] }] })).toStrictEqual([3, 4]);
      expect(await notesIn(store, { criteria: [{ tags: ['a:1'] }] })).toStrictEqual([1, 2, 3]);
      expect(await notesIn(store, { criteria: [{ tags: ['b:1', 'a:1'] }] })).toStrictEqual([1, 3]);
      expect(await notesIn(store, { criteria: [{ types: ['noted', 'third'], tags: ['b:1'] }] })).toStrictEqual([1, 4]);
      expect(await notesIn(store, { criteria: [{ types: ['noted'], tags: ['c:1'] }] })).toStrictEqual([]);
      expect(await notesIn(store, { criteria: [{ types: ['unknown'] }] })).toStrictEqual([]);
      expect(await notesIn(store, { criteria: [{ tags: ['a:1', 'unknown:1'] }] })).toStrictEqual([]);
    });

    it('gives an event once that matches several criteria, in order', async (store) => {
      const tags = ['a:1', 'b:1'];
      await append(store, 's', [noted(1, { tags }), noted(2, { type: 'other', tags: ['b:1'] }), noted(3, { tags }), noted(4)]);
      const criteria = [{ tags: ['b:1'] }, { types: ['noted'], tags: ['a:1'] }, { tags: ['a:1', 'b:1'] }];
      expect(await notesIn(store, { criteria })).toStrictEqual([1, 2, 3]);
      expect(await notesIn(store, { criteria: [{ types: ['noted', 'noted'] }, { types: ['noted'] }] })).toStrictEqual([1, 3, 4]);
    });

    it('gives an event once that carries a tag twice', async (store) => {
      const { tags } = await appendOne(store, 's', noted(1, { tags: ['a:1', 'a:1'] }));
      expect([...tags]).toStrictEqual(['a:1']);
      expect(await notesIn(store, { criteria: [{ tags: ['a:1'] }] })).toStrictEqual([1]);
      expect(await notesIn(store, { criteria: [{ tags: ['a:1', 'a:1'] }] })).toStrictEqual([1]);
    });

    it('matches nothing without criteria in the list or types in a criterion, and all with an empty criterion', async (store) => {
      await append(store, 's', [noted(1, { tags: ['a:1'] }), noted(2)]);
      expect(await notesIn(store, { criteria: [] })).toStrictEqual([]);
      expect(await notesIn(store, { criteria: [{ types: [] }] })).toStrictEqual([]);
      expect(await notesIn(store, { criteria: [{ types: [], tags: ['a:1'] }] })).toStrictEqual([]);
      expect(await notesIn(store, { criteria: [{}] })).toStrictEqual([1, 2]);
      expect(await notesIn(store, { criteria: [{ types: ['noted'], tags: [] }] })).toStrictEqual([1, 2]);
      expect(await notesIn(store, { criteria: [{ types: [] }, { tags: ['a:1'] }] })).toStrictEqual([1]);
    });

    it('holds criteria together with stream, bounds, direction and limit', async (store) => {
      for (let note = 1; note <= 12; note += 1)
        await append(store, note % 2 === 0 ? 'even' : 'odd', [noted(note, { tags: [`rest:${note % 3}`] })]);
      const [fourth, eleventh] = positionsAt(await readAll(store), 4, 11);
      const criteria = [{ types: ['noted'], tags: ['rest:1'] }, { tags: ['rest:2'] }];
      expect(await notesIn(store, { criteria, stream: 'odd' })).toStrictEqual([1, 5, 7, 11]);
      expect(await notesIn(store, { criteria, after: fourth, before: eleventh })).toStrictEqual([5, 7, 8, 10]);
      expect(await notesIn(store, { criteria, after: fourth, direction: 'backward', limit: 3 })).toStrictEqual([11, 10, 8]);
      expect(await notesIn(store, { criteria, stream: 'even', afterVersion: 2, limit: 1 })).toStrictEqual([8]);
    });

    it('tells names apart to the letter', async (store) => {
      const names = [
        'a',
        'A',
        'á',
        'a ',
        ' a',
        'a%',
        'a_',
        'ab',
        "a'",
        'a"',
        'a\\',
        'a;--',
        'a,b',
        '{a}',
        '漢',
        'a:1',
        '__proto__',
      ];
      for (const name of names) await append(store, name, [noted(name, { type: name, tags: [name] })]);
      for (const name of names) {
        expect(await notesIn(store, { stream: name })).toStrictEqual([name]);
        expect(await notesIn(store, { criteria: [{ types: [name] }] })).toStrictEqual([name]);
        expect(await notesIn(store, { criteria: [{ tags: [name] }] })).toStrictEqual([name]);
        expect(await notesIn(store, { criteria: [{ types: [name], tags: [name] }], stream: name })).toStrictEqual([name]);
      }
    });

    it('holds to times, both exclusive, whatever the order of positions', async (store) => {
      const at = (hour: number) => `2026-01-01T${String(hour).padStart(2, '0')}:00:00.000Z`;
      const hours = [3, 1, 4, 2, 5];
      await append(
        store,
        's',
        hours.map((hour) => noted(hour, { time: at(hour), tags: [`odd:${hour % 2}`] })),
      );
      expect(await notesIn(store, { afterTime: at(1), beforeTime: new Date(at(4)) })).toStrictEqual([3, 2]);
      expect(await notesIn(store, { afterTime: new Date(at(2)) })).toStrictEqual([3, 4, 5]);
      expect(await notesIn(store, { beforeTime: '2026-01-01T05:00:00+01:00', stream: 's', limit: 2 })).toStrictEqual([3, 1]);
      expect(await notesIn(store, { afterTime: at(1), criteria: [{ tags: ['odd:1'] }], direction: 'backward' })).toStrictEqual([
        5, 3,
      ]);
      expect((await store.page({ afterTime: at(2) }, { first: 2 })).hasNextPage).toBe(true);
      for (const time of ['yesterday', new Date(Number.NaN), 7, null] as unknown as Date[])
        expect(await refusalOf(readAll(store, { afterTime: time }))).toBeInstanceOf(InvalidQueryError);
    });

    it('may name many types and tags', async (store) => {
      const many = Array.from({ length: 2000 }, (_, index) => `many:${index}`);
      await append(store, 's', [noted(1, { tags: many.slice(0, 200) }), noted(2, { type: 'many:1999' })]);
      expect(await notesIn(store, { criteria: [{ types: many }] })).toStrictEqual([2]);
      expect(await notesIn(store, { criteria: [{ tags: many.slice(0, 200) }] })).toStrictEqual([1]);
      expect(await notesIn(store, { criteria: many.slice(100, 300).map((tag) => ({ tags: [tag] })) })).toStrictEqual([1]);
    });

    it('is refused when it asks for something impossible', async (store) => {
      await append(store, 'a', notes(2));
      const counts = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null];
      const impossible: unknown[] = [
        ...counts.flatMap((count) => [{ limit: count }, { stream: 'a', afterVersion: count }]),
        ...[null, 'a', { afterVersion: 1 }, { stream: '' }, { stream: 7 }, { direction: 'up' }, { streams: ['a'] }],
        ...[{ criteria: { types: ['noted'] } }, { criteria: 'noted' }, { criteria: [null] }, { criteria: [{ type: 'noted' }] }],
        ...[{ criteria: [{ types: 'noted' }] }, { criteria: [{ tags: 'a:1' }] }, { criteria: [{ types: [7] }] }],
      ];
      for (const query of impossible)
        expect(await refusalOf(readAll(store, query as EventQuery))).toBeInstanceOf(InvalidQueryError);
    });

    it('is refused when a bound is no position of this store', async (store) => {
      await appendInTurn(store, ['a'], 2);
      for (const position of ['', 'nonsense', '-1', '1.5', null, 7] as never[]) {
        for (const query of [{ after: position }, { before: position }, { stream: 'a', after: position }])
          expect(await refusalOf(readAll(store, query))).toBeInstanceOf(InvalidPositionError);
      }
    });
  });
}
