import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EventSourcing } from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import { DataSource } from 'typeorm';
import { CatalogueItem } from '../../samples/shop/catalogue-item';
import { DailySales } from '../../samples/shop/daily-sales';
import { OrderSummary } from '../../samples/shop/order-summary';
import { Product } from '../../samples/shop/product';
import { shopClasses } from '../../samples/shop/shop-classes';
import { Stock } from '../../samples/shop/stock';
import { type Slice, shopAt, type Ware } from './customers';
import { PlainOrder, PlainOrderLine, PlainProduct, plainTables } from './plain-tables';
import { inDatabase, type Server, start, stop } from './servers';
import { compare, foldLog } from './verify';

type Stocked = Ware & { readonly quantity: number };

/** How many products are sold out on the way. */
const scarce = 4;

function stocked(count: number): readonly Stocked[] {
  return Array.from({ length: count }, (_, index) => {
    return { productId: `ware-${index}`, priceCents: 100 + index, quantity: index < scarce ? 20 : 1_000_000 };
  });
}

/** A shop under load, and how to find out what became of it. */
interface Shop {
  readonly name: string;
  readonly urls: readonly string[];
  readonly slices: Slice[];
  /** Waits until everything that is stored shows. */
  settle(): Promise<void>;
  /** @returns what is wrong. */
  verify(answered: readonly string[]): Promise<string[]>;
}

/** What is to be closed in the end. */
interface Opened {
  readonly servers: Server[];
  readonly dataSources: DataSource[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      slices: { type: 'string', default: '6' },
      customers: { type: 'string', default: '50' },
      products: { type: 'string', default: '200' },
      server: { type: 'string', default: process.env.EVENTFOLD_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test' },
    },
  });
  const [seconds, slices, customers] = [Number(values.seconds), Number(values.slices), Number(values.customers)];
  const wares = stocked(Number(values.products));
  const suffix = randomBytes(4).toString('hex');
  await inDatabase(values.server, `shop_${suffix}`, (url) =>
    inDatabase(values.server, `plain_${suffix}`, async (plainUrl) => {
      const servers: Server[] = [];
      const dataSources: DataSource[] = [];
      try {
        const shops = [
          await plainShop(plainUrl, wares, { servers, dataSources }),
          await eventShop(url, wares, { servers, dataSources }),
        ];
        for (const shop of shops)
          await shopAt(shop.urls, wares.slice(scarce), { customers, seconds: 2 }).then(() => shop.settle());
        for (let slice = 0; slice < slices; slice += 1)
          for (const shop of slice % 2 === 0 ? shops : shops.toReversed())
            await load(shop, wares, { customers, seconds: seconds / slices });
        // What was cut off when the load ended is carried through, or not, before anything is counted.
        await stop(servers.filter(({ said }) => said.startsWith('http')));
        for (const shop of shops) await report(shop);
      } finally {
        await stop(servers);
        for (const dataSource of dataSources) await dataSource.destroy();
      }
    }),
  );
}

async function load(
  shop: Shop,
  wares: readonly Ware[],
  how: { readonly customers: number; readonly seconds: number },
): Promise<void> {
  const slice = await shopAt(shop.urls, wares, how);
  shop.slices.push(slice);
  const start = performance.now();
  await shop.settle();
  const settling = Math.round(performance.now() - start);
  const { orders, requests, latencies, errors, refused } = slice;
  console.log(
    `${shop.name.padEnd(8)} ${rate(orders.length, slice)} orders/s, ${rate(requests, slice)} requests/s, p50 ${percentile(latencies, 0.5)}, p99 ${percentile(latencies, 0.99)} ms; read models there ${settling} ms later; ${errors} errors; refused ${JSON.stringify(Object.fromEntries(refused))}`,
  );
}

