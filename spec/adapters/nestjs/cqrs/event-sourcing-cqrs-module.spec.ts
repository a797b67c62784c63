import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module, Scope } from '@nestjs/common';
import {
  AggregateRoot,
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventsHandler,
  type ICommandHandler,
  type IEventHandler,
  ofType,
  Saga,
} from '@nestjs/cqrs';
import { Test } from '@nestjs/testing';
import { Event, EventSourcing, InMemoryEventStore, OptimisticLockError, type ProjectionFailure } from 'eventfold';
import { EventSourcingModule, type EventSourcingModuleOptions } from 'eventfold/nestjs';
import { appendUncommitted, EventSourcingCqrsModule } from 'eventfold/nestjs/cqrs';
import { map, type Observable } from 'rxjs';

@Event('order.shipped')
class OrderShipped {
  constructor(
    readonly orderId: string,
    readonly city: string,
  ) {}
}

/** Not recorded. */
class OrderViewed {
  constructor(readonly orderId: string) {}
}

class SendInvoice {
  constructor(readonly orderId: string) {}
}

@Injectable()
class Journal {
  readonly lines: string[] = [];
  failing = 0;
}

@EventsHandler(OrderShipped, OrderViewed)
class Notes implements IEventHandler {
  constructor(private readonly journal: Journal) {}

  async handle(event: OrderShipped | OrderViewed): Promise<void> {
    await Promise.resolve();
    this.journal.lines.push(`noted ${event.constructor.name} ${event.orderId}`);
  }
}

@EventsHandler(OrderShipped)
class Fragile implements IEventHandler<OrderShipped> {
  constructor(private readonly journal: Journal) {}

  async handle({ orderId }: OrderShipped): Promise<void> {
    this.journal.failing -= 1;
    if (this.journal.failing >= 0) throw new Error('the printer is out of paper');
    this.journal.lines.push(`printed ${orderId}`);
  }
}

let made = 0;

@EventsHandler(OrderShipped, { scope: Scope.REQUEST })
class Fresh implements IEventHandler<OrderShipped> {
  private readonly number = ++made;

  constructor(private readonly journal: Journal) {}

  handle({ orderId }: OrderShipped): void {
    this.journal.lines.push(`fresh ${this.number} ${orderId}`);
  }
}

@CommandHandler(SendInvoice)
class SendInvoiceHandler implements ICommandHandler<SendInvoice> {
  constructor(private readonly journal: Journal) {}

  async execute({ orderId }: SendInvoice): Promise<void> {
    this.journal.lines.push(`invoice for ${orderId}`);
  }
}

@Injectable()
class Sagas {
  @Saga()
  invoice = (events: Observable<object>): Observable<SendInvoice> =>
    events.pipe(
      ofType(OrderShipped),
      map(({ orderId }) => new SendInvoice(orderId)),
    );
}

/** As it was written for `@nestjs/cqrs`. */
class Order extends AggregateRoot {
  isShipped = false;

  constructor(readonly orderId: string) {
    super();
  }

  ship(city: string): void {
    this.apply(new OrderShipped(this.orderId, city));
  }

  onOrderShipped(): void {
    this.isShipped = true;
  }
}

@Module({ providers: [Journal, Notes, Fragile, Fresh, SendInvoiceHandler, Sagas] })
class OrdersModule {}

async function started(store: InMemoryEventStore, retry = {}) {
  return startedIn({ store }, retry);
}

async function startedIn(place: EventSourcingModuleOptions, retry = {}) {
  const moduleRef = await Test.createTestingModule({
    imports: [
      CqrsModule.forRoot(),
      EventSourcingModule.forRoot({ ...place, classes: [OrderShipped] }),
      EventSourcingCqrsModule.forRoot({ retry }),
      OrdersModule,
    ],
  }).compile();
  return moduleRef.init();
}

async function ship(es: EventSourcing, orderId: string): Promise<void> {
  const order = new Order(orderId);
  order.ship('Oslo');
  await appendUncommitted(es, order, { stream: `order-${orderId}`, guard: { version: 'none' } });
}

