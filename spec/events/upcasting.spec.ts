import {
  EventSourcing,
  type EventStore,
  MissingUpcasterError,
  type NewEvent,
  NewerEventError,
  type RecordedEvent,
  UnknownEventTypeError,
  UpcastError,
  upcasts,
} from 'eventfold';
import { AsyncSheet, InlineSheet, LiveSheet, OpenOrder, Order, Paid, Payments, Placed, upcasters } from '../controls/orders';
import { rejection } from '../controls/wallets';
import { kinds, promise, type Trial } from '../promises/stores';

const sheets = [AsyncSheet, InlineSheet, LiveSheet] as const;

/** Events of four releases, as each of them stored it. */
const history: NewEvent[] = [
  { type: 'OrderPlaced', schemaVersion: 1, data: { order: 'a', total: 1 } },
  { type: 'order.placed', schemaVersion: 2, data: { orderId: 'a', total: 2 } },
  { type: 'order.placed', schemaVersion: 3, data: { orderId: 'a', cents: 400, currency: 'SEK' } },
  { type: 'order.placed-and-paid', schemaVersion: 1, data: { orderId: 'a', total: 8 } },
  { type: 'order.settled', schemaVersion: 1, data: { id: 'a', amount: 50 } },
  { type: 'order.placed-and-paid', schemaVersion: 1, data: { orderId: 'a', total: 16 }, metadata: { isTest: true } },
];

async function append(trial: Trial, events: readonly NewEvent[], stream = 'Order:a'): Promise<readonly RecordedEvent[]> {
  const store = await trial.store();
  return (await store.append([{ stream, guard: { version: 'any' }, events }])).events;
}

async function open(trial: Trial, ...classes: readonly unknown[]): Promise<EventSourcing> {
  const store = await trial.store();
  return trial.adopt(await EventSourcing.open({ store, classes: classes as never, upcasters, retag: true }));
}

async function first<T>(events: AsyncIterable<T>, count: number): Promise<T[]> {
  const found: T[] = [];
  for await (const event of events) if (found.push(event) === count) break;
  return found;
}

