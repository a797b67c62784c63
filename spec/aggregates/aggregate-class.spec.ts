import {
  Aggregate,
  AggregateRoot,
  Command,
  createEvent,
  Event,
  type EventQuery,
  EventSourcing,
  type EventStream,
  HandlerError,
  Handles,
  InMemoryEventStore,
  MisplacedEmitError,
  ProjectionId,
  type RecordedEvent,
  ReplayError,
  UnhandledEventError,
  UnknownEventTypeError,
  versionOf,
} from 'eventfold';
import { Counted, Credited, Moved, openWallets, rejection, Tally, Wallet } from '../controls/wallets';

@Event('tally.renamed')
class Renamed {
  tallyId!: string;
}

/** Reads what a test says it reads. */
class MisreadingStore extends InMemoryEventStore {
  misread = (events: RecordedEvent[]) => events;

  override read(query: EventQuery): EventStream {
    const stream = super.read(query);
    const { misread } = this;
    return Object.assign(stream, {
      async *chunks() {
        const events: RecordedEvent[] = [];
        for await (const event of { [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator]() }) events.push(event);
        yield misread(events);
      },
    });
  }
}

describe('folding a history', () => {
  it.each([
    ['an event is missing', (events: RecordedEvent[]) => events.slice(1), { expected: 1, actual: 2 }],
    ['two come in the wrong order', (events: RecordedEvent[]) => [...events].reverse(), { expected: 1, actual: 3 }],
    ['one comes twice', (events: RecordedEvent[]) => events.flatMap((event) => [event, event]), { expected: 2, actual: 1 }],
  ])('stops when %s', async (_what, misread, fields) => {
    const store = new MisreadingStore();
    const events = [1, 2, 3].map((by) => ({ type: 'tally.counted', data: { tallyId: 'a', by } }));
    await store.append([{ stream: 'Tally:a', guard: { version: 'none' }, events }]);
    const es = await EventSourcing.open({ store, classes: [Tally] });
    Object.assign(store, { misread });
    const error = await rejection(es.load(Tally, { tallyId: 'a' }));
    expect(error).toBeInstanceOf(ReplayError);
    expect(error).toMatchObject({ stream: 'Tally:a', ...fields });
  });

  it('stops at an event of another instance, naming both', async () => {
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Tally] });
    await store.append([
      { stream: 'Tally:a', guard: { version: 'none' }, events: [{ type: 'tally.counted', data: { tallyId: 'b', by: 1 } }] },
    ]);
    const error = await rejection(es.load(Tally, { tallyId: 'a' }));
    expect(error).toBeInstanceOf(ReplayError);
    expect(error).toMatchObject({ stream: 'Tally:a', expected: 'Tally:a', actual: 'Tally:b' });
  });

  it('stops at an event of an unknown type, naming type, id and position', async () => {
    const { es, store } = await openWallets();
    await store.append([{ stream: 'Tally:a', guard: { version: 'none' }, events: [{ id: 'e', type: 'tally.lost', data: {} }] }]);
    const error = await rejection(es.load(Tally, { tallyId: 'a' }));
    expect(error).toBeInstanceOf(UnknownEventTypeError);
    expect(error).toMatchObject({ type: 'tally.lost', eventId: 'e', position: await store.head() });
  });

  it('passes over a known event that it does not handle', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Tally, Renamed] });
    await es.appendUnguarded('Tally:a', [createEvent(Renamed, { tallyId: 'a' })]);
    const tally = await es.load(Tally, { tallyId: 'a' });
    await tally.count(1);
    expect([tally.total, versionOf(tally)]).toEqual([1, 2]);
  });

  it('does not run commands, and does not emit', async () => {
    let emitted = 0;
    @Aggregate()
    class Eager extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      total = 0;
      @Command() async count() {
        emitted += 1;
        this.emit(Counted, { by: 1 });
      }
      @Handles(Counted) protected counted(event: Counted) {
        this.total += event.by;
        if (event.by === 5) {
          void this.count();
          this.emit(Counted, { by: 100 });
        }
      }
    }
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Eager] });
    await es.append('Eager:a', [createEvent(Counted, { tallyId: 'a', by: 5 })], { version: 'none' });
    const eager = await es.load(Eager, { tallyId: 'a' });
    expect([eager.total, emitted]).toEqual([5, 0]);
    expect(await es.statsOf(Eager, { tallyId: 'a' })).toMatchObject({ version: 1 });
  });

  it('leaves an instance whose history could not be folded usable once it can be', async () => {
    let isBroken = false;
    @Aggregate({ guard: 'boundary' })
    class Fragile extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      readonly steps: number[] = [];
      @Command() async count(by: number) {
        this.emit(Counted, { by });
      }
      @Handles(Counted) protected counted(event: Counted) {
        this.steps.push(event.by);
        if (isBroken) throw new Error('broken');
      }
    }
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Fragile] });
    const [one, other] = [await es.create(Fragile, { tallyId: 'a' }), await es.loadOrCreate(Fragile, { tallyId: 'a' })];
    await one.count(1);
    isBroken = true;
    await expect(other.count(2)).rejects.toBeInstanceOf(HandlerError);
    isBroken = false;
    await other.count(3);
    expect(other.steps).toEqual([1, 3]);
  });
});

