import type { AppendResult } from '../../store/append';
import { DuplicateEventError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, appendOne, areInOrder, noted, notes, notesIn, readAll, refusalOf, to, unguarded, versionsOf } from './steps';

/** Appending: versions, what is filled in, all or none, event ids. */
export function appendRules({ describe, it, expect }: RuleBook): void {
  describe('append', () => {
    it('counts the versions of each stream from 1', async (store) => {
      await append(store, 'a', notes(2));
      await append(store, 'b', notes(1));
      const { events } = await append(store, 'a', notes(2));
      expect(events.map(({ version }) => version)).toStrictEqual([3, 4]);
      expect(await versionsOf(store, 'a')).toStrictEqual([1, 2, 3, 4]);
      expect(await versionsOf(store, 'b')).toStrictEqual([1]);
    });

    it('returns what is then read', async (store) => {
      const { events, position } = await store.append([
        to('a', [noted(1, { tags: ['a:1'], metadata: { actor: 'me' } }), noted(2)]),
        to('b', notes(1)),
      ]);
      expect(events).toHaveLength(3);
      expect([...events]).toStrictEqual(await readAll(store));
      expect(position).toBe(events[2]?.position);
    });

    it('keeps the id, schema version, metadata, tags and time that are given', async (store) => {
      const given = { id: 'event-1', schemaVersion: 3, metadata: { actor: 'me', depth: { at: [1] } }, tags: ['b:2', 'a:1'] };
      const recorded = await appendOne(store, 'a', noted(1, { ...given, time: '2001-02-03T04:05:06.789Z' }));
      const { id, schemaVersion, metadata, tags, time } = recorded;
      expect({ id, schemaVersion, metadata, time }).toEqual({
        id: 'event-1',
        schemaVersion: 3,
        metadata: given.metadata,
        time: '2001-02-03T04:05:06.789Z',
      });
      expect([...tags].sort()).toStrictEqual(['a:1', 'b:2']);
    });

    it('returns a time in UTC, to the millisecond', async (store) => {
      const text = await appendOne(store, 'a', noted(1, { time: '2001-02-03T04:05:06+02:00' }));
      const date = await appendOne(store, 'a', noted(2, { time: new Date(Date.UTC(1999, 11, 31)) }));
      expect([text.time, date.time]).toStrictEqual(['2001-02-03T02:05:06.000Z', '1999-12-31T00:00:00.000Z']);
    });

    it('fills in what is left out', async (store) => {
      const first = await appendOne(store, 'a', { type: 'noted', data: {} });
      const second = await appendOne(store, 'a', { type: 'noted', data: {} });
      const { schemaVersion, metadata, tags, time } = first;
      expect({ schemaVersion, metadata, tags: [...tags] }).toEqual({ schemaVersion: 1, metadata: {}, tags: [] });
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(typeof first.id === 'string' && first.id !== '' && first.id !== second.id).toBe(true);
    });

    it('does nothing without events', async (store) => {
      const nothing = { events: [], position: undefined };
      expect(await store.append([])).toEqual(nothing);
      expect(await append(store, 'a', [], { version: 'none' })).toEqual(nothing);
      expect(await store.head()).toBeUndefined();
      expect(await readAll(store)).toStrictEqual([]);
    });

    it('stores appends to several streams in their order', async (store) => {
      await store.append([to('a', [noted(1), noted(2)]), to('b', [noted(3)]), to('a', [noted(4)])]);
      const events = await readAll(store);
      expect(events.map(({ stream, version }) => `${stream}${version}`)).toStrictEqual(['a1', 'a2', 'b1', 'a3']);
      expect(areInOrder(store, events)).toBe(true);
    });

    it('stores none of several appends when the guard of one does not hold', async (store) => {
      await append(store, 'b', [noted(0)]);
      for (const order of [['a', 'b'] as const, ['b', 'a'] as const]) {
        const appends = order.map((stream) => to(stream, notes(2), { version: 'none' }));
        await refusalOf(store.append(appends));
      }
      expect(await notesIn(store)).toStrictEqual([0]);
      const { version } = await appendOne(store, 'a', noted(1));
      expect(version).toBe(1);
    });

    it('gives concurrent appends to one stream contiguous versions, in the order of their positions', async (store) => {
      await Promise.all(Array.from({ length: 100 }, (_, index) => append(store, 'a', [noted(index)])));
      const events = await readAll(store, { stream: 'a' });
      expect(events.map(({ version }) => version)).toStrictEqual(Array.from({ length: 100 }, (_, index) => index + 1));
      expect(areInOrder(store, events)).toBe(true);
    });

    it('keeps the events of one append together under concurrent ones', async (store) => {
      const appends = Array.from({ length: 20 }, (_, index) => store.append([to('a', notes(3)), to(`b${index}`, notes(2))]));
      const results: AppendResult[] = await Promise.all(appends);
      expect(await readAll(store)).toHaveLength(100);
      for (const { events } of results) {
        const [first = 0] = events.map(({ version }) => version);
        expect(events.map(({ version }) => version)).toStrictEqual([first, first + 1, first + 2, 1, 2]);
      }
    });

    it('refuses an event id that is stored already, and all that is appended with it', async (store) => {
      await append(store, 'a', [noted(1, { id: 'event-1' })]);
      const error = await refusalOf(append(store, 'b', [noted(2, { id: 'event-2' }), noted(3, { id: 'event-1' })]));
      expect(error).toBeInstanceOf(DuplicateEventError);
      expect((error as DuplicateEventError).eventId).toBe('event-1');
      expect(await notesIn(store)).toStrictEqual([1]);
      expect((await appendOne(store, 'b', noted(4, { id: 'event-2' }))).version).toBe(1);
    });

    it('says of an append that is repeated that it was stored, not that its own events conflict with it', async (store) => {
      const events = [noted(1, { id: 'event-1', tags: ['n:1'] }), noted(2, { id: 'event-2' })];
      await append(store, 'a', events);
      const condition = { criteria: [{ tags: ['n:1'] }], after: undefined };
      for (const guard of [{ condition }, { version: 'none' }, { version: 0 }, unguarded] as const) {
        for (const repeated of [events, events.slice(0, 1)])
          expect(await refusalOf(store.append([to('a', repeated, guard)]))).toBeInstanceOf(DuplicateEventError);
        const appends = [to('b', notes(1)), to('a', events, guard), to('c', notes(1))];
        const together = await Promise.all(appends.map((one) => refusalOf(store.append([one]))));
        expect(together[1]).toBeInstanceOf(DuplicateEventError);
      }
    });

    it('refuses an event id that is given twice', async (store) => {
      const twice = [noted(1, { id: 'event-1' }), noted(2, { id: 'event-1' })];
      expect(await refusalOf(append(store, 'a', twice))).toBeInstanceOf(DuplicateEventError);
      const apart = twice.map((event, index) => ({ stream: `s${index}`, events: [event], guard: unguarded }));
      expect(await refusalOf(store.append(apart))).toBeInstanceOf(DuplicateEventError);
      expect(await readAll(store)).toStrictEqual([]);
    });

    it('stores an event once of several concurrent appends with its id', async (store) => {
      const attempts = Array.from({ length: 10 }, (_, index) =>
        refusalOf(append(store, `s${index}`, [noted(index, { id: 'event-1' })])),
      );
      const refused = (await Promise.all(attempts)).filter((outcome) => outcome instanceof DuplicateEventError);
      expect(refused).toHaveLength(9);
      expect(await readAll(store)).toHaveLength(1);
    });
  });
}