promise('Upcasting', (trial) => {
  it('folds aggregates from every name and version, by their streams and by their boundaries', async () => {
    await append(trial, history);
    for (const target of [Order, OpenOrder]) {
      const es = await open(trial, target);
      const order = await es.load(target, { orderId: 'a' });
      expect(order.due).toBe(100 + 200 + 400 - 50);
      expect(order.seen).toStrictEqual([
        'order.placed 3 EUR',
        'order.placed 3 EUR',
        'order.placed 3 SEK',
        'order.placed 3 EUR',
        'order.paid 1',
        'order.paid 1',
      ]);
    }
  });

  it('emits under the present name and version only, after what is stored', async () => {
    await append(trial, history);
    const es = await open(trial, Order);
    const order = await es.load(Order, { orderId: 'a' });
    await order.pay(1);
    expect((await trial.stored()).at(-1)).toMatchObject({ type: 'order.paid', schemaVersion: 1, version: history.length + 1 });
    expect((await es.load(Order, { orderId: 'a' })).due).toBe(649);
  });

  it('folds projections of every mode, and those that care for one half of an event', async () => {
    await append(trial, history);
    const es = await open(trial, ...sheets, Payments);
    await es.projections.caughtUp();
    for (const target of sheets) {
      const sheet = await es.projections.get(target, { orderId: 'a' });
      const expected = ['placed 1', 'placed 2', 'placed 3', 'placed 4 1/2', 'paid 4 2/2', 'paid 5'];
      expect(sheet).toMatchObject({ due: 650, events: expected });
    }
    expect(await es.projections.get(Payments, { orderId: 'a' })).toMatchObject({ count: 2 });
    expect(await es.projections.parked()).toStrictEqual([]);
  });

  it('folds what older processes go on appending', async () => {
    const es = await open(trial, AsyncSheet, LiveSheet, Payments);
    await append(trial, [{ type: 'order.paid', data: { orderId: 'a', cents: 1 }, tags: ['orderId:a'] }]);
    await es.projections.caughtUp();
    const split = { ...history[3], tags: ['orderId:a'] } as NewEvent;
    await append(trial, [split]);
    await es.projections.caughtUp();
    for (const target of [AsyncSheet, LiveSheet])
      expect((await es.projections.get(target, { orderId: 'a' }))?.events).toStrictEqual([
        'paid 1',
        'placed 2 1/2',
        'paid 2 2/2',
      ]);
  });

  it('parks a stored event as a whole when one of its parts fails, and takes back the others', async () => {
    await append(trial, [history[0], { ...history[3], data: { orderId: 'a', total: 13 } }, history[2]] as NewEvent[]);
    const es = await open(trial, AsyncSheet);
    await es.projections.caughtUp();
    const parked = await es.projections.parked();
    expect(parked).toMatchObject([{ ids: { orderId: 'a' }, event: { type: 'order.placed-and-paid', version: 2 }, waiting: 1 }]);
    expect(await es.projections.get(AsyncSheet, { orderId: 'a' })).toMatchObject({ due: 100, events: ['placed 1'] });
    await es.projections.retry(AsyncSheet, { orderId: 'a' });
    expect(await es.projections.parked()).toMatchObject([{ attempts: 2, waiting: 1 }]);
    await es.projections.skip(AsyncSheet, { orderId: 'a' });
    expect(await es.projections.get(AsyncSheet, { orderId: 'a' })).toMatchObject({ due: 500, events: ['placed 1', 'placed 3'] });
  });

  it('gives events by class, whatever they are stored as, each part at the place of the whole', async () => {
    const recorded = await append(trial, history);
    const es = await open(trial, Placed, Paid);
    const all = await first(es.events(), 6);
    expect(all.map(({ data }) => data.constructor)).toStrictEqual([Placed, Placed, Placed, Placed, Paid, Paid]);
    expect(all.map(({ id, position, version }) => ({ id, position, version }))).toStrictEqual(
      [0, 1, 2, 3, 3, 4]
        .map((index) => recorded[index] as RecordedEvent)
        .map(({ id, position, version }) => ({ id, position, version })),
    );
    expect(all.map(({ part }) => part?.number)).toStrictEqual([undefined, undefined, undefined, 1, 2, undefined]);
    expect((await first(es.events({ types: [Paid] }), 2)).map(({ data }) => data)).toStrictEqual([
      Object.assign(new Paid(), { orderId: 'a', cents: 800 }),
      Object.assign(new Paid(), { orderId: 'a', cents: 50 }),
    ]);
  });

  it('leaves what is stored as it is', async () => {
    await append(trial, history);
    const before = (await trial.stored()).map(({ tags: _tags, ...event }) => JSON.stringify(event));
    const es = await open(trial, Order, ...sheets);
    await es.projections.caughtUp();
    await es.load(Order, { orderId: 'a' });
    expect((await trial.stored()).map(({ tags: _tags, ...event }) => JSON.stringify(event))).toStrictEqual(before);
  });

  const bad: [what: string, event: NewEvent, error: unknown, says: RegExp][] = [
    [
      'an upcaster throws',
      placedAt('throws'),
      UpcastError,
      /OrderUpcasters\.identified, from version 1 to "order.placed" version 2, threw Error: cannot/,
    ],
    ['it returns nothing', placedAt('nothing'), UpcastError, /OrderUpcasters\.identified.* returned undefined/],
    [
      'it returns what is of another event',
      placedAt('another'),
      UpcastError,
      /OrderUpcasters\.priced.* not of Placed: "orderId" is missing\. It was given what OrderUpcasters\.identified made\./,
    ],
    [
      'it returns what no event can hold',
      { type: 'order.placed', schemaVersion: 2, data: { orderId: 'a' } },
      UpcastError,
      /OrderUpcasters\.priced.* not of Placed: "cents" is NaN, which JSON has no word for/,
    ],
    [
      'no class and no upcaster knows the type',
      { type: 'order.placd', data: {} },
      UnknownEventTypeError,
      /Did you mean "order\.placed"/,
    ],
    [
      'the version is later than the code',
      { ...placedAt('a'), schemaVersion: 4 },
      NewerEventError,
      /version 4, and the code knows versions up to 3/,
    ],
    [
      'no upcaster knows the version',
      { ...(history[3] as NewEvent), schemaVersion: 2 },
      MissingUpcasterError,
      /version 2, which no upcaster reads/,
    ],
  ];

  it.each(bad)('says which event and which upcaster when %s; other instances are loaded', async (_what, event, type, says) => {
    await append(trial, [{ type: 'order.paid', data: { orderId: 'b', cents: 1 } }], 'Order:b');
    const es = await open(trial, Order);
    const [recorded] = (await append(trial, [event])) as [RecordedEvent];
    const error = (await rejection(es.load(Order, { orderId: 'a' }))) as UpcastError;
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ type: event.type, eventId: recorded.id, position: recorded.position });
    expect(error.message).toMatch(says);
    expect((await es.load(Order, { orderId: 'b' })).due).toBe(-1);
  });

  it('parks by itself what cannot be upcast, and goes on', async () => {
    const es = await open(trial, AsyncSheet);
    const [bad] = (await append(trial, [placedAt('throws')])) as [RecordedEvent];
    await append(trial, history, 'Order:a');
    await es.projections.caughtUp();
    expect(await es.projections.parked()).toMatchObject([{ ids: undefined, event: { id: bad.id }, error: { eventId: bad.id } }]);
    expect(await es.projections.get(AsyncSheet, { orderId: 'a' })).toMatchObject({ due: 650 });
  });
});

