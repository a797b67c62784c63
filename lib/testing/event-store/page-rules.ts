import type { RecordedEvent } from '../../events/recorded-event';
import type { EventQuery, Page, PageRequest } from '../../store/event-query';
import type { EventStore } from '../../store/event-store';
import { InvalidPositionError, InvalidQueryError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, appendInTurn, noted, notes, notesOf, positionsAt, refusalOf } from './steps';

/** Paging in both directions. */
export function pageRules({ describe, it, expect }: RuleBook): void {
  describe('page', () => {
    it('leads through all events, and says where they end', async (store) => {
      await append(store, 'a', notes(10));
      const pages = await pagesForward(store, 3);
      expect(pages.map(({ items }) => notesOf(items))).toStrictEqual([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]);
      expect(pages.map(({ hasNextPage }) => hasNextPage)).toStrictEqual([true, true, true, false]);
      expect(pages.map(({ hasPreviousPage }) => hasPreviousPage)).toStrictEqual([false, true, true, true]);
    });

    it('leads back through all events, each page in reading order', async (store) => {
      await append(store, 'a', notes(10));
      const pages = await pagesBackward(store, 3);
      expect(pages.map(({ items }) => notesOf(items))).toStrictEqual([[8, 9, 10], [5, 6, 7], [2, 3, 4], [1]]);
      expect(pages.map(({ hasPreviousPage }) => hasPreviousPage)).toStrictEqual([true, true, true, false]);
      expect(pages.map(({ hasNextPage }) => hasNextPage)).toStrictEqual([false, true, true, true]);
    });

    it('holds as many events as were asked for, also when one more exists', async (store) => {
      await append(store, 'a', notes(3));
      expect(await summary(store, { first: 2 })).toStrictEqual([[1, 2], true, false]);
      expect(await summary(store, { first: 3 })).toStrictEqual([[1, 2, 3], false, false]);
      expect(await summary(store, { first: 4 })).toStrictEqual([[1, 2, 3], false, false]);
      expect(await summary(store, { last: 2 })).toStrictEqual([[2, 3], false, true]);
      expect(await summary(store, { last: 3 })).toStrictEqual([[1, 2, 3], false, false]);
      expect(await summary(store, { last: 4 })).toStrictEqual([[1, 2, 3], false, false]);
    });

    it('has the positions of its first and last event for cursors', async (store) => {
      const recorded = await appendInTurn(store, ['a', 'b'], 5);
      const page = await store.page({}, { first: 3 });
      expect([...page.items]).toStrictEqual(recorded.slice(0, 3));
      expect([page.startCursor, page.endCursor]).toStrictEqual(positionsAt(recorded, 1, 3));
    });

    it('gives the events just before a cursor in reading order', async (store) => {
      const [seventh, second] = positionsAt(await appendInTurn(store, ['a', 'b'], 10), 7, 2);
      expect(await summary(store, { last: 3, before: seventh })).toStrictEqual([[4, 5, 6], true, true]);
      expect(await summary(store, { last: 3, before: second })).toStrictEqual([[1], true, false]);
    });

    it('is empty where nothing is left', async (store) => {
      const empty = { items: [], hasNextPage: false, hasPreviousPage: false, startCursor: undefined, endCursor: undefined };
      expect(await store.page({}, { first: 3 })).toEqual(empty);
      expect(await store.page({}, { last: 3 })).toEqual(empty);
      const [first, last] = positionsAt(await appendInTurn(store, ['a'], 4), 1, 4);
      expect(await summary(store, { first: 3, after: last })).toStrictEqual([[], false, true]);
      expect(await summary(store, { last: 3, before: first })).toStrictEqual([[], true, false]);
    });

    it('keeps to its query', async (store) => {
      for (let note = 1; note <= 12; note += 1)
        await append(store, note % 2 === 0 ? 'even' : 'odd', [noted(note, { tags: [`rest:${note % 3}`] })]);
      const [second, sixth, tenth] = positionsAt((await store.page({}, { first: 12 })).items, 2, 6, 10);
      const criteria = [{ tags: ['rest:1'] }, { tags: ['rest:2'] }];
      expect(await summary(store, { first: 3 }, { stream: 'odd' })).toStrictEqual([[1, 3, 5], true, false]);
      expect(await summary(store, { first: 3, after: sixth }, { criteria })).toStrictEqual([[7, 8, 10], true, true]);
      expect(await summary(store, { last: 2, before: sixth }, { criteria, stream: 'odd' })).toStrictEqual([[1, 5], true, false]);
      expect(await summary(store, { first: 2, after: sixth }, { criteria, after: second, before: tenth })).toStrictEqual([
        [7, 8],
        false,
        true,
      ]);
      expect(await summary(store, { last: 2 }, { criteria, after: second, before: tenth })).toStrictEqual([[7, 8], false, true]);
      expect(await summary(store, { first: 1 }, { stream: 'even', afterVersion: 4 })).toStrictEqual([[10], true, false]);
    });

    it('neither repeats nor skips what is appended meanwhile', async (store) => {
      await append(store, 'a', notes(3));
      const first = await store.page({}, { first: 2 });
      await append(store, 'b', [noted(4), noted(5)]);
      const rest = await store.page({}, { first: 9, after: first.endCursor as string });
      expect(notesOf([...first.items, ...rest.items])).toStrictEqual([1, 2, 3, 4, 5]);
    });

    it('is refused for a cursor that is no position of this store', async (store) => {
      await append(store, 'a', notes(2));
      for (const cursor of ['', 'nonsense', '-1', '1.5', null, 7] as string[]) {
        expect(await refusalOf(store.page({}, { first: 1, after: cursor }))).toBeInstanceOf(InvalidPositionError);
        expect(await refusalOf(store.page({}, { last: 1, before: cursor }))).toBeInstanceOf(InvalidPositionError);
      }
    });

    it('is refused when it asks for something impossible', async (store) => {
      await append(store, 'a', notes(2));
      const counts = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined];
      const { endCursor } = await store.page({}, { first: 1 });
      const mixed = [{ first: 1, last: 1 }, { first: 1, before: endCursor }, { last: 1, after: endCursor }, {}, null, undefined];
      for (const request of [...counts.flatMap((count) => [{ first: count }, { last: count }]), ...mixed])
        expect(await refusalOf(store.page({}, request as PageRequest))).toBeInstanceOf(InvalidQueryError);
      for (const query of [{ limit: 1 }, { direction: 'backward' }, { stream: 7 }] as EventQuery[])
        expect(await refusalOf(store.page(query, { first: 1 }))).toBeInstanceOf(InvalidQueryError);
    });
  });
}

async function summary(store: EventStore, request: PageRequest, query: EventQuery = {}): Promise<[unknown[], boolean, boolean]> {
  const { items, hasNextPage, hasPreviousPage } = await store.page(query, request);
  return [notesOf(items), hasNextPage, hasPreviousPage];
}

async function pagesForward(store: EventStore, first: number): Promise<Page<RecordedEvent>[]> {
  const pages = [await store.page({}, { first })];
  for (let last = pages[0]; last?.hasNextPage && pages.length < 9; last = pages.at(-1))
    pages.push(await store.page({}, { first, after: last.endCursor as string }));
  return pages;
}

async function pagesBackward(store: EventStore, last: number): Promise<Page<RecordedEvent>[]> {
  const pages = [await store.page({}, { last })];
  for (let page = pages[0]; page?.hasPreviousPage && pages.length < 9; page = pages.at(-1))
    pages.push(await store.page({}, { last, before: page.startCursor as string }));
  return pages;
}
