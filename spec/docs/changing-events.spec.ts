import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dropped, Event, type EventContext, EventSourcing, InMemoryEventStore, type NewEvent, Upcasts, upcasts } from 'eventfold';

const root = join(__dirname, '../../..');
const page = readFileSync(join(root, 'docs/changing-events.md'), 'utf8');

// Rename
@Event('order.placed', { version: 4, aliases: ['OrderPlaced'] })
class OrderPlaced {
  orderId!: string;
  cents!: number;
  currency!: string;
  customerId!: string;
}

@Event('order.paid')
class OrderPaid {
  orderId!: string;
  cents!: number;
}

// Add, change a type, change an id
// biome-ignore lint/complexity/noStaticOnlyClass: a class groups upcasters where people look for them
class OrderUpcasters {
  @Upcasts(OrderPlaced, { from: 1, to: 2 })
  static withCurrency(data: { orderId: string; total: string; customer: string }) {
    return { ...data, currency: 'EUR' };
  }

  @Upcasts(OrderPlaced, { from: 2, to: 3 })
  static inCents({ total, ...data }: { total: string }) {
    return { ...data, cents: Math.round(Number(total) * 100) };
  }

  @Upcasts(OrderPlaced, { from: 3, to: 4 })
  static byCustomer({ customer, ...data }: { customer: string }) {
    return { ...data, customerId: `customer-${customer}` };
  }
}

// Split
const split = upcasts(
  'order.placed-and-paid',
  {
    from: 1,
    into: [
      { event: OrderPlaced, version: 4 },
      { event: OrderPaid, version: 1 },
    ],
  },
  ({ orderId, cents, ...rest }: { orderId: string; cents: number }, { metadata }: EventContext) => {
    if (metadata['isTest'] === true) return dropped('orders of our own tests, before there was a test system');
    return [
      { event: OrderPlaced, data: { orderId, cents, ...rest } },
      { event: OrderPaid, data: { orderId, cents } },
    ];
  },
);

// Merge
const merged = [
  upcasts('order.paid-by-card', { from: 1, to: 1, into: OrderPaid }, (data: { orderId: string; cents: number }) => data),
  upcasts(
    'order.paid-in-cash',
    { from: 1, to: 1, into: OrderPaid },
    ({ orderId, coins }: { orderId: string; coins: number }) => ({
      orderId,
      cents: coins,
    }),
  ),
];

const customer = 'c';
const history: NewEvent[] = [
  { type: 'OrderPlaced', data: { orderId: 'a', total: '1.50', customer } },
  { type: 'order.placed-and-paid', data: { orderId: 'b', cents: 7, currency: 'SEK', customerId: 'customer-d' } },
  { type: 'order.placed-and-paid', data: {}, metadata: { isTest: true } },
  { type: 'order.paid-by-card', data: { orderId: 'a', cents: 100 } },
  { type: 'order.viewed', data: {} },
  { type: 'order.paid-in-cash', data: { orderId: 'a', coins: 50 } },
];

describe('docs/changing-events.md', () => {
  it('shows code that runs, and nothing else', () => {
    const source = readFileSync(join(root, 'spec/docs/changing-events.spec.ts'), 'utf8').replace(/^ +/gm, '');
    const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = '']) => block.replace(/^ +/gm, ''));
    expect(blocks.length).toBeGreaterThan(4);
    for (const block of blocks) expect(source).toContain(block);
  });

  it('reads every event as it says', async () => {
    const store = new InMemoryEventStore();
    await store.append([{ stream: 's', guard: { version: 'any' }, events: history }]);
    const classes = [OrderPlaced, OrderPaid];
    const es = await EventSourcing.open({
      store,
      classes,
      upcasters: [OrderUpcasters, split, ...merged],
      passOver: ['order.viewed'], // Retire
    });
    const read: object[] = [];
    for await (const { data } of es.events()) if (read.push({ ...data }) === 5) break;
    expect(read).toStrictEqual([
      { orderId: 'a', currency: 'EUR', cents: 150, customerId: 'customer-c' },
      { orderId: 'b', cents: 7, currency: 'SEK', customerId: 'customer-d' },
      { orderId: 'b', cents: 7 },
      { orderId: 'a', cents: 100 },
      { orderId: 'a', cents: 50 },
    ]);
    await es.close();
  });
});
