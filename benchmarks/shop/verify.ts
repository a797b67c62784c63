import type { EventStore } from 'eventfold';
import type { DataSource } from 'typeorm';
import { CatalogueItem } from '../../samples/shop/catalogue-item';
import { DailySales } from '../../samples/shop/daily-sales';
import type { OrderCancelled } from '../../samples/shop/order-cancelled';
import type { OrderPlaced } from '../../samples/shop/order-placed';
import { OrderSummary } from '../../samples/shop/order-summary';
import type { ProductListed } from '../../samples/shop/product';
import type { StockReceived, StockTaken } from '../../samples/shop/stock';

/** What the events come to, by a plain loop over the log, which shares nothing with the shop. */
export interface Fold {
  readonly catalogue: Map<string, { available: number; sold: number; priceCents: number }>;
  readonly orders: Map<string, { totalCents: number; taken: number; items: number }>;
  readonly days: Map<string, { orders: number; items: number; revenueCents: number }>;
  readonly events: number;
  /** The least there ever was of any product: below zero if anything was oversold. */
  readonly least: number;
}

export async function foldLog(store: EventStore): Promise<Fold> {
  const fold = { catalogue: new Map(), orders: new Map(), days: new Map(), events: 0, least: Number.POSITIVE_INFINITY };
  const { catalogue, orders, days } = fold as Fold;
  for await (const { type, data } of store.read({})) {
    fold.events += 1;
    if (type === 'product.listed') {
      const { productId, priceCents } = data as ProductListed;
      catalogue.set(productId, { available: 0, sold: 0, priceCents });
    } else if (type === 'stock.received') {
      const { productId, quantity } = data as StockReceived;
      at(catalogue, productId).available += quantity;
    } else if (type === 'stock.taken') {
      const { productId, orderId, quantity } = data as StockTaken;
      const product = at(catalogue, productId);
      product.available -= quantity;
      product.sold += quantity;
      fold.least = Math.min(fold.least, product.available);
      at(orders, orderId).taken += quantity;
    } else if (type === 'order.placed') {
      const { orderId, lines, totalCents, placedAt } = data as OrderPlaced;
      const items = lines.reduce((sum, { quantity }) => sum + quantity, 0);
      if (orders.has(orderId)) throw new Error(`Order ${orderId} was placed twice.`);
      orders.set(orderId, { totalCents, items, taken: 0 });
      const key = new Date(placedAt).toISOString().slice(0, 10);
      const day = days.get(key) ?? { orders: 0, items: 0, revenueCents: 0 };
      days.set(key, { orders: day.orders + 1, items: day.items + items, revenueCents: day.revenueCents + totalCents });
    } else if (type === 'order.cancelled') throw new Error(`Nobody cancels here: ${(data as OrderCancelled).orderId}`);
  }
  return fold;
}

/** @returns what is wrong: nothing, if the rows are what the events come to, and every order is there that was answered. */
export async function compare(fold: Fold, dataSource: DataSource, answered: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  const expectSame = (what: string, rows: unknown, folded: unknown) => {
    if (JSON.stringify(rows) !== JSON.stringify(folded))
      wrong.push(`${what}: ${JSON.stringify(rows)} in the table, ${JSON.stringify(folded)} by the events`);
  };
  const items = await dataSource.getRepository(CatalogueItem).find();
  expectSame('products', items.length, fold.catalogue.size);
  for (const { productId, available, sold, priceCents } of items)
    expectSame(productId, { available, sold, priceCents }, fold.catalogue.get(productId));
  const days = await dataSource.getRepository(DailySales).find();
  expectSame('days', days.length, fold.days.size);
  for (const { day, orders, items: count, revenueCents } of days)
    expectSame(day, { orders, items: count, revenueCents }, fold.days.get(day));
  const summaries = await dataSource.getRepository(OrderSummary).find();
  expectSame('orders', summaries.length, fold.orders.size);
  const known = new Map(summaries.map((summary) => [summary.orderId, summary]));
  for (const [orderId, { totalCents, items: count, taken }] of fold.orders) {
    expectSame(`order ${orderId}`, known.get(orderId)?.totalCents, totalCents);
    expectSame(`stock taken for ${orderId}`, taken, count);
  }
  for (const orderId of answered) if (!fold.orders.has(orderId)) wrong.push(`order ${orderId} was answered, and is lost`);
  if (fold.least < 0) wrong.push(`something was oversold: ${fold.least} left`);
  return wrong;
}

function at<T>(map: Map<string, T>, key: string): T {
  const found = map.get(key);
  if (found === undefined) throw new Error(`Nothing is known of ${key}.`);
  return found;
}
