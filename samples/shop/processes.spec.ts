import { randomBytes, randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { OpenShop } from './open-shop';
import { ShopModule } from './shop-module';

const server = process.env['EVENTFOLD_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test';
const isMissing = (process.env['EVENTFOLD_MISSING'] ?? '').split(',').includes('PostgreSQL');

(isMissing ? describe.skip : describe)('the shop in several processes (PostgreSQL)', () => {
  const name = `shop_${randomBytes(5).toString('hex')}`;
  const store = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  let admin: DataSource;

  beforeAll(async () => {
    admin = await new DataSource({ type: 'postgres', url: server }).initialize();
    await admin.query(`CREATE DATABASE ${name}`);
  });

  afterAll(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.destroy();
  });

  it('serves from two what a worker keeps up to date, and sells the last one once', async () => {
    const worker = await NestFactory.createApplicationContext(ShopModule.of({ store, role: 'worker' }), { logger: false });
    const webs = [await OpenShop.open({ store, role: 'web' }), await OpenShop.open({ store, role: 'web' })] as const;
    const carts = await Promise.all(
      webs.map(async (web) => {
        const cartId = randomUUID();
        await web.send('PUT', `/api/carts/${cartId}/items/station-clock`, { quantity: 1 });
        return cartId;
      }),
    );
    const orders = await Promise.all(
      webs.map((web, index) => web.send('POST', '/api/orders', { cartId: carts[index], totalCents: 240_00 })),
    );
    expect(orders.map(({ status }) => status).sort()).toStrictEqual([201, 409]);
    const after = { 'eventfold-position': orders.find(({ status }) => status === 201)?.headers.get('eventfold-position') ?? '' };
    for (const web of webs) {
      const { body: clock } = await web.send('GET', '/api/products/station-clock', undefined, after);
      expect(clock).toMatchObject({ available: 0, sold: 1 });
      const { body: sales } = await web.send('GET', '/api/sales', undefined, after);
      expect(sales).toMatchObject([{ orders: 1, items: 1, revenueCents: 240_00 }]);
    }

    // The dearest order there can be: its sum and that of its day are beyond 32 bits.
    const [web] = webs;
    const cartId = randomUUID();
    let stored = {};
    for (const productId of ['vase-1', 'vase-2', 'vase-3']) {
      await web.send('POST', '/api/products', {
        productId,
        name: 'Vase',
        description: '',
        picture: 'mug',
        priceCents: 10_000_000,
      });
      await web.send('POST', `/api/products/${productId}/deliveries`, { quantity: 99 });
      const put = await web.send('PUT', `/api/carts/${cartId}/items/${productId}`, { quantity: 99 });
      expect(put).toMatchObject({ status: 200 });
      stored = { 'eventfold-position': put.headers.get('eventfold-position') ?? '' };
    }
    const dear = await web.send('POST', '/api/orders', { cartId, totalCents: 2_970_000_000 }, stored);
    expect(dear).toMatchObject({ status: 201 });
    const then = { 'eventfold-position': dear.headers.get('eventfold-position') ?? '' };
    const { body: order } = await web.send('GET', `/api/orders/${dear.body.orderId}`, undefined, then);
    expect(order).toMatchObject({ totalCents: 2_970_000_000 });
    const { body: sales } = await web.send('GET', '/api/sales', undefined, then);
    expect(sales).toMatchObject([{ orders: 2, items: 298, revenueCents: 2_970_024_000 }]);
    for (const each of webs) await each.close();
    await worker.close();
  });
});
