import { EventSourcing, RebuildFailedError, type RecordedEvent, UnreadableEventsError } from 'eventfold';
import { type DatabasePlace, describeDatabases } from '../controls/databases';
import { AsyncSheet, InlineSheet, LiveSheet, Order, upcasters } from '../controls/orders';
import { rejection } from '../controls/wallets';

/** What was done to a row by hand, and the error that tells of it. */
interface Damage {
  readonly changes: Readonly<Record<string, string | number>>;
  readonly error: object;
}

/** By the stream whose row it is. A type that nobody knows comes last: no projection can tell that the event was its own. */
const damages: Readonly<Record<string, Damage>> = {
  'cut JSON': { changes: { data: '{"order":' }, error: { code: 'UNREADABLE_PAYLOAD' } },
  'cut metadata': {
    changes: { metadata: '{"actor":' },
    error: { code: 'UNREADABLE_PAYLOAD', reason: 'is stored with metadata or tags that are no JSON' },
  },
  'no object': { changes: { data: '[1]' }, error: { code: 'UNREADABLE_PAYLOAD' } },
  'a value of another kind': {
    changes: { schema_version: 3, data: '{"orderId":"x","cents":1,"currency":"EUR","due":"soon"}' },
    error: { code: 'UNREADABLE_PAYLOAD', path: 'due' },
  },
  'text for a number': {
    changes: { schema_version: 3, data: '{"orderId":"x","cents":"1","currency":"EUR"}' },
    error: { code: 'UNREADABLE_PAYLOAD', path: 'cents', reason: 'is a string where the class declares a number' },
  },
  'a version that no code had': { changes: { schema_version: 0 }, error: { code: 'MISSING_UPCASTER', known: 3 } },
  'a later version': { changes: { schema_version: 9 }, error: { code: 'NEWER_EVENT', known: 3 } },
  'the data of another event': { changes: { data: '{"name":"x"}' }, error: upcastBy('OrderUpcasters.priced', /identified/) },
  'what an upcaster throws at': {
    changes: { data: '{"order":"throws"}' },
    error: upcastBy('OrderUpcasters.identified', /threw/),
  },
  'what an upcaster makes nothing of': {
    changes: { data: '{"order":"nothing"}' },
    error: upcastBy('OrderUpcasters.identified', /returned undefined/),
  },
  'another type': {
    changes: { type: 'order.plced' },
    error: { code: 'UNKNOWN_EVENT_TYPE', message: expect.stringContaining('Did you mean "order.placed"?') },
  },
};

const streams = Object.keys(damages);

function upcastBy(name: string, says: RegExp): object {
  return { code: 'UPCAST', upcaster: expect.objectContaining({ name }), message: expect.stringMatching(says) };
}

