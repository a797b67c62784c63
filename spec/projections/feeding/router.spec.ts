import {
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  Projection,
  ProjectionId,
  type RecordedEvent,
} from 'eventfold';
import { Added, AsyncTally, added, InlineTally, LiveTally, moved, openTally, type TallyState } from '../../controls/tally';

@Event('router.sold')
class Sold {
  shop!: string;
  product!: string;
  count!: number;
}

@Event('router.shipped')
class Shipped {
  shop!: string;
  products!: readonly string[];
}

@Projection()
class Stock {
  @ProjectionId() shop!: string;
  @ProjectionId() product!: string;
  counts: number[] = [];

  @Handles(Sold)
  sold(event: Sold) {
    this.counts.push(event.count);
  }

  @Handles(Shipped, { product: 'products' })
  shipped() {
    this.counts.push(0);
  }
}

@Projection({ mode: 'inline' })
class StockInline {
  @ProjectionId() shop!: string;
  @ProjectionId() product!: string;
  counts: number[] = [];

  @Handles(Sold)
  sold(event: Sold) {
    this.counts.push(event.count);
  }
}

@Projection()
class ByFunction {
  @ProjectionId() letter!: string;
  counts: number[] = [];

  @Handles(Sold, { letter: (event) => event.product.slice(0, 1) })
  sold(event: Sold) {
    this.counts.push(event.count);
  }
}

@Projection()
class Everything {
  counts: number[] = [];

  @Handles(Sold)
  sold(event: Sold) {
    this.counts.push(event.count);
  }
}

const sold = (shop: string, product: string, count: number) => createEvent(Sold, { shop, product, count });

