import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type Answer, OpenShop } from './open-shop';

const cartId = randomUUID();
const item = `/api/carts/${cartId}/items/enamel-mug`;
const product = { productId: 'stapler', name: 'Stapler', description: 'Red.', picture: 'parcel', priceCents: 12_00 };

/** What no answer holds: parts of stacks, statements, paths. */
const leaks = /\bat .*:\d+|\.js\b|\.ts\b|select |insert |sqlite|constraint|node_modules|\/tmp|TypeError|undefined|stack/i;

describe('the shop, asked by somebody hostile', () => {
  let shop: OpenShop;
  let eventsBefore = 0;

  beforeAll(async () => {
    shop = await OpenShop.open();
    expect((await shop.send('PUT', item, { quantity: 2 })).status).toBe(200);
    eventsBefore = (await shop.events()).length;
  });

  afterAll(() => shop.close());

  afterEach(async () => {
    expect(await shop.events()).toHaveLength(eventsBefore);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect((await shop.send('GET', `/api/carts/${cartId}`)).body.lines).toStrictEqual([{ productId: 'enamel-mug', quantity: 2 }]);
  });

  function expectRefused({ status, headers, text, body }: Answer, expected: number) {
    expect({ status, type: headers.get('content-type') }).toStrictEqual({ status: expected, type: 'application/problem+json' });
    expect(body).toMatchObject({ status: expected, title: expect.any(String) });
    expect(text).not.toMatch(leaks);
  }

  it.each([
    ...['-1', '1.5', '1e309', '-0.1', '100', '9007199254740993', '"2"', 'null', 'true', '[]', '[2]', '{}'].map((quantity) => [
      `{"quantity":${quantity}}`,
    ]),
    ...['{"quantity":NaN}', '{"quantity":', '', '{}', '[]', '"2"', '2', 'null', '[{"quantity":2}]'].map((body) => [body]),
    ...['{"quantity":3,"priceCents":1}', '{"quantity":3,"cartId":"x"}', '{"quantity":3,"toString":"x"}'].map((body) => [body]),
    ...['{"__proto__":{"quantity":3}}', '{"quantity":{"__proto__":3}}', '{"quantity":3,"__proto__":{"polluted":1}}'].map(
      (body) => [body],
    ),
    ...['{"quantity":3,"constructor":{"prototype":{"polluted":1}}}', '{"constructor":{"name":"x"}}'].map((body) => [body]),
  ])('is not told how many by %s', async (body) => {
    expectRefused(await shop.send('PUT', item, body), 400);
  });

  it.each([
    { totalCents: 28_00 },
    { cartId: 'x', totalCents: 28_00 },
    { cartId: [cartId], totalCents: 28_00 },
    { cartId, totalCents: -28_00 },
    { cartId, totalCents: '2800' },
    { cartId, totalCents: 28_00, orderId: randomUUID() },
    `{"cartId":"${cartId}","totalCents":1e309}`,
    `{"cartId":"${cartId}","totalCents":2800,"__proto__":{"polluted":1}}`,
    `{"cartId":"${cartId}","totalCents":2800,"lines":[{"productId":"station-clock","quantity":1,"priceCents":1}]}`,
  ])('places no order for %j', async (body) => {
    expectRefused(await shop.send('POST', '/api/orders', body), 400);
  });

  it.each([
    { ...product, productId: '../etc' },
    { ...product, productId: '__proto__' },
    { ...product, productId: 'x'.repeat(41) },
    { ...product, name: '' },
    { ...product, name: { toString: 'x' } },
    { ...product, description: 'x'.repeat(201) },
    { ...product, picture: '"><script>' },
    { ...product, priceCents: 0 },
    { ...product, priceCents: 10_000_001 },
    { ...product, isAdmin: true },
  ])('lists no product as %j', async (body) => {
    expectRefused(await shop.send('POST', '/api/products', body), 400);
  });

  const addresses: [method: string, path: string, status: number, body?: object][] = [
    ['GET', '/api/products/nothing', 404],
    ['GET', '/api/products/nothing/price', 404],
    ['POST', '/api/products/nothing/deliveries', 404, { quantity: 1 }],
    ['GET', '/api/products/__proto__', 400],
    ['GET', '/api/products/..%2f..%2fetc%2fpasswd', 400],
    ['GET', '/api/products/%00', 400],
    ['GET', '/api/products/%E0%A4%A', 400],
    ['GET', `/api/products/${'x'.repeat(300)}`, 400],
    ['GET', `/api/carts/${randomUUID()}`, 404],
    ['GET', '/api/carts/1', 400],
    ['GET', "/api/carts/' OR 1=1 --", 400],
    ['PUT', `/api/carts/${cartId}/items/nothing`, 404, { quantity: 1 }],
    ['PUT', `/api/carts/${cartId}/items/constructor%00`, 400, { quantity: 1 }],
    ['GET', `/api/orders/${randomUUID()}`, 404],
    ['POST', `/api/orders/${randomUUID()}/cancellation`, 404],
    ['POST', '/api/orders/__proto__/cancellation', 400],
    ['POST', '/api/orders', 404, { cartId: randomUUID(), totalCents: 0 }],
    ['GET', '/api/sales?days=0', 400],
    ['GET', '/api/sales?days=1e309', 400],
    ['GET', '/api/sales?days=7&days=8', 400],
    ['GET', '/api/sales?days[__proto__]=7', 400],
    ['GET', '/api/sales?__proto__[polluted]=7', 400],
    ['GET', '/api/sales?limit=7', 400],
    ['GET', '/api/secrets', 404],
    ['DELETE', '/api/products', 404],
    ['GET', '/..%2fsecrets', 404],
  ];

  it.each(addresses)('answers %s %s with %d', async (...[method, path, status, body]) => {
    expectRefused(await shop.send(method, path, body), status);
  });

  const bodies: [what: string, status: number, body: string, headers?: Record<string, string>][] = [
    ['a body that is too large', 413, `{"quantity":3,"x":"${'x'.repeat(200_000)}"}`],
    ['one that is nested deeply', 400, `{"quantity":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['another type', 400, '<quantity>3</quantity>', { 'content-type': 'application/xml' }],
    ['an unknown encoding', 415, '{"quantity":3}', { 'content-encoding': 'zip' }],
    ['one that is not what it says', 400, '{"quantity":3}', { 'content-encoding': 'gzip' }],
    ['an unknown charset', 415, '{"quantity":3}', { 'content-type': 'application/json; charset=x' }],
  ];

  it.each(bodies)('refuses %s with %d', async (...[_what, status, body, headers]) => {
    expectRefused(await shop.send('PUT', item, body, headers), status);
  });

  it('refuses a position that is none, and does not wait for ever for one that will never come', async () => {
    for (const position of ['x', '-1', '1e309', '1 OR 1=1', '9'.repeat(200), '__proto__'])
      expectRefused(await shop.send('GET', '/api/products', undefined, { 'eventfold-position': position }), 400);
    const forged = await shop.send('GET', '/api/products', undefined, { 'eventfold-position': '999999' });
    expectRefused(forged, 503);
    expect(forged.headers.get('retry-after')).toBe('1');
  });

  it('changes nothing for If-Match of another product, of a cart, or of nothing', async () => {
    const path = '/api/products/enamel-mug/price';
    const tagOf = async (other: string) => (await shop.send('GET', other)).headers.get('etag') as string;
    const others = [
      await tagOf('/api/products/kettle/price'),
      await tagOf(`/api/carts/${cartId}`),
      '"x"',
      `W/${await tagOf(path)}`,
    ];
    for (const tag of others) expectRefused(await shop.send('PUT', path, { priceCents: 1 }, { 'if-match': tag }), 412);
    for (const tag of ['x', '"', '"a" "b"'])
      expectRefused(await shop.send('PUT', path, { priceCents: 1 }, { 'if-match': tag }), 400);
    expectRefused(await shop.send('PUT', path, { priceCents: 1 }), 428);
    expectRefused(await shop.send('PUT', item, { quantity: 3 }, { 'if-match': await tagOf(path) }), 412);
  });

  it('forgets a browser that follows, and leaves in the middle', async () => {
    const { port } = new URL(shop.url);
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.write('GET /api/products/live HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 1\r\n\r\n');
      if (n % 2 === 0) await once(socket, 'data');
      socket.resetAndDestroy();
    }
    for (;;) if ((await openRequests()) === 0) break;
    expect((await shop.send('GET', '/health')).body).toMatchObject({ status: 'ok' });
  });

  /** How many connections there are beside those that this spec keeps alive. */
  async function openRequests(): Promise<number> {
    shop.server.closeIdleConnections();
    return new Promise((resolve, reject) => {
      shop.server.getConnections((error, count) => (error ? reject(error) : setImmediate(() => resolve(count))));
    });
  }
});
