import {
  Aggregate,
  AggregateRoot,
  Command,
  type EventSourcing,
  Handles,
  InMemoryEventStore,
  InvalidPositionError,
  NotRegisteredError,
  ProjectionId,
  type RecordedEvent,
  UnknownEventTypeError,
} from 'eventfold';
import { config, take, toArray } from 'rxjs';
import { Added, AsyncTally, added, Moved, moved, openTally, Poisoned, poisoned } from '../controls/tally';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const amountOf = ({ data }: RecordedEvent) => (data as Added).amount;

@Aggregate()
class Adder extends AggregateRoot<'id'> {
  @ProjectionId() id!: string;

  @Command()
  async add(amount: number) {
    this.emit(Added, { amount });
  }

  @Handles(Added)
  protected added() {}
}

describe('EventFeed', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  beforeEach(async () => {
    store = new InMemoryEventStore();
    es = await openTally([Added, Moved, Poisoned], store);
  });
  afterEach(() => es.close());

  const appendAll = (amounts: readonly number[]) =>
    es.appendUnguarded(
      's',
      amounts.map((amount) => added('a', amount)),
    );
  const first = (count: number, feed = es.events()) =>
    new Promise<RecordedEvent[]>((done) => feed.pipe(take(count), toArray()).subscribe(done));

  it('gives history first, then what is appended, each event once and in order', async () => {
    await appendAll(range(3_000));
    const got = first(3_500);
    await Promise.all(range(500, 3_000).map((amount) => appendAll([amount])));
    expect((await got).map(amountOf)).toStrictEqual(range(3_500));
  });

  it('loses and doubles nothing wherever a subscription begins while appends go on', async () => {
    const feeds: Promise<RecordedEvent[]>[] = [];
    for (const amount of range(60)) {
      feeds.push(first(100));
      await appendAll([amount]);
    }
    await appendAll(range(40, 60));
    for (const got of await Promise.all(feeds)) expect(got.map(amountOf)).toStrictEqual(range(100));
  });

  it('gives events as frozen instances of their classes, equal to what append returned', async () => {
    const { events } = await es.appendUnguarded('s', [added('a', 1), moved('a', 'b', 2)]);
    const got = await first(2);
    expect(got).toStrictEqual(events);
    expect(got.map(({ data }) => data.constructor)).toStrictEqual([Added, Moved]);
    expect(got.every(({ data }) => Object.isFrozen(data))).toBe(true);
  });

  it('begins after a position, which may come as text from outside', async () => {
    const { events } = await appendAll(range(5));
    const after = JSON.parse(JSON.stringify(events[2]?.position)) as string;
    expect((await first(2, es.events({ after }))).map(amountOf)).toStrictEqual([3, 4]);
    const live = first(1, es.events({ after: events[4]?.position }));
    await appendAll([5]);
    expect((await live).map(amountOf)).toStrictEqual([5]);
  });

  it('gives only the types that were asked for', async () => {
    await es.appendUnguarded('s', [added('a', 1), moved('a', 'b', 2), poisoned('a')]);
    const feed = es.events({ types: [Moved, Poisoned] });
    expect((await first(2, feed as never)).map(({ type }) => type)).toStrictEqual(['tally.moved', 'tally.poisoned']);
    const none = await openTally([Added, Moved, Poisoned], store);
    const seen: unknown[] = [];
    const ended = new Promise<void>((complete) =>
      none.events({ types: [] }).subscribe({ next: (event) => seen.push(event), complete }),
    );
    await none.close();
    await ended;
    expect(seen).toStrictEqual([]);
  });

  it('refuses a position of no use, and a class that is no registered event', () => {
    expect(() => es.events({ after: 'yesterday' })).toThrow(InvalidPositionError);
    expect(() => es.events({ types: [AsyncTally] })).toThrow(NotRegisteredError);
  });

  it('ends with an error at a stored event of unknown type, naming type, id and position', async () => {
    await appendAll([1]);
    const { events } = await store.append([
      { stream: 's', guard: { version: 'any' }, events: [{ type: 'unheard.of', id: 'the-id', data: {} }] },
    ]);
    await appendAll([2]);
    const seen: unknown[] = [];
    const error = await new Promise((failed) =>
      es.events().subscribe({ next: (event) => seen.push(amountOf(event)), error: failed }),
    );
    expect(error).toBeInstanceOf(UnknownEventTypeError);
    expect(error).toMatchObject({ type: 'unheard.of', eventId: 'the-id', position: events[0]?.position });
    expect(seen).toStrictEqual([1]);
    expect((await first(2, es.events({ types: [Added] }) as never)).map(amountOf)).toStrictEqual([1, 2]);
    const looped = (async () => {
      for await (const event of es.events()) seen.push(amountOf(event));
    })();
    await expect(looped).rejects.toBeInstanceOf(UnknownEventTypeError);
  });

  it('goes on for everybody when a subscriber throws', async () => {
    const unhandled: unknown[] = [];
    const { onUnhandledError } = config;
    config.onUnhandledError = (error) => unhandled.push(error);
    try {
      const seen: unknown[] = [];
      es.events().subscribe((event) => {
        seen.push(amountOf(event));
        throw new Error('subscriber');
      });
      const others = first(3);
      await appendAll([1]);
      await appendAll([2, 3]);
      expect((await others).map(amountOf)).toStrictEqual([1, 2, 3]);
      await new Promise((turn) => setTimeout(turn));
      expect(seen).toStrictEqual([1, 2, 3]);
      expect(unhandled).toHaveLength(3);
    } finally {
      config.onUnhandledError = onUnhandledError;
    }
  });

  it('gives a subscriber nothing after it has unsubscribed', async () => {
    await appendAll(range(10));
    const seen: unknown[] = [];
    const { subscription, done } = await new Promise<{ subscription: { unsubscribe(): void }; done: Promise<void> }>((ready) => {
      let end!: () => void;
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const made = es.events().subscribe((event) => {
        seen.push(amountOf(event));
        if (seen.length === 3) {
          made.unsubscribe();
          end();
        }
      });
      ready({ subscription: made, done: ended });
    });
    await done;
    await appendAll([10]);
    await first(11);
    subscription.unsubscribe();
    expect(seen).toStrictEqual([0, 1, 2]);
  });

  it('lets the event loop go on between the chunks of a long history', async () => {
    await appendAll(range(20_000));
    const seen: number[] = [];
    let seenAtTurn = -1;
    const done = new Promise<void>((complete) =>
      es
        .events()
        .pipe(take(20_000))
        .subscribe({ next: (event) => seen.push(amountOf(event)), complete }),
    );
    setImmediate(() => {
      seenAtTurn = seen.length;
    });
    await done;
    expect(seenAtTurn).toBeGreaterThanOrEqual(0);
    expect(seenAtTurn).toBeLessThan(20_000);
  });

  it('completes all subscriptions and loops when it is closed, and those that come later', async () => {
    await appendAll([1]);
    const seen: unknown[] = [];
    const subscribed = () =>
      new Promise<void>((complete) => es.events().subscribe({ next: (event) => seen.push(amountOf(event)), complete }));
    const looped = async () => {
      for await (const event of es.events()) seen.push(amountOf(event));
    };
    const running = [subscribed(), looped()];
    await first(1);
    await es.close();
    await Promise.all(running);
    expect(seen).toStrictEqual([1, 1]);
    await Promise.all([subscribed(), looped()]);
    expect(seen).toStrictEqual([1, 1]);
  });

  describe('as an async iterable', () => {
    it('reads history, then waits for more', async () => {
      await appendAll(range(3));
      const seen: number[] = [];
      for await (const event of es.events({ types: [Added] })) {
        seen.push(event.data.amount);
        if (seen.length === 3) await appendAll([3]);
        if (seen.length === 4) break;
      }
      expect(seen).toStrictEqual([0, 1, 2, 3]);
    });

    it('reads no further than the loop asks', async () => {
      await appendAll(range(10_000));
      let chunksRead = 0;
      const { read } = store;
      store.read = (query) => {
        const stream = read.call(store, query);
        return Object.assign(Object.create(stream) as typeof stream, {
          chunks: async function* () {
            for await (const chunk of stream.chunks()) {
              chunksRead += 1;
              yield chunk;
            }
          },
        });
      };
      const seen: number[] = [];
      for await (const event of es.events()) {
        seen.push(amountOf(event));
        await Promise.resolve();
        if (seen.length === 5) expect(chunksRead).toBe(1);
        if (seen.length === 2_000) break;
      }
      expect(chunksRead).toBeLessThan(3);
      expect(seen).toStrictEqual(range(2_000));
    });

    it('keeps a place for each loop', async () => {
      await appendAll(range(4));
      const feed = es.events();
      const [one, two] = [feed[Symbol.asyncIterator](), feed[Symbol.asyncIterator]()];
      const next = async (iterator: typeof one) => amountOf((await iterator.next()).value);
      expect([await next(one), await next(one), await next(two), await next(one), await next(two)]).toStrictEqual([
        0, 1, 0, 2, 1,
      ]);
      await one.return?.();
      expect((await one.next()).done).toBe(true);
      expect(await next(two)).toBe(2);
      await two.return?.();
    });

    it('can be left while it waits for an event', async () => {
      const iterator = es.events()[Symbol.asyncIterator]();
      const waiting = iterator.next();
      const left = iterator.return?.();
      await expect(waiting).resolves.toMatchObject({ done: true });
      await expect(left).resolves.toMatchObject({ done: true });
    });
  });

  it('lets a subscriber act in consequence of an event, which the metadata tells', async () => {
    const acting = await openTally([Adder, Moved], store);
    acting.events({ types: [Moved] }).subscribe(async ({ data }) => {
      await (await acting.loadOrCreate(Adder, { id: data.to })).add(data.amount);
    });
    const { events } = await es.appendUnguarded('s', [moved('a', 'b', 2)]);
    const [, made] = await first(2);
    expect(made).toMatchObject({
      type: 'tally.added',
      stream: 'Adder:b',
      metadata: { causationId: events[0]?.id, correlationId: events[0]?.metadata.correlationId },
    });
  });

  it('lets a subscriber that subscribed within a command act by itself', async () => {
    const acting = await openTally([Adder, Moved], store);
    const adder = await acting.create(Adder, { id: 'x' });
    await acting.transaction(async () => {
      await adder.add(1);
      acting.events({ types: [Moved] }).subscribe(async ({ data }) => {
        await (await acting.loadOrCreate(Adder, { id: data.to })).add(data.amount);
      });
    });
    await es.appendUnguarded('s', [moved('a', 'b', 2)]);
    expect((await first(3)).map(({ stream }) => stream)).toStrictEqual(['Adder:x', 's', 'Adder:b']);
  });
});