describe('Router', () => {
  let es: EventSourcing;
  afterEach(() => es.close());

  it('hands an event to the instance that matches all ids, in order', async () => {
    es = await openTally([Stock]);
    await es.appendUnguarded('s', [sold('x', 'p', 1), sold('x', 'q', 2), sold('y', 'p', 3), sold('x', 'p', 4)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(Stock, { shop: 'x', product: 'p' }))?.counts).toStrictEqual([1, 4]);
    expect((await es.projections.get(Stock, { shop: 'x', product: 'q' }))?.counts).toStrictEqual([2]);
    expect((await es.projections.get(Stock, { shop: 'y', product: 'p' }))?.counts).toStrictEqual([3]);
    expect(await es.projections.get(Stock, { shop: 'y', product: 'q' })).toBeUndefined();
  });

  it.each<new () => StockInline>([Stock, StockInline])(
    'keeps tuples of ids apart whatever their texts, also after a restart: %p',
    async (target) => {
      const store = new InMemoryEventStore();
      es = await openTally([target], store);
      const shops = ['a', 'b', 'a|b', 'a\\', 'a\\|'];
      const products = ['b', 'a', 'b|a', '|b', '\\|b'];
      const events = shops.flatMap((shop, i) => products.map((product, j) => sold(shop, product, i * 10 + j)));
      await es.appendUnguarded('s', [...events, ...events]);
      await es.projections.caughtUp();
      const all = await es.projections.all(target);
      expect(all).toHaveLength(25);
      for (const { shop, product, counts } of all) {
        const count = shops.indexOf(shop) * 10 + products.indexOf(product);
        expect(counts).toStrictEqual([count, count]);
      }
      const restarted = await openTally([target], store);
      await restarted.projections.caughtUp();
      expect(await restarted.projections.all(target)).toStrictEqual(all);
    },
  );

  it.each<new () => TallyState>([AsyncTally, InlineTally, LiveTally])('routes by the mapped property: %p', async (target) => {
    es = await openTally([target]);
    await es.appendUnguarded('s', [added('a', 1), moved('a', 'b', 2), moved('b', 'a', 3)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, -2, 3]);
    expect((await es.projections.get(target, { id: 'b' }))?.seen).toStrictEqual([2, -3]);
  });

  it.each<new () => TallyState>([AsyncTally, InlineTally, LiveTally])(
    'runs two handlers of one instance for one event, in the order they are written: %p',
    async (target) => {
      es = await openTally([target]);
      await es.appendUnguarded('s', [added('a', 1), moved('a', 'a', 5)]);
      await es.projections.caughtUp();
      expect(await es.projections.get(target, { id: 'a' })).toMatchObject({ seen: [1, -5, 5], sum: 1 });
    },
  );

  it('hands an event with an array of ids to each of those instances once, and to none for an empty array', async () => {
    es = await openTally([Stock]);
    const shipped = (products: string[]) => createEvent(Shipped, { shop: 'x', products });
    await es.appendUnguarded('s', [sold('x', 'p', 1), shipped(['p', 'q', 'p']), shipped([])]);
    await es.projections.caughtUp();
    const all = await es.projections.all(Stock);
    expect(all.map(({ product, counts }) => [product, counts])).toStrictEqual([
      ['p', [1, 0]],
      ['q', [0]],
    ]);
  });

  it('fans one event out to many instances', async () => {
    es = await openTally([Stock]);
    const products = Array.from({ length: 3_000 }, (_, index) => `p${index}`);
    await es.appendUnguarded('s', [createEvent(Shipped, { shop: 'x', products })]);
    await es.projections.caughtUp();
    expect(await es.projections.all(Stock)).toHaveLength(3_000);
  });

  it('computes an id by a function of the event', async () => {
    es = await openTally([ByFunction]);
    await es.appendUnguarded('s', [sold('x', 'pear', 1), sold('x', 'apple', 2), sold('x', 'plum', 3)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(ByFunction, { letter: 'p' }))?.counts).toStrictEqual([1, 3]);
  });

  it('hands every event to the one instance of a class without ids', async () => {
    es = await openTally([Everything]);
    expect(await es.projections.get(Everything)).toBeUndefined();
    await es.appendUnguarded('s', [sold('x', 'p', 1), sold('y', 'q', 2)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(Everything))?.counts).toStrictEqual([1, 2]);
  });

  it('passes over an event that nobody handles or registered, and goes on', async () => {
    const store = new InMemoryEventStore();
    es = await openTally([AsyncTally, InlineTally], store);
    await es.appendUnguarded('s', [added('a', 1)]);
    await store.append([{ stream: 's', guard: { version: 'any' }, events: [{ type: 'unheard.of', data: { id: 'a' } }] }]);
    await es.appendUnguarded('s', [added('a', 2)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    expect((await es.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    expect(await es.projections.parked()).toStrictEqual([]);
  });

  it('hands a handler the event as an instance of its class, frozen, with its context', async () => {
    const got: unknown[] = [];
    @Projection()
    class Spy {
      @Handles(Added)
      added(event: Added, context: object) {
        got.push(event, context);
      }
    }
    es = await openTally([Spy]);
    const { events } = await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    expect(got[0]).toStrictEqual(added('a', 1));
    expect(Object.isFrozen(got[0])).toBe(true);
    const { data: _data, ...context } = events[0] as RecordedEvent;
    expect({ ...(got[1] as object) }).toMatchObject(context);
    expect(got[1]).not.toHaveProperty('data');
  });

  it('gives four projections every committed event once', async () => {
    es = await openTally([AsyncTally, InlineTally, LiveTally, Everything, Stock]);
    for (let amount = 0; amount < 50; amount += 1) await es.appendUnguarded(`s${amount % 3}`, [added('a', amount)]);
    await es.projections.caughtUp();
    const expected = Array.from({ length: 50 }, (_, amount) => amount);
    for (const target of [AsyncTally, InlineTally, LiveTally])
      expect((await es.projections.get<TallyState>(target, { id: 'a' }))?.seen).toStrictEqual(expected);
  });

  it('keeps two scopes apart: what is appended in one is not heard in the other', async () => {
    es = await openTally([AsyncTally]);
    const other = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [AsyncTally] });
    const heard: unknown[] = [];
    other.events().subscribe((event) => heard.push(event));
    other.projections.changes(AsyncTally).subscribe((state) => heard.push(state));
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    await other.projections.caughtUp();
    expect(await other.projections.all(AsyncTally)).toStrictEqual([]);
    expect(heard).toStrictEqual([]);
    await other.close();
  });
});