describeDatabases('Rows that were damaged by hand', (database) => {
  let place: DatabasePlace;
  let es: EventSourcing;
  let recorded: readonly RecordedEvent[];

  beforeAll(async () => {
    place = await database.make();
    const store = await place.open();
    const appends = [...streams, 'whole'].map((order) => ({
      stream: `Order:${order}`,
      guard: { version: 'none' } as const,
      events: [{ type: 'order.placed', data: { order, total: 1 }, tags: [`orderId:${order}`] }],
    }));
    recorded = (await store.append(appends)).events;
    const dataSource = await place.dataSource();
    const rows = dataSource.entityMetadatas.find(({ tableName }) => tableName.endsWith('events'))?.name as string;
    for (const [stream, { changes }] of Object.entries(damages))
      await dataSource.getRepository(rows).update({ stream: `Order:${stream}` }, changes);
    const classes = [Order, AsyncSheet, InlineSheet, LiveSheet];
    es = await EventSourcing.open({ store, classes, upcasters, storedEvents: 'off', projections: { run: 'manual' } });
    es.projections.errors().subscribe();
    await es.projections.start();
  });

  afterAll(async () => {
    await es?.close();
    await place?.drop();
  });

  /** The error that tells of a row, with where it lies. */
  function errorAt(stream: string): object {
    const { error } = damages[stream] as Damage;
    const { id, position } = recorded[streams.indexOf(stream)] as RecordedEvent;
    return 'code' in error && error.code === 'UNREADABLE_PAYLOAD'
      ? { ...error, event: { id, position } }
      : { ...error, eventId: id, position };
  }

  it('are found by a check, as far as their names and versions tell', async () => {
    const error = await rejection(es.check());
    expect(error).toBeInstanceOf(UnreadableEventsError);
    expect((error as UnreadableEventsError).unreadable).toMatchObject([
      { type: 'order.placed', schemaVersion: 0, count: 1, why: 'no upcaster', remedy: expect.stringMatching(/^Versions begin/) },
      { type: 'order.placed', schemaVersion: 9, count: 1, why: 'newer' },
      { type: 'order.plced', schemaVersion: 1, count: 1, why: 'unknown' },
    ]);
  });

  it('are each named when their aggregate is loaded; others are loaded', async () => {
    for (const orderId of streams) expect(await rejection(es.load(Order, { orderId }))).toMatchObject(errorAt(orderId));
    expect((await es.load(Order, { orderId: 'whole' })).due).toBe(100);
  });

  it('are each named to who follows the events, and left behind by who goes on after them', async () => {
    for (const [index, stream] of streams.entries()) {
      const before = recorded[index - 1]?.position;
      const next = es
        .events(before === undefined ? {} : { after: before })
        [Symbol.asyncIterator]()
        .next();
      expect(await rejection(next)).toMatchObject(errorAt(stream));
    }
    for await (const { data } of es.events({ after: recorded.at(-2)?.position as never })) {
      expect(data).toMatchObject({ orderId: 'whole' });
      break;
    }
  });

  it('are parked each by itself by async and inline projections, which go on', async () => {
    await es.projections.caughtUp();
    for (const sheet of [AsyncSheet, InlineSheet]) {
      const parked = (await es.projections.parked()).filter(({ projection }) => projection === sheet.name);
      expect(parked.map(({ event, ids }) => [event.id, ids])).toStrictEqual(
        recorded.slice(0, streams.length - 1).map(({ id }) => [id, undefined]),
      );
      for (const { error, event } of parked) expect(error).toMatchObject({ eventId: event.id, position: event.position });
    }
    for (const sheet of [AsyncSheet, InlineSheet, LiveSheet])
      expect(await es.projections.get(sheet, { orderId: 'whole' })).toMatchObject({ due: 100 });
  });

  it('stop a rebuild, which names the first, or are parked by it', async () => {
    await es.projections.caughtUp();
    const [first] = recorded as [RecordedEvent];
    for (const sheet of [AsyncSheet, InlineSheet]) {
      const error = await rejection(es.projections.rebuild(sheet));
      expect(error).toBeInstanceOf(RebuildFailedError);
      expect(error).toMatchObject({ eventId: first.id, eventType: 'order.placed', position: first.position });
      expect((error as Error).message).toMatch(/[^.]\. Mend that and rebuild it: it begins anew\.$/);
      const { failures } = await es.projections.rebuild(sheet, { onFailure: 'park' });
      expect(failures.map(({ event }) => event.id)).toStrictEqual(recorded.slice(0, streams.length - 1).map(({ id }) => id));
      expect(await es.projections.get(sheet, { orderId: 'whole' })).toMatchObject({ due: 100 });
    }
  });

  it('do not hold up what is appended from then on', async () => {
    await (await es.load(Order, { orderId: 'whole' })).pay(40);
    await es.projections.caughtUp();
    for (const sheet of [AsyncSheet, InlineSheet, LiveSheet])
      expect(await es.projections.get(sheet, { orderId: 'whole' })).toMatchObject({ due: 60 });
  });
});
