import {
  Aggregate,
  AggregateRoot,
  Command,
  createEvent,
  Event,
  EventSourcing,
  type EventSourcingOptions,
  type EventStore,
  Handles,
  InMemoryEventStore,
  NotParkedError,
  Projection,
  ProjectionId,
  Reactor,
  type ReactorContext,
  ReactorError,
  type RecordedEvent,
  StartUpError,
} from 'eventfold';
import { kinds, type Place } from '../promises/stores';

@Event('reactor.ordered')
class Ordered {
  orderId!: string;
  item!: string;
  customer!: string;
}

@Event('reactor.shipped')
class Shipped {
  orderId!: string;
}

@Aggregate()
class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;

  @Command()
  async ship() {
    this.emit(Shipped, {});
  }

  @Handles(Ordered)
  protected ordered() {}

  @Handles(Shipped)
  protected shipped() {}
}

/** What happened outside, and what goes wrong there. */
class Outside {
  readonly done: string[] = [];
  readonly contexts: ReactorContext[] = [];
  readonly broken = new Set<string>();
  /** Handlers wait for it. */
  open: Promise<unknown> = Promise.resolve();
  private heard: (() => void) | undefined;

  async take(what: string, context: ReactorContext): Promise<void> {
    this.contexts.push(context);
    this.heard?.();
    await this.open;
    if (this.broken.has(what)) throw new Error(`${what} bounced`);
    this.done.push(what);
  }

  /** Ends when a handler has begun. */
  hears(): Promise<void> {
    return new Promise((resolve) => {
      this.heard = resolve;
    });
  }
}

let outside = new Outside();

@Reactor({ from: 'now', retry: { attempts: 2, delayMs: 1 } })
class Mailer {
  @Handles(Ordered)
  ordered(event: Ordered, context: ReactorContext): Promise<void> {
    return outside.take(event.item, context);
  }
}

const ordered = (orderId: string, { item = orderId, customer = 'ann' } = {}) => createEvent(Ordered, { orderId, item, customer });

/** Hears the warnings of the process instead of whoever does otherwise. */
async function warningsDuring(work: () => Promise<void>): Promise<string[]> {
  const { emitWarning } = process;
  const told: string[] = [];
  process.emitWarning = (message: unknown) => void told.push(String(message));
  try {
    await work();
  } finally {
    process.emitWarning = emitWarning;
  }
  return told;
}

