import { InMemoryEventStore, InvalidPositionError, type NewEvent, type Position } from 'eventfold';
import { eventStoreSuite } from 'eventfold/testing';

eventStoreSuite('InMemoryEventStore', async () => new InMemoryEventStore());

describe('InMemoryEventStore', () => {
  it('refuses the positions of another store everywhere', async () => {
    const [store, other] = [new InMemoryEventStore(), new InMemoryEventStore()];
    const mine = await appendTo(store);
    const theirs = await appendTo(other);
    const guard = { condition: { criteria: [], after: theirs } };

    expect(() => store.position(theirs)).toThrow(InvalidPositionError);
    expect(() => store.compare(mine, theirs)).toThrow(InvalidPositionError);
    await expect(readAll(store, theirs)).rejects.toThrow(InvalidPositionError);
    await expect(store.page({}, { first: 1, after: theirs })).rejects.toThrow(InvalidPositionError);
    await expect(store.append([{ stream: 'a', events: [noted], guard }])).rejects.toThrow(InvalidPositionError);
    expect(await store.head()).toBe(mine);
  });

  it('names the position that it refuses', () => {
    expect(() => new InMemoryEventStore().position('made-up')).toThrow(
      expect.objectContaining({ code: 'INVALID_POSITION', position: 'made-up' }),
    );
  });

  it('does not give the position of an append that was taken back to another', async () => {
    const store = new InMemoryEventStore();
    let taken: Position | undefined;
    const failing = store.append([{ stream: 'a', events: [noted], guard: { version: 'any' } }], ([event]) => {
      taken = event?.position;
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    const position = await appendTo(store);
    expect(store.compare(position, taken as Position)).toBeGreaterThan(0);
  });

  it('gives events the time and the id that its options make', async () => {
    let count = 0;
    const ids = () => {
      count += 1;
      return `event-${count}`;
    };
    const store = new InMemoryEventStore({ clock: () => new Date(Date.UTC(2001, 0, 1)), ids });
    const given = { ...noted, id: 'given', time: '2002-02-02T00:00:00.000Z' };
    const { events } = await store.append([{ stream: 'a', events: [noted, given, noted], guard: { version: 'any' } }]);
    expect(events.map(({ id, time }) => [id, time])).toStrictEqual([
      ['event-1', '2001-01-01T00:00:00.000Z'],
      ['given', '2002-02-02T00:00:00.000Z'],
      ['event-2', '2001-01-01T00:00:00.000Z'],
    ]);
  });

  it('returns data with the prototypes that were given', async () => {
    class Noted {
      constructor(readonly inner: Noted | undefined) {}
    }
    const store = new InMemoryEventStore();
    const data = new Noted(new Noted(undefined));
    const { events } = await store.append([{ stream: 'a', events: [{ type: 'noted', data }], guard: { version: 'any' } }]);
    expect(events[0]?.data).toStrictEqual(data);
  });

  it('returns deeply frozen events', async () => {
    const store = new InMemoryEventStore();
    const event: NewEvent = { type: 'noted', data: { list: [{ at: 1 }] }, metadata: { by: { name: 'me' } }, tags: ['a:1'] };
    const { events } = await store.append([{ stream: 'a', events: [event], guard: { version: 'any' } }]);
    await store.retag(['noted'], () => ['b:2']);
    for (const recorded of [...events, ...(await readAll(store))]) expect(unfrozen(recorded)).toStrictEqual([]);
  });

  it('shares what cannot be changed between readers', async () => {
    const store = new InMemoryEventStore();
    await appendTo(store);
    const [[first], [again]] = [await readAll(store), await readAll(store)];
    expect(first).toBe(again);
  });
});

const noted: NewEvent = { type: 'noted', data: { note: 'x' } };

async function appendTo(store: InMemoryEventStore): Promise<Position> {
  const { position } = await store.append([{ stream: 'a', events: [noted], guard: { version: 'any' } }]);
  return position as Position;
}

async function readAll(store: InMemoryEventStore, after?: Position): Promise<object[]> {
  const events: object[] = [];
  for await (const event of store.read(after === undefined ? {} : { after })) events.push(event);
  return events;
}

function unfrozen(value: unknown, path = 'event'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.entries(value).flatMap(([key, inner]) => unfrozen(inner, `${path}.${key}`));
  return Object.isFrozen(value) ? inside : [path, ...inside];
}
