import {
  Aggregate,
  AggregateRoot,
  Command,
  Event,
  Handles,
  InvalidIdError,
  NotRegisteredError,
  Projection,
  ProjectionId,
  Registry,
  StartUpError,
} from 'eventfold';

@Event('product.priced', { version: 3 })
class Priced {
  productId!: string;
  price!: number;
}

@Event('stock.moved')
class Moved {
  productId!: string;
  from!: string;
  to!: string;
}

@Event('order.placed')
class Placed {
  orderId!: string;
  productIds!: string[];
}

@Event('shop.opened')
class ShopOpened {}

@Aggregate()
class Product extends AggregateRoot<'productId'> {
  @ProjectionId() readonly productId!: string;

  @Command()
  async price(price: number) {
    this.emit(Priced, { price });
  }

  @Handles(Priced)
  protected priced() {}
}

@Projection()
class Stock {
  @ProjectionId() productId!: string;
  @ProjectionId() warehouseId!: string;

  @Handles(Moved, { warehouseId: 'to' })
  arrived() {}

  @Handles(Moved, { warehouseId: 'from' })
  left() {}
}

@Projection({ mode: 'live' })
class Demand {
  @ProjectionId() productId!: string;

  @Handles(Placed, { productId: 'productIds' })
  placed() {}
}

@Projection({ mode: 'inline' })
class Totals {
  @Handles(Placed)
  placed() {}

  @Handles(Priced)
  priced() {}
}

const registry = Registry.of([Product, Stock, Demand, Totals, ShopOpened]);

describe('Registry', () => {
  it('lists every event once, in order of their names, with who handles it', () => {
    expect(registry.events()).toStrictEqual([
      { class: 'Placed', type: 'order.placed', schemaVersion: 1, handledBy: ['Demand', 'Totals'] },
      { class: 'Priced', type: 'product.priced', schemaVersion: 3, handledBy: ['Product', 'Totals'] },
      { class: 'ShopOpened', type: 'shop.opened', schemaVersion: 1, handledBy: [] },
      { class: 'Moved', type: 'stock.moved', schemaVersion: 1, handledBy: ['Stock'] },
    ]);
  });

  it('lists aggregates and projections in the order they were listed', () => {
    expect(registry.aggregates().map((described) => described.class)).toStrictEqual(['Product']);
    expect(registry.projections().map((described) => described.class)).toStrictEqual(['Stock', 'Demand', 'Totals']);
  });

  it('lists the handlers of an event over all classes, found by class or by stored name', () => {
    const handlers = [
      { class: 'Demand', method: 'placed', event: 'order.placed', ids: { productId: 'productIds' } },
      { class: 'Totals', method: 'placed', event: 'order.placed', ids: {} },
    ];
    expect(registry.handlersOf(Placed)).toStrictEqual(handlers);
    expect(registry.handlersOf('order.placed')).toStrictEqual(handlers);
  });

  it('has no handlers for an event that nobody handles', () => {
    expect(registry.handlersOf(ShopOpened)).toStrictEqual([]);
    expect(registry.handlersOf('nobody.knows')).toStrictEqual([]);
  });

  it('resolves an id that a map leaves out to the property of its name', () => {
    expect(registry.handlersOf(Moved).map(({ method, ids }) => [method, ids])).toStrictEqual([
      ['arrived', { productId: 'productId', warehouseId: 'to' }],
      ['left', { productId: 'productId', warehouseId: 'from' }],
    ]);
  });

  it('describes a class', () => {
    expect(registry.describe(Product)).toStrictEqual({
      kind: 'aggregate',
      class: 'Product',
      name: 'Product',
      ids: ['productId'],
      handlers: [{ class: 'Product', method: 'priced', event: 'product.priced', ids: { productId: 'productId' } }],
      commands: ['price'],
      guard: 'stream',
      sharedWith: {},
    });
    expect(registry.describe(Totals)).toMatchObject({ kind: 'projection', mode: 'inline', ids: [], commands: [] });
  });

  it('goes from a description back to the class', () => {
    for (const { class: name } of [...registry.aggregates(), ...registry.projections(), ...registry.events()]) {
      expect(registry.classOf(name)?.name).toBe(name);
    }
    expect(registry.classOf('Stock')).toBe(Stock);
    expect(registry.classOf('Priced')).toBe(Priced);
    expect(registry.classOf('Nobody')).toBeUndefined();
  });

  it('gives records that are plain data, equal after JSON and structuredClone', () => {
    @Projection()
    class Computed {
      @ProjectionId() productId!: string;

      @Handles(Placed, { productId: ({ productIds }) => productIds[0] })
      [Symbol('placed')]() {}
    }
    const all = Registry.of([...registry.classes, Computed]);
    const records = [
      all.events(),
      all.aggregates(),
      all.projections(),
      all.handlersOf(Placed),
      all.describe(Computed),
      all.projectionIds(Stock),
      all.boundaryOf(Product),
      all.boundaryOf(Computed, { productId: 'p' }),
    ];
    expect(JSON.parse(JSON.stringify(records))).toStrictEqual(records);
    expect(structuredClone(records)).toStrictEqual(records);
  });

  it('gives each caller records of its own', () => {
    (registry.projectionIds(Stock) as string[]).push('changed');
    (registry.describe(Stock).ids as string[]).push('changed');
    (registry.boundaryOf(Product).criteria as unknown[]).pop();
    (registry.events() as unknown[]).pop();
    expect(registry.projectionIds(Stock)).toStrictEqual(['productId', 'warehouseId']);
    expect(registry.describe(Stock).ids).toStrictEqual(['productId', 'warehouseId']);
    expect(registry.boundaryOf(Product).criteria).toHaveLength(1);
    expect(registry.events()).toHaveLength(4);
  });

  it.each([
    ['describe', () => registry.describe(Moved)],
    ['projectionIds', () => registry.projectionIds(class Unknown {})],
    ['boundaryOf', () => registry.boundaryOf('Product' as never)],
    ['describe', () => registry.describe(undefined as never)],
    ['handlersOf', () => registry.handlersOf(class Unknown {})],
    ['handlersOf', () => registry.handlersOf(null as never)],
    ['handlersOf', () => registry.handlersOf(Product)],
  ])('refuses in %s what is not registered', (_call, ask) => {
    expect(ask).toThrow(NotRegisteredError);
  });

  it('with more classes is another registry; the first stays as it is', () => {
    const first = Registry.of([Product]);
    const second = first.with([Totals]);
    expect(first.projections()).toStrictEqual([]);
    expect(first.handlersOf('product.priced')).toHaveLength(1);
    expect(second.projections().map((described) => described.class)).toStrictEqual(['Totals']);
    expect(second.handlersOf(Priced)).toHaveLength(2);
    expect(() => first.with([class Undecorated {}])).toThrow(StartUpError);
    expect(first.classes).toStrictEqual([Product]);
  });

  it('may be empty', () => {
    const empty = Registry.of([]);
    expect([empty.events(), empty.aggregates(), empty.projections()]).toStrictEqual([[], [], []]);
    expect(empty.toMermaid()).toBe('flowchart LR');
  });
});

