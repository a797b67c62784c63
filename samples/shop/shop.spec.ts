import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { OpenShop } from './open-shop';

const position = 'eventfold-position';

describe('the shop', () => {
  let shop: OpenShop;

  beforeAll(async () => {
    shop = await OpenShop.open();
  });

  afterAll(() => shop.close());

  /** A cart with these, by the product's id. */
  async function cartWith(items: Record<string, number>): Promise<string> {
    const cartId = randomUUID();
    for (const [productId, quantity] of Object.entries(items)) {
      const { status } = await shop.send('PUT', `/api/carts/${cartId}/items/${productId}`, { quantity });
      expect(status).toBe(200);
    }
    return cartId;
  }

  async function productNow(productId: string, after?: string | null) {
    return (await shop.send('GET', `/api/products/${productId}`, undefined, after ? { [position]: after } : {})).body;
  }

  it('sells: the order, the stock and the sales of the day show it to whoever sends the position back', async () => {
    const cartId = await cartWith({ 'desk-lamp': 1, 'enamel-mug': 2 });
    const placed = await shop.send('POST', '/api/orders', { cartId, totalCents: 87_00 });
    expect(placed).toMatchObject({ status: 201, body: { totalCents: 87_00 } });
    const { orderId } = placed.body;
    expect(placed.headers.get('location')).toBe(`/api/orders/${orderId}`);
    const after = { [position]: placed.headers.get(position) as string };
    const order = await shop.send('GET', `/api/orders/${orderId}`, undefined, after);
    expect(order.body).toMatchObject({ orderId, cartId, totalCents: 87_00, cancelledAt: null });
    expect(order.body.lines.map(({ name, quantity }: { name: string; quantity: number }) => [name, quantity])).toStrictEqual([
      ['Desk lamp', 1],
      ['Enamel mug', 2],
    ]);
    expect(await productNow('enamel-mug', after[position])).toMatchObject({ available: 22, sold: 2 });
    const sales = await shop.send('GET', '/api/sales?days=1', undefined, after);
    expect(sales.body).toStrictEqual([{ day: new Date().toISOString().slice(0, 10), orders: 1, items: 3, revenueCents: 87_00 }]);
    expect((await shop.send('GET', `/api/carts/${cartId}`)).body).toMatchObject({ orderId });
  });

  it('takes an order back, with everything in it', async () => {
    const cartId = await cartWith({ kettle: 3 });
    const { body } = await shop.send('POST', '/api/orders', { cartId, totalCents: 135_00 });
    const first = await shop.send('POST', `/api/orders/${body.orderId}/cancellation`);
    const second = await shop.send('POST', `/api/orders/${body.orderId}/cancellation`);
    expect([first.status, second.status]).toStrictEqual([204, 204]);
    expect(await productNow('kettle', first.headers.get(position))).toMatchObject({ available: 9, sold: 0 });
    expect(second.headers.get(position)).toBeNull();
  });

  it('orders nothing when one of several things is not there, and says which', async () => {
    const before = (await shop.events()).length;
    const cartId = await cartWith({ 'canvas-backpack': 5, 'dotted-notebook': 1 });
    const refused = await shop.send('POST', '/api/orders', { cartId, totalCents: 454_50 });
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(refused).toMatchObject({
      status: 409,
      body: {
        status: 409,
        code: 'OutOfStock',
        detail: 'Canvas backpack: 5 wanted, 4 left. Nothing was ordered.',
        shortages: [{ productId: 'canvas-backpack', available: 4, wanted: 5 }],
      },
    });
    expect((await shop.events()).length).toBe(before + 2);
  });

  it('never sells more than there is, however many want it at once', async () => {
    const carts = await Promise.all(Array.from({ length: 12 }, () => cartWith({ headphones: 1, 'dotted-notebook': 1 })));
    const answers = await Promise.all(carts.map((cartId) => shop.send('POST', '/api/orders', { cartId, totalCents: 138_50 })));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toStrictEqual([...Array(6).fill(201), ...Array(6).fill(409)]);
    for (const { body, status } of answers) if (status === 409) expect(body.code).toBe('OutOfStock');
    await shop.es.projections.caughtUp();
    expect(await productNow('headphones')).toMatchObject({ available: 0, sold: 6 });
    expect(await productNow('dotted-notebook')).toMatchObject({ available: 54, sold: 6 });
  });

  it('makes one order of one cart, also of one that is sent twice at once', async () => {
    const cartId = await cartWith({ 'dotted-notebook': 1 });
    const order = { cartId, totalCents: 9_50 };
    const answers = await Promise.all([shop.send('POST', '/api/orders', order), shop.send('POST', '/api/orders', order)]);
    const [placed, refused] = answers.sort((a, b) => a.status - b.status);
    expect([placed?.status, refused?.status]).toStrictEqual([201, 409]);
    expect(refused?.body).toMatchObject({ code: 'CartOrdered' });
  });

  it('sells for the total that the customer saw, or not at all', async () => {
    const cartId = await cartWith({ 'boston-fern': 1 });
    const { headers } = await shop.send('GET', '/api/products/boston-fern/price');
    const ifMatch = { 'if-match': headers.get('etag') as string };
    const changed = await shop.send('PUT', '/api/products/boston-fern/price', { priceCents: 20_00 }, ifMatch);
    expect(changed.status).toBe(200);
    expect(await productNow('boston-fern', changed.headers.get(position))).toMatchObject({ priceCents: 20_00 });
    expect(await shop.send('POST', '/api/orders', { cartId, totalCents: 18_00 })).toMatchObject({
      status: 409,
      body: { code: 'TotalChanged' },
    });
    expect((await shop.send('POST', '/api/orders', { cartId, totalCents: 20_00 })).status).toBe(201);
    const late = await shop.send('PUT', '/api/products/boston-fern/price', { priceCents: 21_00 }, ifMatch);
    expect(late).toMatchObject({ status: 412, body: { code: 'PRECONDITION_FAILED' } });
  });

  it('takes in new products and deliveries, each product once', async () => {
    const product = { productId: 'stapler', name: 'Stapler', description: 'Red.', picture: 'parcel', priceCents: 12_00 };
    const listed = await shop.send('POST', '/api/products', product);
    expect(listed.status).toBe(204);
    expect((await shop.send('POST', '/api/products', product)).status).toBe(409);
    const delivered = await shop.send('POST', '/api/products/stapler/deliveries', { quantity: 3 });
    expect(await productNow('stapler', delivered.headers.get(position))).toMatchObject({ name: 'Stapler', available: 3 });
  });

  it('lets events know of the request that led to them', async () => {
    const headers = { 'x-correlation-id': 'customer-7' };
    await shop.send('POST', '/api/products/enamel-mug/deliveries', { quantity: 1 }, headers);
    expect((await shop.events()).at(-1)).toMatchObject({ type: 'stock.received', metadata: { correlationId: 'customer-7' } });
  });

  it('shows all products, then each that changes, and goes on where a browser was', async () => {
    const first = await follow('/api/products/live');
    expect(await first.next()).toMatchObject({ event: 'all' });
    await shop.send('POST', '/api/products/enamel-mug/deliveries', { quantity: 1 });
    const message = await first.next();
    expect(message).toMatchObject({ event: 'message', data: { productId: 'enamel-mug' } });
    await first.close();
    await shop.send('POST', '/api/products/desk-lamp/deliveries', { quantity: 1 });
    const again = await follow('/api/products/live', { 'last-event-id': message.id });
    expect(await again.next()).toMatchObject({ event: 'message', data: { productId: 'desk-lamp' } });
    await again.close();
    const lost = await follow('/api/products/live', { 'last-event-id': 'of another shop' });
    expect(await lost.next()).toMatchObject({ event: 'all' });
    await lost.close();
  });

  it('describes every route in OpenAPI', async () => {
    const { body } = await shop.send('GET', '/docs-json');
    expect(Object.keys(body.paths).sort()).toStrictEqual([
      '/api/carts/{cartId}',
      '/api/carts/{cartId}/items/{productId}',
      '/api/orders',
      '/api/orders/{orderId}',
      '/api/orders/{orderId}/cancellation',
      '/api/products',
      '/api/products/live',
      '/api/products/{productId}',
      '/api/products/{productId}/deliveries',
      '/api/products/{productId}/price',
      '/api/sales',
      '/api/sales/live',
    ]);
    expect(Object.keys(body.components.schemas.NewOrder.properties)).toStrictEqual(['cartId', 'totalCents']);
  });

  it('says how it does', async () => {
    expect(await shop.send('GET', '/health')).toMatchObject({ status: 200 });
  });

  /** Follows server-sent events, one after the other. */
  async function follow(path: string, headers: Record<string, string> = {}) {
    const request = get(shop.url + path, { headers });
    const [response] = await once(request, 'response');
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    const next = async () => {
      const message = { id: '', event: 'message', data: undefined as unknown };
      for (;;) {
        const { value = '' } = (await lines.next()) as { value?: string };
        const [, field, text = ''] = /^(\w+): (.*)$/.exec(value) ?? [];
        if (field === 'data') message.data = JSON.parse(text);
        else if (field === 'id' || field === 'event') message[field] = text;
        else if (value === '' && message.data !== undefined) return message;
      }
    };
    const close = async () => {
      const gone = new Promise((resolve) => response.once('close', resolve));
      response.once('error', () => undefined);
      request.destroy();
      await gone;
    };
    return { next, close };
  }
});
