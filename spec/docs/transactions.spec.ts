import {
  Aggregate,
  AggregateRoot,
  Command,
  Event,
  EventSourcing,
  Handles,
  OptimisticLockError,
  Projection,
  ProjectionId,
} from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import { Column, DataSource, Entity, type EntityManager, PrimaryColumn } from 'typeorm';

@Event('order.placed')
class OrderPlaced {
  orderId!: string;
  total!: number;
}

@Aggregate()
class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;
  total = 0;

  @Command()
  async place(total: number) {
    this.emit(OrderPlaced, { total });
  }

  @Handles(OrderPlaced)
  protected placed(event: OrderPlaced) {
    this.total += event.total;
  }
}

@Projection({ mode: 'inline' })
class OrderTotal {
  @ProjectionId() orderId!: string;
  total = 0;

  @Handles(OrderPlaced)
  placed(event: OrderPlaced) {
    this.total += event.total;
  }
}

@Entity()
class Invoice {
  @PrimaryColumn('varchar') orderId!: string;
  @Column('int') total!: number;
}

describe('docs/transactions.md', () => {
  let dataSource: DataSource;
  let store: TypeOrmEventStore;
  let es: EventSourcing;

  beforeEach(async () => {
    dataSource = await new DataSource({
      type: 'better-sqlite3',
      driver: require('libsql'),
      database: ':memory:',
      entities: [Invoice, ...eventStoreEntities('better-sqlite3')],
      synchronize: true,
    }).initialize();
    store = new TypeOrmEventStore(dataSource);
    es = await EventSourcing.open({ store, classes: [Order, OrderTotal] });
  });

  afterEach(async () => {
    await es.close();
    await dataSource.destroy();
  });

  async function stored(): Promise<number> {
    let count = 0;
    for await (const _ of store.read({})) count += 1;
    return count;
  }

  it('commits rows and events together', async () => {
    const orderId = 'o-1';
    await dataSource.transaction(async (manager) => {
      await manager.insert(Invoice, { orderId, total: 90 });
      await es.transaction(manager, async () => {
        const order = await es.create(Order, { orderId });
        await order.place(90);
      });
    }); // here both are committed, or neither
    expect(await dataSource.manager.countBy(Invoice, { orderId })).toBe(1);
    expect(await es.projections.get(OrderTotal, { orderId })).toMatchObject({ total: 90 });
  });

  it('rolls back a savepoint with its events', async () => {
    const orderId = 'o-2';
    await dataSource.transaction(async (manager) => {
      await es.transaction(manager, async () => (await es.create(Order, { orderId })).place(90));
      const extras = manager.transaction(async (savepoint) => {
        await es.transaction(savepoint, async () => (await es.load(Order, { orderId })).place(10));
        throw new Error('no extras'); // takes back the 10, and nothing else
      });
      await extras.catch(() => undefined);
    });
    expect((await es.load(Order, { orderId })).total).toBe(90);
  });

  it('begins a transaction again that lost its race', async () => {
    const order = await es.create(Order, { orderId: 'o-3' });
    let attempts = 0;
    async function again<T>(work: (manager: EntityManager) => Promise<T>, attempt = 1): Promise<T> {
      try {
        return await dataSource.transaction(work);
      } catch (error) {
        if (!(error instanceof OptimisticLockError) || attempt === 5) throw error;
        return again(work, attempt + 1);
      }
    }
    await again(async (manager) => {
      attempts += 1;
      if (attempts === 1) throw new OptimisticLockError('s', 1, 2);
      await es.transaction(manager, () => order.place(1));
    });
    expect(attempts).toBe(2);
    expect(await stored()).toBe(1);
  });

  it('joins with the bare store', async () => {
    let imported = 0;
    const event = { type: 'order.placed', data: { orderId: 'o-4', total: 5 } };
    await dataSource.transaction(async (manager) => {
      const joined = store.within(manager);
      await joined.append([{ stream: 'imports', guard: { version: 'none' }, events: [event] }]);
      joined.onEnd((how) => {
        if (how === 'committed') imported += 1;
      });
    });
    expect(imported).toBe(1);
    expect(await stored()).toBe(1);
  });

  it('finds a transaction in another way', async () => {
    const transactions = { current: undefined as EntityManager | undefined };
    const found = new TypeOrmEventStore(dataSource, { ambient: () => transactions.current });
    const apart = new TypeOrmEventStore(dataSource, { ambient: false });
    expect(found.ambient()).toBeUndefined();
    await dataSource.transaction(async (manager) => {
      transactions.current = manager;
      expect(found.ambient()).toBe(found.within(manager));
      expect(apart.ambient()).toBeUndefined();
    });
    transactions.current = undefined;
  });
});