async function report({ name, slices, settle, verify }: Shop): Promise<void> {
  await settle();
  const latencies = slices.flatMap((slice) => slice.latencies);
  const orders = slices.flatMap((slice) => slice.orders);
  const wrong = await verify(orders);
  const rates = slices.map((slice) => slice.orders.length / slice.seconds).sort((a, b) => a - b);
  console.log(
    `\n${name}: ${orders.length} orders; median of the slices ${Math.round(percentile(rates, 0.5))} orders/s; p50 ${percentile(latencies, 0.5)}, p99 ${percentile(latencies, 0.99)} ms`,
  );
  console.log(wrong.length === 0 ? 'Nothing is wrong.' : `WRONG:\n  ${wrong.slice(0, 20).join('\n  ')}`);
  if (wrong.length > 0) process.exitCode = 1;
}

async function plainShop(url: string, wares: readonly Stocked[], { servers, dataSources }: Opened): Promise<Shop> {
  const dataSource = await new DataSource({ type: 'postgres', url, entities: plainTables, synchronize: true }).initialize();
  dataSources.push(dataSource);
  const products = wares.map(({ productId, priceCents, quantity }) => {
    return { productId, priceCents, name: productId, available: quantity, sold: 0 };
  });
  await dataSource.getRepository(PlainProduct).insert(products);
  const file = join(__dirname, 'plain-shop.js');
  const webs = [await start(file, [url], /http:\S+/), await start(file, [url], /http:\S+/)];
  servers.push(...webs);
  const verify = async (answered: readonly string[]) => {
    const wrong: string[] = [];
    const ids = new Set((await dataSource.getRepository(PlainOrder).find()).map(({ orderId }) => orderId));
    for (const orderId of answered) if (!ids.has(orderId)) wrong.push(`order ${orderId} was answered, and is lost`);
    const sold = new Map<string, number>();
    for (const { productId, quantity } of await dataSource.getRepository(PlainOrderLine).find())
      sold.set(productId, (sold.get(productId) ?? 0) + quantity);
    for (const product of await dataSource.getRepository(PlainProduct).find())
      if (product.available < 0 || product.sold !== (sold.get(product.productId) ?? 0)) wrong.push(JSON.stringify(product));
    return wrong;
  };
  return { name: 'rows', urls: webs.map(({ said }) => said), slices: [], settle: async () => undefined, verify };
}

async function eventShop(url: string, wares: readonly Stocked[], { servers, dataSources }: Opened): Promise<Shop> {
  const file = join(__dirname, '../../samples/shop/main.js');
  const begin = (role: 'web' | 'worker', ready: RegExp) => start(file, ['--store', url, '--role', role, '--port', '0'], ready);
  servers.push(await begin('worker', /worker/));
  const webs = [await begin('web', /http:\S+/), await begin('web', /http:\S+/)];
  servers.push(...webs);
  const entities = [CatalogueItem, OrderSummary, DailySales, ...eventStoreEntities('postgres')];
  const dataSource = await new DataSource({ type: 'postgres', url, entities }).initialize();
  dataSources.push(dataSource);
  const store = new TypeOrmEventStore(dataSource);
  const es = await EventSourcing.open({ store, classes: shopClasses, projections: { run: 'manual' } });
  await Promise.all(
    wares.map(({ productId, priceCents, quantity }) =>
      es.transaction(async () => {
        const product = await es.create(Product, { productId });
        await product.list({ name: productId, description: '', picture: 'parcel', priceCents });
        await (await es.create(Stock, { productId })).receive(quantity);
      }),
    ),
  );
  const settle = () => es.projections.caughtUp(undefined, { timeoutMs: 120_000 });
  await settle();
  const verify = async (answered: readonly string[]) => compare(await foldLog(store), dataSource, answered);
  return { name: 'events', urls: webs.map(({ said }) => said), slices: [], settle, verify };
}

function rate(count: number, { seconds }: Slice): string {
  return String(Math.round(count / seconds)).padStart(5);
}

/** In whole milliseconds, or tenths below ten. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}

if (require.main === module) void main();
