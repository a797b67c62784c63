import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { PositionRange, TagSources } from '../../store/tag-sources';
import type { RuleBook } from './rule-book';
import { append, noted, notes, notesIn, notesOf, readAll } from './steps';

/** What a store remembers of its tags; asked of those that remember anything. */
export function tagSourceRules({ describe, it: itOf, expect }: RuleBook): void {
  const it = (rule: string, show: (sources: TagSources, store: EventStore) => Promise<void>) =>
    itOf(rule, async (store) => {
      if (store.tagSources !== undefined) await show(store.tagSources, store);
    });

  describe('tag sources', () => {
    it('have nothing recorded at first', async (sources) => {
      expect(await sources.recorded()).toStrictEqual([]);
    });

    it('give back what was recorded, and never fall back', async (sources, store) => {
      const [first, second] = (await append(store, 'a', notes(2))).events.map(({ position }) => position) as [Position, Position];
      const [x, y] = [
        { type: 'noted', property: 'x' },
        { type: 'noted', property: 'Y.y()' },
      ];
      await sources.record([
        { ...x, upTo: undefined },
        { ...y, upTo: second },
      ]);
      expect(byProperty(await sources.recorded())).toStrictEqual([
        { ...y, upTo: second },
        { ...x, upTo: undefined },
      ]);
      await sources.record([{ ...x, upTo: first }]);
      await sources.record([
        { ...y, upTo: first },
        { ...x, upTo: undefined },
      ]);
      expect(byProperty(await sources.recorded())).toStrictEqual([
        { ...y, upTo: second },
        { ...x, upTo: first },
      ]);
    });

    it('keep types and properties apart that differ in case or in a space', async (sources) => {
      const given = ['x', 'X', 'x '].flatMap((type) => ['p', 'P', 'p '].map((property) => ({ type, property, upTo: undefined })));
      await sources.record(given);
      expect(await sources.recorded()).toHaveLength(given.length);
    });

    it('forget one', async (sources) => {
      await sources.record([
        { type: 'noted', property: 'x', upTo: undefined },
        { type: 'other', property: 'x', upTo: undefined },
      ]);
      await sources.forget({ type: 'noted', property: 'x' });
      await sources.forget({ type: 'noted', property: 'unknown' });
      expect(await sources.recorded()).toStrictEqual([{ type: 'other', property: 'x', upTo: undefined }]);
    });

    it('find the events of a type that carry no tag of a name, in order and between two positions', async (sources, store) => {
      const tagged = [['x:1'], ['y:1', 'x:2'], ['xx:1'], ['X:1'], ['y:"x:1'], []];
      const events = tagged.map((tags, index) => noted(index, { tags }));
      const { events: recorded } = await append(store, 'a', [...events, noted('other', { type: 'other' })]);
      const [first, fifth, last] = [0, 4, 6].map((index) => recorded[index]?.position) as [Position, Position, Position];
      const lacking = async (name: string, range: PositionRange) => {
        const found: RecordedEvent[] = [];
        for await (const event of sources.lacking('noted', name, range)) found.push(event);
        return notesOf(found);
      };
      expect(await lacking('x', { after: undefined, upTo: last })).toStrictEqual([2, 3, 4, 5]);
      expect(await lacking('y', { after: first, upTo: fifth })).toStrictEqual([2, 3]);
      expect(await lacking('y', { after: undefined, upTo: first })).toStrictEqual([0]);
      expect(await lacking('%', { after: undefined, upTo: fifth })).toStrictEqual([0, 1, 2, 3, 4]);
    });

    it('find any number of them', async (sources, store) => {
      const { position } = await append(store, 'a', notes(1_234));
      const found: RecordedEvent[] = [];
      for await (const event of sources.lacking('noted', 'x', { after: undefined, upTo: position as Position }))
        found.push(event);
      expect(notesOf(found)).toStrictEqual(notesOf(await readAll(store)));
    });

    it('add tags to those that an event has, each once', async (sources, store) => {
      await append(store, 'a', [noted(1, { tags: ['x:1'] }), noted(2)]);
      const [one, two] = (await readAll(store)) as [RecordedEvent, RecordedEvent];
      await sources.add([{ event: one, tags: ['y:1'] }]);
      await sources.add([
        { event: one, tags: ['z:1', 'x:1', 'z:1'] },
        { event: two, tags: ['z:1'] },
      ]);
      const tags = (await readAll(store)).map((event) => [...event.tags].sort());
      expect(tags).toStrictEqual([['x:1', 'y:1', 'z:1'], ['z:1']]);
      expect(await notesIn(store, { criteria: [{ tags: ['z:1'] }] })).toStrictEqual([1, 2]);
      expect(await notesIn(store, { criteria: [{ tags: ['z:1', 'y:1'] }] })).toStrictEqual([1]);
    });

    it('keep all tags that are added to one event at the same time', async (sources, store) => {
      await append(store, 'a', notes(3));
      const events = await readAll(store);
      const names = ['a', 'b', 'c', 'd', 'e'];
      await Promise.all(names.map((name) => sources.add(events.map((event) => ({ event, tags: [`${name}:1`] })))));
      for (const { tags } of await readAll(store)) expect([...tags].sort()).toStrictEqual(names.map((name) => `${name}:1`));
    });
  });
}

function byProperty<T extends { readonly property: string }>(sources: readonly T[]): T[] {
  return [...sources].sort((a, b) => (a.property < b.property ? -1 : 1));
}