describe('a strict aggregate', () => {
  async function opened(...ignores: (typeof Renamed)[]) {
    @Aggregate({ strict: true, ignores })
    class Strict extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      @Handles(Counted) protected counted() {}
    }
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Strict, Renamed] });
    await es.append('Strict:a', [createEvent(Counted, { tallyId: 'a', by: 1 }), createEvent(Renamed, { tallyId: 'a' })], {
      version: 'none',
    });
    return { store, load: () => es.load(Strict, { tallyId: 'a' }) };
  }

  it('refuses an event that it does not handle, by name', async () => {
    const { store, load } = await opened();
    const error = await rejection(load());
    expect(error).toBeInstanceOf(UnhandledEventError);
    expect(error).toMatchObject({ type: 'Strict', event: 'tally.renamed', position: await store.head() });
  });

  it('passes over an event that it ignores', async () => {
    const { load } = await opened(Renamed);
    expect(versionOf(await load())).toBe(2);
  });
});

describe('a handler of an aggregate', () => {
  it('that throws while loading is an error that names it, the event, and the cause', async () => {
    const cause = new Error('boom');
    @Aggregate()
    class Bomb extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      @Handles(Counted) protected counted() {
        throw cause;
      }
    }
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Bomb], ids: () => 'id-1' });
    await es.append('Bomb:a', [createEvent(Counted, { tallyId: 'a', by: 1 })], { version: 'none' });
    const error = await rejection(es.load(Bomb, { tallyId: 'a' }));
    expect(error).toBeInstanceOf(HandlerError);
    expect(error).toMatchObject({ member: 'Bomb.counted', cause });
    expect((error as HandlerError).event).toContain('tally.counted id-1');
  });

  it.each(['text', undefined, null, 5, Symbol('x'), Object.create(null), {}])('may throw %p', async (thrown) => {
    @Aggregate()
    class Odd extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      @Handles(Counted) protected counted() {
        throw thrown;
      }
    }
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Odd] });
    await es.append('Odd:a', [createEvent(Counted, { tallyId: 'a', by: 1 })], { version: 'none' });
    const error = await rejection(es.load(Odd, { tallyId: 'a' }));
    expect(error).toBeInstanceOf(HandlerError);
    expect((error as Error).cause).toBe(thrown);
  });

  it('that returns a promise is refused, and a rejection of it is not left unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    @Aggregate()
    class Late extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      @Command() async count() {
        this.emit(Counted, { by: 1 });
      }
      @Handles(Counted) protected async counted() {
        throw new Error('late');
      }
    }
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Late] });
    const late = await es.create(Late, { tallyId: 'a' });
    const error = await rejection(late.count());
    expect(error).toBeInstanceOf(HandlerError);
    expect((error as Error).message).toContain('returned a promise');
    expect(await store.head()).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('that calls a command is refused', async () => {
    @Aggregate()
    class Nosy extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      @Command() async count() {
        this.emit(Counted, { by: 1 });
      }
      @Handles(Counted) protected counted() {
        void this.count();
      }
    }
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Nosy] });
    const error = await rejection((await es.create(Nosy, { tallyId: 'a' })).count());
    expect(error).toBeInstanceOf(HandlerError);
    expect((error as Error).cause).toBeInstanceOf(MisplacedEmitError);
    expect(await store.head()).toBeUndefined();
  });
});