describe.each(kinds.filter(({ name }) => ['InMemoryEventStore', 'SQLite', 'PostgreSQL'].includes(name)))(
  'A reactor ($name)',
  (kind) => {
    const about = kind.isMissing ? it.skip : it;
    let place: Place;
    let opened: EventSourcing[] = [];
    beforeAll(async () => {
      if (!kind.isMissing) place = await kind.make();
    });
    afterAll(() => place?.drop());
    beforeEach(() => {
      outside = new Outside();
    });
    afterEach(async () => {
      await Promise.all(opened.map((es) => es.close()));
      opened = [];
      if (!kind.isMissing) await place.clear();
    });

    async function open(options: Partial<EventSourcingOptions> = {}): Promise<EventSourcing> {
      const store = await place.open();
      const es = await EventSourcing.open({ store, classes: [Order, Mailer], ...options });
      es.projections.errors().subscribe();
      opened.push(es);
      return es;
    }

    async function order(es: EventSourcing, ...ids: string[]): Promise<void> {
      for (const orderId of ids) await es.appendUnguarded(`Order:${orderId}`, [ordered(orderId)]);
    }

    about('is handed each event in order, once it is stored', async () => {
      const es = await open();
      await es.withMetadata({ correlationId: 'c' }, () => order(es, 'a', 'b'));
      await es.projections.caughtUp(Mailer);
      expect(outside.done).toStrictEqual(['a', 'b']);
      const [{ id, stream, metadata, signal } = undefined as never] = outside.contexts;
      expect([typeof id, stream, metadata.correlationId, signal.aborted]).toStrictEqual(['string', 'Order:a', 'c', false]);
      expect(await es.projections.status(Mailer)).toMatchObject([
        { kind: 'reactor', state: 'live', parked: 0, lag: { events: 0 } },
      ]);
    });

    about('stores what follows from an event as its consequence', async () => {
      @Reactor({ from: 'now' })
      class Shipping {
        @Handles(Ordered)
        async ordered({ orderId }: Ordered) {
          await (await es.load(Order, { orderId })).ship();
        }
      }
      const es = await open({ classes: [Order, Shipping] });
      await es.withMetadata({ correlationId: 'c' }, () => order(es, 'a'));
      await es.projections.caughtUp(Shipping);
      const stored: RecordedEvent[] = [];
      for await (const event of (await place.open()).read({})) stored.push(event);
      const [cause, effect] = stored;
      expect(effect).toMatchObject({ type: 'reactor.shipped', metadata: { correlationId: 'c', causationId: cause?.id } });
    });

    about('begins with the first process that lists it, and goes on where it was', async () => {
      const before = await open({ classes: [Order] });
      await order(before, 'a');
      const web = await open({ projections: { run: 'manual' } });
      await order(before, 'b');
      const worker = await open();
      await worker.projections.caughtUp(Mailer);
      await worker.projections.stop();
      await order(web, 'c');
      await worker.projections.start();
      await worker.projections.caughtUp(Mailer);
      expect(outside.done).toStrictEqual(['b', 'c']);
    });

    about('begins at the start where it is told to, and misses nothing of a store that was empty', async () => {
      @Reactor({ from: 'start' })
      class Archive {
        @Handles(Ordered)
        ordered(event: Ordered, context: ReactorContext) {
          return outside.take(`archived ${event.orderId}`, context);
        }
      }
      const web = await open({ projections: { run: 'manual' } });
      await order(web, 'a');
      const worker = await open({ classes: [Order, Mailer, Archive] });
      await worker.projections.caughtUp(Mailer);
      await worker.projections.caughtUp(Archive);
      expect(outside.done.sort()).toStrictEqual(['a', 'archived a']);
    });

    about('parks a failing event after its attempts; later ones of the stream wait in order, others go on', async () => {
      const es = await open();
      outside.broken.add('a');
      await order(es, 'a', 'b');
      await es.appendUnguarded('Order:a', [ordered('a', { item: 'a2' }), ordered('a', { item: 'a3' })]);
      await es.projections.caughtUp(Mailer);
      expect([outside.done, outside.contexts.length]).toStrictEqual([['b'], 3]);
      const [parked] = await es.projections.parked();
      expect(parked).toMatchObject({ projection: 'Mailer', ids: { stream: 'Order:a' }, attempts: 2, waiting: 2 });
      await es.projections.retry(Mailer, { stream: 'Order:a' });
      await es.projections.caughtUp(Mailer);
      expect(await es.projections.parked(Mailer)).toMatchObject([{ attempts: 3, waiting: 2 }]);
      outside.broken.clear();
      outside.broken.add('a2');
      await es.projections.retry(parked as never);
      await es.projections.caughtUp(Mailer);
      expect(await es.projections.parked(Mailer)).toMatchObject([{ attempts: 2, waiting: 1, event: { data: { item: 'a2' } } }]);
      await es.projections.skip(Mailer, { stream: 'Order:a' });
      await es.projections.caughtUp(Mailer);
      expect(outside.done).toStrictEqual(['b', 'a', 'a3']);
      await expect(es.projections.retry(parked as never)).rejects.toThrow(NotParkedError);
    });

    about('is retried by the process that runs it, whoever asks', async () => {
      const worker = await open({ projections: { leaseMs: 400 } });
      const web = await open({ projections: { run: 'manual' } });
      outside.broken.add('a');
      await order(web, 'a');
      await web.projections.caughtUp(Mailer);
      outside.broken.clear();
      await web.projections.retry(Mailer);
      await web.projections.caughtUp(Mailer);
      await order(worker, 'b');
      await web.projections.caughtUp(Mailer);
      expect(outside.done).toStrictEqual(['a', 'b']);
    });

    about('keeps the order of its ids where it has some, and shows them', async () => {
      const seen: string[] = [];

      @Reactor({ retry: { attempts: 1 } })
      class PerCustomer {
        @ProjectionId() customer!: string;

        @Handles(Ordered)
        ordered(event: Ordered, context: ReactorContext) {
          seen.push(this.customer);
          return outside.take(event.item, context);
        }
      }
      const es = await open({ classes: [Order, PerCustomer] });
      outside.broken.add('a');
      for (const [orderId, customer] of ['a ann', 'b bob', 'c ann'].map((words) => words.split(' ')))
        await es.appendUnguarded(`Order:${orderId}`, [ordered(orderId as string, { customer })]);
      await es.projections.caughtUp(PerCustomer);
      expect([outside.done, seen]).toStrictEqual([['b'], ['ann', 'bob']]);
      expect(await es.projections.parked()).toMatchObject([{ ids: { customer: 'ann' }, waiting: 1 }]);
    });

    about('runs in one process at a time, and in another when that one is closed', async () => {
      let running = 0;
      const together: number[] = [];

      @Reactor({ from: 'now' })
      class Exclusive {
        @Handles(Ordered)
        async ordered(event: Ordered, context: ReactorContext) {
          running += 1;
          together.push(running);
          await outside.take(event.item, context);
          running -= 1;
        }
      }
      const classes = [Order, Exclusive];
      const [one, two] = [await open({ classes }), await open({ classes })];
      const ids = Array.from({ length: 20 }, (_, index) => `o${index}`);
      for (const id of ids) await order(two, id);
      await two.projections.caughtUp(Exclusive);
      await one.projections.stop();
      await order(two, 'last');
      await two.projections.caughtUp(Exclusive);
      expect(outside.done).toStrictEqual([...ids, 'last']);
      expect(new Set(together)).toStrictEqual(new Set([1]));
    });

    about('is let through to its end when it is closed, and is not handed the same event again', async () => {
      let end: (() => void) | undefined;
      outside.open = new Promise<void>((resolve) => {
        end = resolve;
      });

      @Reactor({ from: 'now', name: 'Mailer' })
      class Slow {
        @Handles(Ordered)
        async ordered(event: Ordered, context: ReactorContext) {
          await outside.take(event.item, context);
        }
      }
      const es = await open({ classes: [Order, Slow] });
      const began = outside.hears();
      await order(es, 'a');
      await began;
      const stopped = es.projections.stop();
      end?.();
      await stopped;
      const again = await open();
      await order(again, 'b');
      await again.projections.caughtUp(Mailer);
      expect(outside.done).toStrictEqual(['a', 'b']);
    });

    about('is told when nobody waits for it any more; what it throws then is no failure, and the event comes again', async () => {
      let isDeaf = true;

      @Reactor({ from: 'now' })
      class Webhook {
        @Handles(Ordered)
        async ordered(event: Ordered, context: ReactorContext) {
          await outside.take(event.item, context);
          const { signal } = context;
          if (isDeaf) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        }
      }
      const es = await open({ classes: [Order, Webhook], projections: { leaseMs: 100 } });
      const began = outside.hears();
      await order(es, 'a');
      await began;
      await es.projections.stop();
      isDeaf = false;
      await es.projections.start();
      await es.projections.caughtUp(Webhook);
      expect(outside.done).toStrictEqual(['a', 'a']);
      expect(await es.projections.parked()).toStrictEqual([]);
      expect(outside.contexts.map(({ id }) => id)).toStrictEqual([outside.contexts[0]?.id, outside.contexts[0]?.id]);
    });

    about('has done what it did also where others pause it meanwhile', async () => {
      let end: (() => void) | undefined;
      outside.open = new Promise<void>((resolve) => {
        end = resolve;
      });
      const [worker, web] = [await open(), await open({ projections: { run: 'manual' } })];
      const began = outside.hears();
      await order(web, 'a', 'b');
      await began;
      await web.projections.pause(Mailer);
      end?.();
      await worker.projections.stop();
      expect(outside.done).toStrictEqual(['a']);
      await web.projections.resume(Mailer);
      await worker.projections.start();
      await web.projections.caughtUp(Mailer);
      expect(outside.done).toStrictEqual(['a', 'b']);
    });
  },
);

