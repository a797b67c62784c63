import type { RecordedEvent } from '../../events/recorded-event';
import type { RuleBook } from './rule-book';
import {
  append,
  appendInTurn,
  areInOrder,
  gate,
  noted,
  notes,
  notesIn,
  notesOf,
  positionsAt,
  readAll,
  refusalOf,
  to,
} from './steps';

/** Reading: order, bounds, direction, limit, streams. What matches is in the query rules. */
export function readRules({ describe, it, expect }: RuleBook): void {
  describe('read', () => {
    it('gives every event once, in the order of positions', async (store) => {
      const recorded = await appendInTurn(store, ['a', 'b', 'c'], 12);
      const events = await readAll(store);
      expect(events).toStrictEqual(recorded);
      expect(areInOrder(store, events)).toBe(true);
    });

    it('gives nothing of an empty store or an unknown stream', async (store) => {
      expect(await readAll(store)).toStrictEqual([]);
      await append(store, 'a', notes(1));
      expect(await readAll(store, { stream: 'b' })).toStrictEqual([]);
    });

    it('gives the later versions of a stream', async (store) => {
      await appendInTurn(store, ['a', 'b'], 10);
      const versions = async (afterVersion: number) =>
        (await readAll(store, { stream: 'a', afterVersion })).map(({ version }) => version);
      expect(await versions(0)).toStrictEqual([1, 2, 3, 4, 5]);
      expect(await versions(3)).toStrictEqual([4, 5]);
      expect(await versions(5)).toStrictEqual([]);
      expect(await versions(99)).toStrictEqual([]);
    });

    it('leaves its bounds out', async (store) => {
      const recorded = await appendInTurn(store, ['a', 'b'], 12);
      const [first, fourth, ninth, last] = positionsAt(recorded, 1, 4, 9, 12);
      expect(await notesIn(store, { after: ninth })).toStrictEqual([10, 11, 12]);
      expect(await notesIn(store, { before: fourth })).toStrictEqual([1, 2, 3]);
      expect(await notesIn(store, { after: fourth, before: ninth })).toStrictEqual([5, 6, 7, 8]);
      expect(await notesIn(store, { after: last })).toStrictEqual([]);
      expect(await notesIn(store, { before: first })).toStrictEqual([]);
      expect(await notesIn(store, { after: fourth, before: fourth })).toStrictEqual([]);
      expect(await notesIn(store, { after: ninth, before: fourth })).toStrictEqual([]);
    });

    it('gives the newest first when it reads backward', async (store) => {
      const [third] = positionsAt(await appendInTurn(store, ['a', 'b'], 6), 3);
      expect(await notesIn(store, { direction: 'backward' })).toStrictEqual([6, 5, 4, 3, 2, 1]);
      expect(await notesIn(store, { direction: 'backward', after: third })).toStrictEqual([6, 5, 4]);
      expect(await notesIn(store, { direction: 'backward', before: third })).toStrictEqual([2, 1]);
      expect(await notesIn(store, { direction: 'backward', stream: 'a' })).toStrictEqual([5, 3, 1]);
      expect(await notesIn(store, { direction: 'backward', stream: 'a', afterVersion: 1, limit: 1 })).toStrictEqual([5]);
    });

    it('gives no more than its limit, from the side where it begins', async (store) => {
      await append(store, 'a', notes(5));
      expect(await notesIn(store, { limit: 0 })).toStrictEqual([]);
      expect(await notesIn(store, { limit: 2 })).toStrictEqual([1, 2]);
      expect(await notesIn(store, { limit: 2, direction: 'backward' })).toStrictEqual([5, 4]);
      expect(await notesIn(store, { limit: 5 })).toStrictEqual([1, 2, 3, 4, 5]);
      expect(await notesIn(store, { limit: 99 })).toStrictEqual([1, 2, 3, 4, 5]);
    });

    it('holds all bounds together', async (store) => {
      const [after, before] = positionsAt(await appendInTurn(store, ['a', 'b'], 12), 2, 11);
      const query = { stream: 'a', after, before, afterVersion: 2 };
      expect(await notesIn(store, query)).toStrictEqual([5, 7, 9]);
      expect(await notesIn(store, { ...query, limit: 2, direction: 'backward' })).toStrictEqual([9, 7]);
    });

    it('gives any number of events', async (store) => {
      for (let part = 0; part < 5; part += 1) await append(store, 'a', notes(500));
      expect((await readAll(store)).map(({ version }) => version)).toStrictEqual(Array.from({ length: 2500 }, (_, i) => i + 1));
      expect((await readAll(store, { stream: 'a', direction: 'backward', limit: 2001 })).at(-1)?.version).toBe(500);
    });

    it('gives the same events in chunks of one or more', async (store) => {
      await append(store, 'a', notes(1500));
      const chunks: (readonly RecordedEvent[])[] = [];
      for await (const chunk of store.read({}).chunks()) chunks.push(chunk);
      expect(chunks.every((chunk) => chunk.length > 0)).toBe(true);
      expect(chunks.flat()).toStrictEqual(await readAll(store));
      for await (const chunk of store.read({ limit: 0 }).chunks()) throw new Error(`A chunk of ${chunk.length} came.`);
    });

    it('begins anew each time it is iterated', async (store) => {
      const stream = store.read({});
      const notesNow = async () => {
        const events: RecordedEvent[] = [];
        for await (const event of stream) events.push(event);
        return notesOf(events);
      };
      expect(await notesNow()).toStrictEqual([]);
      await append(store, 'a', notes(2));
      expect(await notesNow()).toStrictEqual([1, 2]);
      expect(await notesNow()).toStrictEqual([1, 2]);
    });

    it('may be left early, and appended to meanwhile', async (store) => {
      await append(store, 'a', notes(3));
      const seen: unknown[] = [];
      for await (const event of store.read({ limit: 3 })) {
        await append(store, 'b', [noted('meanwhile')]);
        seen.push(...notesOf([event]));
        if (seen.length === 2) break;
      }
      expect(seen).toStrictEqual([1, 2]);
      expect(await notesIn(store, { stream: 'b' })).toStrictEqual(['meanwhile', 'meanwhile']);
    });

    it('gives nothing of an append that is taken back, however it runs beside it', async (store) => {
      await append(store, 'a', notes(1));
      const { opened, open } = gate();
      const failing = refusalOf(
        store.append([to('a', [noted('taken back')])], () => opened.then(() => Promise.reject(new Error('no')))),
      );
      const reading = [readAll(store), readAll(store, { stream: 'a' }), readAll(store, { criteria: [{ types: ['noted'] }] })];
      const head = store.head();
      open();
      for (const events of await Promise.all(reading)) expect(notesOf(events)).toStrictEqual([1]);
      await failing;
      expect(await head).toBe(await store.head());
      expect(await notesIn(store)).toStrictEqual([1]);
    });
  });
}
