import {
  Aggregate,
  AggregateRoot,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  InvalidIdError,
  Projection,
  ProjectionId,
  UnresolvedIdError,
} from 'eventfold';
import { firstValueFrom } from 'rxjs';

@Event('stock.counted')
class Counted {
  product!: string;
  warehouse!: string;
  note?: string;
}

@Event('stock.moved')
class Moved {
  product!: string;
  from!: string;
  to!: string;
}

@Event('stock.inspected')
class Inspected {
  products!: string[];
  warehouses!: string[];
}

@Event('stock.noted')
class Noted {
  text!: string;
}

@Projection()
class Stock {
  @ProjectionId() product!: string;
  @ProjectionId() warehouse!: string;
  history: string[] = [];

  @Handles(Counted)
  counted({ note }: Counted) {
    this.history.push(`counted ${note}`);
  }

  @Handles(Moved, { warehouse: 'to' })
  arrived({ from }: Moved) {
    this.history.push(`from ${from}`);
  }

  @Handles(Moved, { warehouse: 'from' })
  left({ to }: Moved) {
    this.history.push(`to ${to}`);
  }

  @Handles(Inspected, { product: 'products', warehouse: ({ warehouses }) => warehouses })
  inspected() {
    this.history.push('inspected');
  }
}

@Aggregate()
class Warehouse extends AggregateRoot<'warehouse'> {
  @ProjectionId() readonly warehouse!: string;

  @Handles(Noted, { warehouse: 'text' })
  protected noted() {}
}

let es: EventSourcing;

beforeEach(async () => {
  es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Stock, Warehouse] });
});

afterEach(() => es.close());

const append = (...events: object[]) => es.appendUnguarded('stock', events);

async function histories(): Promise<Record<string, string[]>> {
  await es.projections.caughtUp();
  const all = await es.projections.all(Stock);
  return Object.fromEntries(all.map(({ product, warehouse, history }) => [`${product} in ${warehouse}`, history]));
}

describe('An instance with two ids', () => {
  it('gets the events that match both, in order, and no other', async () => {
    await append(
      createEvent(Counted, { product: 'tea', warehouse: 'north', note: 'first' }),
      createEvent(Counted, { product: 'tea', warehouse: 'south', note: 'second' }),
      createEvent(Counted, { product: 'oil', warehouse: 'north', note: 'third' }),
      createEvent(Counted, { product: 'tea', warehouse: 'north', note: 'fourth' }),
    );
    expect(await histories()).toStrictEqual({
      'tea in north': ['counted first', 'counted fourth'],
      'tea in south': ['counted second'],
      'oil in north': ['counted third'],
    });
  });

  it('is found through the mapped property for one id, and through the property of its name for the other', async () => {
    await append(createEvent(Moved, { product: 'tea', from: 'north', to: 'south' }));
    expect(await histories()).toStrictEqual({ 'tea in south': ['from north'], 'tea in north': ['to south'] });
  });

  it('hears twice of an event that names it through two maps', async () => {
    await append(createEvent(Moved, { product: 'tea', from: 'north', to: 'north' }));
    expect(await histories()).toStrictEqual({ 'tea in north': ['from north', 'to north'] });
  });

  it('is one of every pair that an event names by arrays, once each', async () => {
    await append(createEvent(Inspected, { products: ['tea', 'oil', 'tea'], warehouses: ['north', 'south'] }));
    expect(await histories()).toStrictEqual({
      'tea in north': ['inspected'],
      'tea in south': ['inspected'],
      'oil in north': ['inspected'],
      'oil in south': ['inspected'],
    });
  });

  it('is none for an event with an empty array', async () => {
    await append(createEvent(Inspected, { products: [], warehouses: ['north'] }));
    expect(await histories()).toStrictEqual({});
  });

  it('is not mistaken for another whose ids join to the same text', async () => {
    await append(
      createEvent(Counted, { product: 'a|b', warehouse: 'c', note: 'one' }),
      createEvent(Counted, { product: 'a', warehouse: 'b|c', note: 'two' }),
      createEvent(Counted, { product: 'a\\', warehouse: 'b', note: 'three' }),
      createEvent(Counted, { product: 'a', warehouse: '\\b', note: 'four' }),
    );
    expect(await histories()).toStrictEqual({
      'a|b in c': ['counted one'],
      'a in b|c': ['counted two'],
      'a\\ in b': ['counted three'],
      'a in \\b': ['counted four'],
    });
    expect((await es.projections.get(Stock, { product: 'a', warehouse: 'b|c' }))?.history).toStrictEqual(['counted two']);
  });
});

describe('InvalidIdError', () => {
  it.each([
    ['a missing id', {}, 'is missing'],
    ['empty text', { warehouse: '' }, 'is empty text'],
    ['null', { warehouse: null }, 'is null'],
    ['NUL in a text', { warehouse: 'a\0b' }, 'holds NUL'],
    ['half a surrogate pair', { warehouse: 'a\ud800' }, 'half a surrogate pair'],
    ['NaN', { warehouse: Number.NaN }, 'is NaN'],
    ['an object', { warehouse: { id: 'north' } }, 'is an object of Object'],
    ['an array', { warehouse: ['north'] }, 'is an array'],
    ['an unknown id', { warehouse: 'north', product: 'tea' }, 'is no id of it; its ids are: warehouse'],
    ['an inherited id', Object.create({ warehouse: 'north' }), 'is missing'],
    ['no object', 'north', 'is "north", not an object of ids'],
  ])('refuses %s', (_what, ids, problem) => {
    let refusal: unknown;
    try {
      es.streamOf(Warehouse, ids as never);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(InvalidIdError);
    expect(refusal).toMatchObject({ code: 'INVALID_ID', className: 'Warehouse' });
    expect((refusal as Error).message).toContain(problem);
  });

  it.each([
    [7, '7'],
    [0, '0'],
    [12n, '12'],
    [true, 'true'],
    [false, 'false'],
    ['north', 'north'],
    ['😀', '😀'],
  ])('takes %p as an id, which is its text', (warehouse, text) => {
    expect(es.streamOf(Warehouse, { warehouse } as never)).toBe(`Warehouse:${text}`);
  });
});

describe('UnresolvedIdError', () => {
  it('parks an event that does not say which instance it belongs to, and the next one is handled', async () => {
    const failure = firstValueFrom(es.projections.errors());
    await append(
      Object.assign(new Counted(), { product: 'tea', warehouse: '' }),
      createEvent(Counted, { product: 'tea', warehouse: 'north', note: 'later' }),
    );
    expect((await failure).error.cause).toBeInstanceOf(UnresolvedIdError);
    expect((await failure).error.cause).toMatchObject({
      code: 'UNRESOLVED_ID',
      className: 'Stock',
      property: 'warehouse',
      eventType: 'stock.counted',
      source: '"warehouse"',
    });
    expect(await histories()).toStrictEqual({ 'tea in north': ['counted later'] });
  });
});