function placedAt(order: string): NewEvent {
  return { type: 'order.placed', schemaVersion: 1, data: { order, total: 1 } };
}

describe('What is stored', () => {
  const kind = kinds[0];
  let store: EventStore;
  beforeEach(async () => {
    store = (await (await kind?.make())?.open()) as EventStore;
  });

  it('cannot be passed over by anything but its name', async () => {
    const opening = EventSourcing.open({ store, classes: [Placed, Paid], upcasters, passOver: [Placed as never] });
    await expect(opening).rejects.toThrow('passOver as an array of stored names, not one with Placed.');
  });

  it('is passed over where a name is listed for that', async () => {
    await store.append([
      {
        stream: 's',
        guard: { version: 'any' },
        events: [{ type: 'legacy', data: {} }, { type: 'billing.sent', data: {} }, history[0] as NewEvent],
      },
    ]);
    const es = await EventSourcing.open({
      store,
      classes: [Placed, Paid],
      upcasters,
      passOver: ['legacy', 'billing.*'],
    });
    expect((await first(es.events(), 1))[0]).toMatchObject({ type: 'order.placed', schemaVersion: 3, version: 3 });
    expect(await es.check()).toStrictEqual([
      { type: 'OrderPlaced', schemaVersion: 1, count: 1, readAs: 'upcast' },
      { type: 'billing.sent', schemaVersion: 1, count: 1, readAs: 'passed over' },
      { type: 'legacy', schemaVersion: 1, count: 1, readAs: 'passed over' },
    ]);
    await es.close();
  });

  it('cannot be changed by who is given it, also where an upcaster gives the same thing for every event', async () => {
    const shared = { instance: Object.assign(new Placed(), { orderId: 'a', cents: 1, currency: 'EUR' }), due: new Date(0) };
    const given: unknown[] = [];
    const sharing = [
      upcasts(Placed, { from: 1, to: 3 }, (data: object) => {
        given.push(data);
        return shared.instance;
      }),
      upcasts(Placed, { from: 2, to: 3 }, () => ({ orderId: 'a', cents: 1, currency: 'EUR', due: shared.due })),
    ];
    const events = [1, 2].map((schemaVersion) => ({ type: 'order.placed', schemaVersion, data: { lines: [{ a: 1 }] } }));
    await store.append([{ stream: 's', guard: { version: 'any' }, events }]);
    const es = await EventSourcing.open({ store, classes: [Placed], upcasters: sharing });
    const [one, two] = (await first(es.events(), 2)) as [RecordedEvent<Placed>, RecordedEvent<Placed>];
    for (const { data } of [one, two]) expect(data).toBeInstanceOf(Placed);
    expect(() => Object.assign(one.data, { cents: 2 })).toThrow(TypeError);
    two.data.due?.setFullYear(1999);
    expect(shared.due).toStrictEqual(new Date(0));
    expect(Object.isFrozen(shared.instance)).toBe(false);
    const [data] = given as [{ lines: object[] }];
    for (const part of [data, data.lines, data.lines[0]]) expect(Object.isFrozen(part)).toBe(true);
    await es.close();
  });

  it('is held against the code at the start', async () => {
    const events = [
      { type: 'order.placed', schemaVersion: 4, data: {} },
      { type: 'order_paid', data: {} },
    ] as NewEvent[];
    await store.append([{ stream: 's', guard: { version: 'any' }, events }]);
    const opening = { store, classes: [Placed, Paid], upcasters };
    const error = (await rejection(EventSourcing.open(opening))) as Error;
    expect(error).toMatchObject({
      code: 'UNREADABLE_EVENTS',
      unreadable: [
        { type: 'order.placed', schemaVersion: 4, why: 'newer' },
        { type: 'order_paid', why: 'unknown' },
      ],
    });
    expect(error.message).toMatch(/Did you mean "order\.paid".* its name in passOver .*\n.*storedEvents: 'versions'/s);
    expect(await rejection(EventSourcing.open({ ...opening, storedEvents: 'versions' }))).toMatchObject({
      unreadable: [{ type: 'order.placed' }],
    });
    const es = await EventSourcing.open({ ...opening, storedEvents: 'off' });
    expect(await rejection(es.check())).toMatchObject({
      unreadable: [{ why: 'newer' }, { why: 'unknown', remedy: expect.stringMatching(/Did you mean "order\.paid"/) }],
    });
    await es.close();
  });
});