describe('A reactor', () => {
  const open = (store: EventStore, ...classes: EventSourcingOptions['classes']) =>
    EventSourcing.open({ store, classes: [Order, ...classes] });

  beforeEach(() => {
    outside = new Outside();
  });

  it('tells of what it passes over where it is not told where to begin', async () => {
    @Reactor()
    class Unsaid {
      @Handles(Ordered)
      ordered() {}
    }
    const store = new InMemoryEventStore();
    const es = await open(store);
    for (const orderId of ['a', 'b']) await es.appendUnguarded(`Order:${orderId}`, [ordered(orderId)]);
    const told = await warningsDuring(async () => {
      await es.projections.register(Unsaid, Mailer);
      await open(store, Unsaid);
    });
    expect(told).toStrictEqual([
      expect.stringContaining('Unsaid begins with what is stored from now on. It is not handed the 2'),
    ]);
    await es.close();
  });

  it('is let through by close, with the commands that it calls', async () => {
    let end: (() => void) | undefined;
    outside.open = new Promise<void>((resolve) => {
      end = resolve;
    });

    @Reactor({ from: 'now' })
    class Shipping {
      @Handles(Ordered)
      async ordered({ orderId }: Ordered, context: ReactorContext) {
        await outside.take(orderId, context);
        await (await es.load(Order, { orderId })).ship();
        outside.done.push('shipped');
      }
    }
    const es = await open(new InMemoryEventStore(), Shipping);
    const began = outside.hears();
    await es.appendUnguarded('Order:a', [ordered('a')]);
    await began;
    const closed = es.close();
    await expect(es.load(Order, { orderId: 'a' })).rejects.toMatchObject({ code: 'CLOSED' });
    end?.();
    await closed;
    expect(outside.done).toStrictEqual(['a', 'shipped']);
  });

  it('is neither read nor rebuilt, and holds up nobody who waits for projections', async () => {
    outside.open = new Promise(() => undefined);
    const es = await EventSourcing.open({
      store: new InMemoryEventStore(),
      classes: [Order, Mailer],
      projections: { leaseMs: 100 },
    });
    await es.appendUnguarded('Order:a', [ordered('a')]);
    await es.projections.caughtUp();
    const { projections } = es;
    const refused = [
      () => projections.get(Mailer),
      () => projections.all(Mailer),
      async () => projections.watch(Mailer),
      async () => projections.changes(Mailer),
      () => projections.rebuild(Mailer),
      () => projections.compare(Mailer),
      () => projections.rollback(Mailer),
      () => projections.dropKept(Mailer),
    ];
    for (const call of refused) await expect(call()).rejects.toThrow(ReactorError);
    const told = await warningsDuring(() => es.close());
    expect(told).toStrictEqual(['Mailer was stopped in the middle of a handler that does not end.']);
  });

  it('is refused what makes none', async () => {
    @Reactor()
    class Emitting extends AggregateRoot {
      @Handles(Ordered)
      protected ordered() {}
    }

    @Reactor()
    class Idle {}

    @Aggregate()
    @Reactor()
    class Both extends AggregateRoot {
      @Handles(Ordered)
      protected ordered() {}
    }
    const opening = open(new InMemoryEventStore(), Emitting, Idle, Both);
    const { mistakes } = await opening.then(
      () => undefined as never,
      (error: StartUpError) => error,
    );
    expect(mistakes.map(({ code, class: name, problem }) => `${name} ${code}: ${problem}`)).toStrictEqual([
      'Emitting RESERVED_NAME: a reactor cannot emit',
      'Idle NO_HANDLERS: it handles no event',
      'Both TWO_KINDS: it is both @Aggregate and @Reactor',
    ]);
    const { projections, ...rest } = new InMemoryEventStore();
    const forgetful = Object.assign(Object.create(InMemoryEventStore.prototype), rest) as EventStore;
    expect(projections).toBeDefined();
    await expect(open(forgetful, Mailer)).rejects.toThrow('a reactor keeps its place in the log, and the store has nowhere');
  });

  it('cannot take the place of a projection of its name', async () => {
    @Projection({ name: 'Mailer' })
    class Mails {
      @Handles(Ordered)
      ordered() {}
    }
    const store = new InMemoryEventStore();
    const before = await open(store, Mails);
    await expect(open(store, Mailer)).rejects.toMatchObject({
      code: 'CHANGED_KIND',
      message: expect.stringContaining("@Reactor({ name: '…' })"),
    });
    await before.close();
  });

  it('has what follows an event that it cannot read wait in its stream', async () => {
    @Event('reactor.ordered', { version: 2 })
    class Reordered extends Ordered {}

    @Projection()
    class Newer {
      @Handles(Reordered)
      ordered() {}
    }
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Mailer] });
    es.projections.errors().subscribe();
    const newer = await EventSourcing.open({ store, classes: [Newer], storedEvents: 'off', projections: { run: 'manual' } });
    await newer.appendUnguarded('one', [createEvent(Reordered, { orderId: 'a', item: 'a', customer: 'ann' })]);
    await es.appendUnguarded('one', [ordered('b')]);
    await es.appendUnguarded('other', [ordered('c')]);
    await es.projections.caughtUp(Mailer);
    expect(outside.done).toStrictEqual(['c']);
    expect(await es.projections.parked()).toMatchObject([{ ids: { stream: 'one' }, waiting: 1, attempts: 2 }]);
    await es.close();
  });

  it('may have #private members, and the same instance for all events', async () => {
    @Reactor({ from: 'now' })
    class Counting {
      #count = 0;

      @Handles(Ordered)
      ordered() {
        this.#count += 1;
        outside.done.push(String(this.#count));
      }
    }
    const es = await open(new InMemoryEventStore(), Counting);
    for (const orderId of ['a', 'b']) await es.appendUnguarded(`Order:${orderId}`, [ordered(orderId)]);
    await es.projections.caughtUp(Counting);
    expect(outside.done).toStrictEqual(['1', '2']);
    await es.close();
  });

  it('is described as one', async () => {
    const es = await open(new InMemoryEventStore(), Mailer);
    const { registry } = es;
    const [described] = registry.reactors();
    expect(registry.describe(Mailer)).toStrictEqual(described);
    expect(described).toStrictEqual({
      kind: 'reactor',
      class: 'Mailer',
      name: 'Mailer',
      ids: [],
      handlers: [{ class: 'Mailer', method: 'ordered', event: 'reactor.ordered', ids: {} }],
      commands: [],
    });
    expect(registry.projections()).toStrictEqual([]);
    expect(registry.toMermaid()).toContain('[/"Mailer\nreactor"/]');
    expect(registry.toMarkdown()).toContain('## Reactors\n\n| class | name | ids | handles |');
    const { operations } = registry.toAsyncApi({ title: 'Orders', version: '1' });
    expect(operations['Mailer.reactor.ordered']).toMatchObject({ action: 'receive', 'x-kind': 'reactor' });
    await es.close();
  });
});