describe('Registry.boundaryOf', () => {
  it('is the pattern for all instances when it is given no ids', () => {
    expect(registry.boundaryOf(Product)).toStrictEqual({
      stream: 'Product:<productId>',
      criteria: [{ types: ['product.priced'], tags: ['productId:<productId>'] }],
    });
  });

  it('is the query of one instance when it is given its ids', () => {
    expect(registry.boundaryOf(Product, { productId: 'p' })).toStrictEqual({
      stream: 'Product:p',
      criteria: [{ types: ['product.priced'], tags: ['productId:p'] }],
    });
  });

  it('has one criterion for each way in which ids are mapped', () => {
    expect(registry.boundaryOf(Stock, { productId: 'p', warehouseId: 'w' })).toStrictEqual({
      criteria: [
        { types: ['stock.moved'], tags: ['productId:p', 'to:w'] },
        { types: ['stock.moved'], tags: ['productId:p', 'from:w'] },
      ],
    });
  });

  it('has one criterion for the types that are mapped in the same way', () => {
    expect(registry.boundaryOf(Totals)).toStrictEqual({
      criteria: [{ types: ['order.placed', 'product.priced'], tags: [] }],
    });
    expect(registry.boundaryOf(Totals, {})).toStrictEqual(registry.boundaryOf(Totals));
  });

  it('names the tag of a function after the class and its id', () => {
    @Projection({ name: 'demand' })
    class FirstProduct {
      @ProjectionId() productId!: string;

      @Handles(Placed, { productId: (event) => event.productIds[0] })
      placed() {}
    }
    expect(Registry.of([FirstProduct]).boundaryOf(FirstProduct, { productId: 'p' }).criteria).toStrictEqual([
      { types: ['order.placed'], tags: ['demand.productId:p'] },
    ]);
  });

  it('keeps apart the streams of instances with several ids, whatever text they hold', () => {
    @Aggregate()
    class Shelf extends AggregateRoot {
      @ProjectionId() readonly productId!: string;
      @ProjectionId() readonly to!: string;

      @Handles(Moved)
      protected moved() {}
    }
    const shelves = Registry.of([Shelf]);
    const pairs = [
      ['a', 'b'],
      ['a|b', 'c'],
      ['a', 'b|c'],
      ['a\\', 'b'],
      ['a\\|b', 'c'],
      ['a', '\\|b'],
    ] as const;
    const streams = pairs.map(([productId, to]) => shelves.boundaryOf(Shelf, { productId, to }).stream);
    expect(new Set(streams).size).toBe(pairs.length);
    expect(streams[0]).toBe('Shelf:a|b');
  });

  it.each([[{}], [{ productId: '' }], [{ productId: Number.NaN }], [{ productId: null }], [{ productId: {} }], [null], ['p']])(
    'refuses %p as ids',
    (ids) => {
      expect(() => registry.boundaryOf(Product, ids as never)).toThrow(InvalidIdError);
    },
  );

  it('refuses an id that the class lacks', () => {
    const ask = () => registry.boundaryOf(Product, { productId: 'p', warehouseId: 'w' });
    expect(ask).toThrow(expect.objectContaining({ code: 'INVALID_ID', className: 'Product', property: 'warehouseId' }));
  });
});