describe('an aggregate with several ids', () => {
  @Event('seat.booked')
  class Booked {
    flight!: string;
    seat!: number;
    passenger!: string;
  }

  @Aggregate()
  class Seat extends AggregateRoot<'flightNumber' | 'seat' | 'flight'> {
    @ProjectionId() readonly flightNumber!: string;
    @ProjectionId() readonly seat!: number;
    passenger = '';
    @Command() async book(passenger: string) {
      this.emit(Booked, { passenger });
    }
    @Handles(Booked, { flightNumber: 'flight' }) protected booked(event: Booked) {
      this.passenger = event.passenger;
    }
  }

  it.each(['stream', 'boundary'] as const)('gets the events that match all of them (guarded by its %s)', async (guard) => {
    @Aggregate({ name: 'Place', ...(guard === 'boundary' && { guard }) })
    class Place extends Seat {}
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Place] });
    expect(es.registry.describe(Place).guard).toBe(guard);
    const seats = [
      { flightNumber: 'LH1', seat: 1 },
      { flightNumber: 'LH1', seat: 2 },
      { flightNumber: 'LH2', seat: 1 },
      { flightNumber: 'LH|1', seat: 2 },
      { flightNumber: 'LH\\', seat: 12 },
    ];
    for (const [index, ids] of seats.entries()) await (await es.create(Place, ids)).book(`p${index}`);
    for (const [index, ids] of seats.entries()) expect((await es.load(Place, ids)).passenger).toBe(`p${index}`);
    const events = [];
    for await (const event of store.read({})) events.push(event.data);
    expect(events[1]).toStrictEqual(createEvent(Booked, { flight: 'LH1', seat: 2, passenger: 'p1' }));
  });
});

describe('an aggregate without ids', () => {
  @Event('log.written')
  class Written {
    text!: string;
  }

  @Aggregate()
  class Log extends AggregateRoot {
    readonly lines: string[] = [];
    @Command() async write(text: string) {
      this.emit(Written, { text });
    }
    @Handles(Written) protected written(event: Written) {
      this.lines.push(event.text);
    }
  }

  it('is one instance', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Log] });
    await (await es.create(Log, {})).write('a');
    await (await es.load(Log, {})).write('b');
    expect((await es.load(Log, {})).lines).toEqual(['a', 'b']);
    expect(es.streamOf(Log, {})).toBe('Log');
  });
});

describe('ids that are no texts', () => {
  @Event('row.set')
  class RowSet {
    row!: number | bigint | boolean;
    value!: string;
  }

  @Aggregate()
  class Row extends AggregateRoot<'row'> {
    @ProjectionId() readonly row!: number | bigint | boolean;
    value = '';
    @Command() async set(value: string) {
      this.emit(RowSet, { value });
    }
    @Handles(RowSet) protected wasSet(event: RowSet) {
      this.value = event.value;
    }
  }

  @Aggregate({ guard: 'boundary' })
  class OpenRow extends Row {}

  it.each([
    [Row, 0],
    [Row, 7],
    [Row, 9_007_199_254_740_993n],
    [Row, false],
    [OpenRow, 7],
    [OpenRow, 9_007_199_254_740_993n],
    [OpenRow, true],
  ])('find the instance (%p %p)', async (target, row) => {
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [target] });
    await (await es.create(target, { row })).set('x');
    const loaded = await es.load(target, { row });
    expect(loaded.value).toBe('x');
    expect(loaded.row).toBe(row);
    await loaded.set('y');
    const events = [];
    for await (const event of store.read({})) events.push(event.data);
    expect(events).toStrictEqual(['x', 'y'].map((value) => createEvent(RowSet, { row, value })));
  });
});

describe('an id map that computes', () => {
  @Event('meeting.held')
  class Held {
    people!: string[];
    hosts!: string[];
  }

  @Aggregate()
  class Person extends AggregateRoot<'person'> {
    @ProjectionId() readonly person!: string;
    count = 0;
    hosted = 0;
    @Command() async meet(...others: string[]) {
      this.emit(Held, { people: [this.person, ...others], hosts: [this.person] });
    }
    @Handles(Held, { person: 'people' }) protected met() {
      this.count += 1;
    }
    @Handles(Held, { person: (event) => event.hosts }) protected hostedOne() {
      this.hosted += 1;
    }
  }

  it('hands the event to each instance of an array, once for each handler', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Person] });
    const ann = await es.create(Person, { person: 'ann' });
    await ann.meet('bob', 'bob', 'ann');
    const bob = await es.load(Person, { person: 'bob' });
    await bob.meet('ann');
    expect([await es.load(Person, { person: 'ann' }), await es.load(Person, { person: 'bob' })]).toMatchObject([
      { count: 2, hosted: 1 },
      { count: 2, hosted: 1 },
    ]);
    expect(es.registry.describe(Person).guard).toBe('boundary');
  });

  it('does not mix the ids of two handlers of one event', async () => {
    @Event('pair.made')
    class Made {
      a!: string;
      b!: string;
      c!: string;
      d!: string;
    }
    @Aggregate()
    class Pair extends AggregateRoot<'left' | 'right'> {
      @ProjectionId() readonly left!: string;
      @ProjectionId() readonly right!: string;
      made = 0;
      @Command() async make(c: string, d: string) {
        this.emit(Made, { a: this.left, b: this.right, c, d });
      }
      @Handles(Made, { left: (event) => event.a, right: (event) => event.b }) protected first() {
        this.made += 1;
      }
      @Handles(Made, { left: (event) => event.c, right: (event) => event.d }) protected second() {
        this.made += 1;
      }
    }
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Pair] });
    await (await es.create(Pair, { left: '1', right: '2' })).make('3', '4');
    expect(await es.load(Pair, { left: '3', right: '4' })).toMatchObject({ made: 1 });
    const other = await es.loadOrCreate(Pair, { left: '1', right: '4' });
    expect(other).toMatchObject({ made: 0 });
    await other.make('5', '6');
    expect(await es.load(Pair, { left: '1', right: '4' })).toMatchObject({ made: 1 });
  });
});

