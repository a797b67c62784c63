import { randomUUID } from 'node:crypto';
import { EventSourcing, InMemoryEventStore } from 'eventfold';
import { scenario } from 'eventfold/testing';
import { Cart, mostLines, QuantitySet } from './cart';
import { CatalogueItem } from './catalogue-item';
import { DailySales } from './daily-sales';
import { Order } from './order';
import { OrderCancelled } from './order-cancelled';
import { OrderPlaced } from './order-placed';
import { OrderSummary } from './order-summary';
import { PriceChanged, Product, ProductListed } from './product';
import { CartFull, CartOrdered, EmptyCart, OutOfStock, TotalChanged } from './refusals';
import { Stock, StockReceived, StockTaken } from './stock';

const [cartId, orderId] = [randomUUID(), randomUUID()];
const placedAt = new Date('2026-11-21T23:59:59.500Z');
const cancelledAt = new Date('2026-11-22T08:00:00Z');
const mug = { productId: 'mug', name: 'Mug', quantity: 2, priceCents: 1400 };
const lamp = { productId: 'lamp', name: 'Lamp', quantity: 1, priceCents: 5900 };
const offers = new Map([mug, lamp].map(({ productId, name, priceCents }) => [productId, { name, priceCents }]));
const placed = { orderId, cartId, lines: [lamp, mug], totalCents: 8700, placedAt };
const cancelled = { orderId, lines: [lamp, mug], totalCents: 8700, placedAt, cancelledAt };

describe('Cart', () => {
  const full = scenario(Cart, { cartId })
    .given(QuantitySet, { productId: 'mug', quantity: 2 })
    .given(QuantitySet, { productId: 'lamp', quantity: 1 });
  const order = (totalCents: number) => (cart: Cart) => cart.order({ orderId, offers, totalCents, placedAt });

  it('becomes an order at the prices of the moment', () => full.when(order(8700)).thenEmits(OrderPlaced, placed));
  it('is not ordered for another total than the customer saw', () =>
    full.when(order(8600)).thenRejects(TotalChanged, { agreedCents: 8600, totalCents: 8700 }));
  it('is ordered once', () => full.given(OrderPlaced, placed).when(order(8700)).thenRejects(CartOrdered, { orderId }));
  it('takes nothing more when it is ordered', () =>
    full
      .given(OrderPlaced, placed)
      .when((cart) => cart.setQuantity('lamp', 2))
      .thenRejects(CartOrdered));
  it('is not ordered when everything was taken out', () =>
    scenario(Cart, { cartId })
      .given(QuantitySet, { productId: 'mug', quantity: 2 })
      .given(QuantitySet, { productId: 'mug', quantity: 0 })
      .when(order(0))
      .thenRejects(EmptyCart));
  it('emits nothing for a quantity that it has', () => full.when((cart) => cart.setQuantity('mug', 2)).thenEmitsNothing());
  it('holds so many products and no more', () => {
    let many = scenario(Cart, { cartId });
    for (let n = 0; n < mostLines; n += 1) many = many.given(QuantitySet, { productId: `p${n}`, quantity: 1 });
    return many.when((cart) => cart.setQuantity('lamp', 1)).thenRejects(CartFull);
  });
});

describe('Stock', () => {
  const three = scenario(Stock, { productId: 'mug' }).given(StockReceived, { quantity: 3 });

  it('is taken for an order', () =>
    three
      .when((stock) => stock.take(orderId, mug))
      .thenEmits(StockTaken, { orderId, quantity: 2 })
      .thenState({ available: 1 }));
  it('is never taken below nothing', () =>
    three
      .given(StockTaken, { orderId, quantity: 2 })
      .when((stock) => stock.take(randomUUID(), mug))
      .thenRejects(OutOfStock, { shortages: [{ productId: 'mug', name: 'Mug', available: 1, wanted: 2 }] }));
  it('comes back with a cancelled order, of which it takes its share', () =>
    three
      .given(StockTaken, { orderId, quantity: 2 })
      .given(OrderCancelled, cancelled)
      .when((stock) => stock.take(orderId, { ...mug, quantity: 3 }))
      .thenEmits(StockTaken, { orderId, quantity: 3 }));
});

describe('Order', () => {
  const begun = scenario(Order, { orderId }).given(OrderPlaced, placed);

  it('gives back what it took', () => begun.when((order) => order.cancel(cancelledAt)).thenEmits(OrderCancelled, cancelled));
  it('is cancelled once', () =>
    begun
      .given(OrderCancelled, cancelled)
      .when((order) => order.cancel(new Date()))
      .thenEmitsNothing());
});

describe('read models of the shop', () => {
  it('show a product, what is left of it, and what was sold', () =>
    scenario(CatalogueItem, { productId: 'mug' })
      .given(ProductListed, { productId: 'mug', name: 'Mug', description: '', picture: 'mug', priceCents: 1400 })
      .given(StockReceived, { productId: 'mug', quantity: 10 })
      .given(StockTaken, { productId: 'mug', orderId, quantity: 2 })
      .given(StockTaken, { productId: 'mug', orderId: randomUUID(), quantity: 3 })
      .given(PriceChanged, { productId: 'mug', priceCents: 1500 })
      .given(OrderCancelled, cancelled)
      .thenState({ name: 'Mug', priceCents: 1500, available: 7, sold: 3 }));
  it('take a cancelled order out of the day on which it was placed', () =>
    scenario(DailySales, { day: '2026-11-21' })
      .given(OrderPlaced, placed)
      .given(OrderPlaced, { ...placed, orderId: randomUUID() })
      .given(OrderCancelled, cancelled)
      .thenState({ orders: 1, items: 3, revenueCents: 8700 })
      .thenNoState({ day: '2026-11-22' }));
  it('show an order', () =>
    scenario(OrderSummary, { orderId })
      .given(OrderPlaced, placed)
      .given(OrderCancelled, cancelled)
      .thenState({ cartId, totalCents: 8700, cancelledAt: cancelledAt.toISOString() }));
});

describe('consistency in the shop', () => {
  it('is derived: orders depend on what their products depend on, and a price on nothing else', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Product, Stock, Cart, Order] });
    const guards = [Product, Stock, Cart, Order].map((target) => es.registry.describe(target).guard);
    expect(guards).toStrictEqual(['stream', 'boundary', 'boundary', 'boundary']);
    expect(
      es.registry
        .boundaryOf(Stock, { productId: 'mug' })
        .criteria.flatMap(({ types }) => types)
        .sort(),
    ).toStrictEqual(['order.cancelled', 'stock.received', 'stock.taken']);
    await es.close();
  });
});