describe('EventSourcingCqrsModule', () => {
  it('hands recorded events to each handler once, and to subscribers and sagas of the bus', async () => {
    const app = await started(new InMemoryEventStore());
    const { lines } = app.get(Journal);
    const heard: object[] = [];
    app.get(EventBus).subscribe((event) => heard.push(event));
    await ship(app.get(EventSourcing), 'a');
    await ship(app.get(EventSourcing), 'b');
    await app.get(EventSourcingCqrsModule).caughtUp();
    expect(lines.filter((line) => line.endsWith(' a')).sort()).toStrictEqual([
      expect.stringMatching(/^fresh \d+ a$/),
      'invoice for a',
      'noted OrderShipped a',
      'printed a',
    ]);
    expect(lines).toHaveLength(8);
    expect(new Set(lines.filter((line) => line.startsWith('fresh'))).size).toBe(2);
    expect(heard).toStrictEqual([new OrderShipped('a', 'Oslo'), new OrderShipped('b', 'Oslo')]);
    await app.close();
  });

  it('leaves what is published on the bus as it was', async () => {
    const app = await started(new InMemoryEventStore());
    const { lines } = app.get(Journal);
    const done = new Promise<void>((resolve) => {
      app.get(EventBus).subscribe(() => setImmediate(resolve));
    });
    app.get(EventBus).publish(new OrderViewed('c'));
    await done;
    expect(lines).toStrictEqual(['noted OrderViewed c']);
    await app.close();
  });

  it('tries a handler again, by itself, and tells of what it throws', async () => {
    const app = await started(new InMemoryEventStore(), { delayMs: 1 });
    const journal = app.get(Journal);
    const failures: ProjectionFailure[] = [];
    app
      .get(EventSourcing)
      .projections.errors()
      .subscribe((failure) => failures.push(failure));
    journal.failing = 2;
    await ship(app.get(EventSourcing), 'd');
    await app.get(EventSourcingCqrsModule).caughtUp();
    expect(journal.lines.filter((line) => line.startsWith('printed'))).toStrictEqual(['printed d']);
    expect(journal.lines.filter((line) => line.startsWith('noted'))).toHaveLength(1);
    expect(failures.map(({ projection, error }) => `${projection}: ${(error.cause as Error).message}`)).toStrictEqual([
      'cqrs.Fragile: the printer is out of paper',
      'cqrs.Fragile: the printer is out of paper',
    ]);
    await app.close();
  });

  it('parks an event of a handler that goes on failing, from which it goes on when it is retried', async () => {
    const app = await started(new InMemoryEventStore(), { attempts: 1 });
    const es = app.get(EventSourcing);
    const journal = app.get(Journal);
    es.projections.errors().subscribe();
    journal.failing = 1;
    await ship(es, 'e');
    await app.get(EventSourcingCqrsModule).caughtUp();
    const [parked] = await es.projections.parked();
    expect(parked).toMatchObject({ projection: 'cqrs.Fragile', ids: { stream: 'order-e' } });
    if (parked !== undefined) await es.projections.retry(parked);
    await app.get(EventSourcingCqrsModule).caughtUp();
    expect(journal.lines).toContain('printed e');
    await app.close();
  });

  it('hands sagas what is stored during a shutdown, then or after the next start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'eventfold-cqrs-'));
    const database = join(folder, 'orders.sqlite');
    const place = { type: 'better-sqlite3', database, driver: require('libsql') as unknown, synchronize: true } as const;
    const orders = Array.from({ length: 30 }, (_, index) => `order ${index}`);
    const first = await startedIn({ dataSource: place });
    const es = first.get(EventSourcing);
    const storing = orders.map((orderId) => es.appendUnguarded(orderId, [new OrderShipped(orderId, 'Oslo')]));
    await Promise.all(storing);
    await first.close();
    const second = await startedIn({ dataSource: place });
    await second.get(EventSourcingCqrsModule).caughtUp();
    const lines = [...first.get(Journal).lines, ...second.get(Journal).lines];
    const missing = orders.filter((orderId) => !lines.includes(`invoice for ${orderId}`));
    expect(missing).toStrictEqual([]);
    await second.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    [{ from: 'then' }, "takes from 'now' or 'start', not \"then\""],
    [{ events: OrderShipped }, 'takes events as an array of classes, not OrderShipped'],
    [{ events: [OrderViewed] }, 'cannot publish OrderViewed, which is not recorded. Put @Event() on it.'],
    [{ retry: { attempts: 0 } }, 'cannot retry with attempts 0. Give 1 or more.'],
    [{ retries: 1 }, 'knows no option "retries"'],
  ])('refuses %j', async (options, message) => {
    const imports = [
      EventSourcingModule.forRoot({ store: new InMemoryEventStore() }),
      EventSourcingCqrsModule.forRoot(options as never),
    ];
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(message);
  });

  it('says which modules are missing', async () => {
    const alone = Test.createTestingModule({ imports: [EventSourcingCqrsModule.forRoot()] }).compile();
    await expect(alone).rejects.toThrow('Import EventSourcingModule.forRoot({ … }) in the root module.');
    const opened = EventSourcingModule.forRoot({ store: new InMemoryEventStore(), classes: [OrderShipped] });
    const app = await Test.createTestingModule({ imports: [opened, EventSourcingCqrsModule.forRoot()] }).compile();
    await expect(app.init()).rejects.toThrow('Import CqrsModule.forRoot() as well.');
  });
});

describe('appendUncommitted', () => {
  it('stores all or nothing, and leaves uncommitted what was not stored', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [OrderShipped] });
    const order = new Order('a');
    order.ship('Oslo');
    expect((await appendUncommitted(es, order, { stream: 'order-a', guard: { version: 'none' } })).position).toBeDefined();
    expect(order.getUncommittedEvents()).toStrictEqual([]);
    order.ship('Rome');
    const late = appendUncommitted(es, order, { stream: 'order-a', guard: { version: 'none' } });
    await expect(late).rejects.toBeInstanceOf(OptimisticLockError);
    expect(order.getUncommittedEvents()).toHaveLength(1);
    await appendUncommitted(es, order, { stream: 'order-a' });
    expect(order.isShipped).toBe(true);
    await es.close();
  });
});

describe('@CommandHandler', () => {
  it('goes on as it was', async () => {
    const app = await started(new InMemoryEventStore());
    await app.get(CommandBus).execute(new SendInvoice('z'));
    expect(app.get(Journal).lines).toStrictEqual(['invoice for z']);
    await app.close();
  });
});