describe('inheritance', () => {
  class Base extends AggregateRoot<'tallyId'> {
    @ProjectionId() readonly tallyId!: string;
    total = 0;
    @Command() async count(by: number) {
      this.emit(Counted, { by });
    }
    @Command() async twice(by: number) {
      await this.count(by);
      await this.count(by);
    }
    @Handles(Counted) protected counted(event: Counted) {
      this.total += event.by;
    }
  }

  @Aggregate()
  class Plain extends Base {}

  @Aggregate()
  class Tenfold extends Base {
    override async count(by: number) {
      await super.count(by * 10);
    }
    protected override counted(event: Counted) {
      super.counted(event);
      this.total += 1;
    }
  }

  it('gives a class the commands, handlers and ids of its base', async () => {
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Plain] });
    const plain = await es.create(Plain, { tallyId: 'a' });
    await plain.twice(3);
    expect((await es.load(Plain, { tallyId: 'a' })).total).toBe(6);
  });

  it('lets a class override a command and a handler without decorating them again', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Tenfold] });
    const tenfold = await es.create(Tenfold, { tallyId: 'a' });
    await tenfold.twice(3);
    expect((await es.load(Tenfold, { tallyId: 'a' })).total).toBe(62);
    expect(es.stats().commandsProcessed).toBe(1);
  });

  it('makes two classes of one base that share an event depend on one another', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Plain, Tenfold] });
    expect(es.registry.describe(Plain).guard).toBe('boundary');
    await (await es.create(Plain, { tallyId: 'a' })).count(3);
    expect((await es.load(Tenfold, { tallyId: 'a' })).total).toBe(4);
  });
});

describe('the guard', () => {
  it('is the version of the stream while no other aggregate handles the events', async () => {
    const { es, store } = await openWallets();
    expect(es.registry.describe(Tally).guard).toBe('stream');
    expect(es.registry.describe(Wallet).guard).toBe('boundary');
    await (await es.create(Tally, { tallyId: 'a' })).count(1);
    for await (const event of store.read({})) expect(event.tags).toEqual([]);
  });

  it('is the boundary where another aggregate handles an event, so that either sees the other', async () => {
    @Aggregate()
    class Auditor extends AggregateRoot<'walletId'> {
      @ProjectionId() readonly walletId!: string;
      credits = 0;
      @Command() async credit() {
        this.emit(Credited, { amount: 1_000 });
      }
      @Handles(Credited) protected credited() {
        this.credits += 1;
      }
    }
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Wallet, Auditor] });
    const wallet = await es.create(Wallet, { walletId: 'a' });
    const auditor = await es.loadOrCreate(Auditor, { walletId: 'a' });
    await wallet.credit(1);
    const rivals = [1];
    await auditor.credit();
    await wallet.credit(2, async () => {
      if (rivals.pop() !== undefined) await auditor.credit();
    });
    expect(wallet.movements).toEqual([1, 1_000, 1_000, 2]);
    expect((await es.load(Auditor, { walletId: 'a' })).credits).toBe(4);
  });

  it('sees an event in the stream of a third one that names the instance', async () => {
    const { es } = await openWallets();
    const a = await es.create(Wallet, { walletId: 'a' });
    await a.credit(10);
    const stranger = await es.create(Wallet, { walletId: 'z' });
    await stranger.credit(5);
    await expect(
      a.move('b', 10, async () => {
        if (a.balance === 10) await es.appendUnguarded('Wallet:b', [createEvent(Moved, { from: 'a', to: 'b', amount: 4 })]);
      }),
    ).rejects.toMatchObject({ message: 'a holds 6' });
  });
});