describe('The guard of an aggregate', () => {
  @Event('money.moved')
  class MoneyMoved {
    from!: string;
    to!: string;
    ids!: string[];
  }

  @Event('money.counted')
  class Counted {
    purseId!: string;
  }

  abstract class PurseBase extends AggregateRoot<'purseId'> {
    @ProjectionId() readonly purseId!: string;

    @Handles(Counted)
    protected counted() {}
  }

  const guardOf = (target: typeof PurseBase, ...others: readonly unknown[]) =>
    Registry.of([target, ...others]).describe(target as never).guard;

  it('is its stream when no other aggregate handles its events and each has one map', () => {
    @Aggregate()
    class Purse extends PurseBase {}
    @Aggregate()
    class Sender extends PurseBase {
      @Handles(MoneyMoved, { purseId: 'from' })
      protected sent() {}

      protected override counted() {}
    }
    expect(guardOf(Purse)).toBe('stream');
    expect(guardOf(Sender)).toBe('stream');
  });

  it('is its stream also when projections handle its events', () => {
    @Aggregate()
    class Purse extends PurseBase {}
    @Projection()
    class PurseCount {
      @Handles(Counted)
      counted() {}
    }
    expect(guardOf(Purse, PurseCount)).toBe('stream');
  });

  it('is its boundary when another aggregate handles one of its events; both say with whom they share it', () => {
    @Aggregate()
    class Purse extends PurseBase {}
    @Aggregate()
    class Safe extends PurseBase {
      @Handles(MoneyMoved, { purseId: 'to' })
      protected received() {}
    }
    const shared = Registry.of([Purse, Safe]);
    expect(shared.describe(Purse)).toMatchObject({ guard: 'boundary', sharedWith: { 'money.counted': ['Safe'] } });
    expect(shared.describe(Safe)).toMatchObject({ guard: 'boundary', sharedWith: { 'money.counted': ['Purse'] } });
    expect(Registry.of([Purse]).describe(Purse).guard).toBe('stream');
  });

  it('is its boundary when it handles one event through two maps', () => {
    @Aggregate()
    class Purse extends PurseBase {
      @Handles(MoneyMoved, { purseId: 'from' })
      protected sent() {}

      @Handles(MoneyMoved, { purseId: 'to' })
      protected received() {}
    }
    const registry = Registry.of([Purse]);
    expect(registry.describe(Purse)).toMatchObject({ guard: 'boundary', sharedWith: {} });
    expect(registry.boundaryOf(Purse, { purseId: 'a' })).toStrictEqual({
      criteria: [
        { types: ['money.counted'], tags: ['purseId:a'] },
        { types: ['money.moved'], tags: ['from:a'] },
        { types: ['money.moved'], tags: ['to:a'] },
      ],
    });
  });

  it('is its boundary when a function finds an id', () => {
    @Aggregate()
    class Purse extends PurseBase {
      @Handles(MoneyMoved, { purseId: (event) => event.ids })
      protected moved() {}
    }
    expect(guardOf(Purse)).toBe('boundary');
  });

  it("is its boundary when it asks for it with guard 'boundary'", () => {
    @Aggregate({ guard: 'boundary' })
    class Purse extends PurseBase {}
    expect(guardOf(Purse)).toBe('boundary');
  });

  it('is not the matter of a projection', () => {
    expect(registry.describe(Stock)).not.toHaveProperty('guard');
    expect(registry.describe(Stock)).not.toHaveProperty('sharedWith');
  });
});
