import { randomUUID } from 'node:crypto';
import { EventSourcing, type EventStore, InMemoryEventStore, type RecordedEvent } from 'eventfold';
import { AccountBalance, InsufficientFunds } from '../../../samples/bank/account';
import { RawAccount, webBank } from '../../controls/web-bank';
import { serve, type WebServer } from '../../controls/web-servers';

/** What a problem must not tell. */
const secrets = /at .*\.(js|ts):\d+|SELECT|secret|vault|node_modules|stack/;

describe('eventfold/express', () => {
  let store: EventStore;
  let es: EventSourcing;
  let web: WebServer;
  let accountId: string;
  let reported: unknown[];

  beforeEach(async () => {
    store = new InMemoryEventStore();
    es = await EventSourcing.open({ store, classes: [RawAccount, AccountBalance] });
    reported = [];
    const describe = (error: unknown) =>
      error instanceof InsufficientFunds ? { status: 422, title: 'Insufficient funds', balance: error.balance } : undefined;
    web = await serve(webBank(es, { describe, report: (error) => reported.push(error) }));
    accountId = randomUUID();
    await post(`/accounts/${accountId}/open`, { owner: 'Ada' });
  });

  afterEach(async () => {
    await web.close();
    await es.close();
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(web.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const get = (path: string, headers: Record<string, string> = {}) => fetch(web.url + path, { headers });
  const stored = async () => {
    const events: RecordedEvent[] = [];
    for await (const event of store.read({})) events.push(event);
    return events;
  };
  /** @returns the problem; nothing but the account's opening is stored. */
  const refused = async (response: Response, status: number) => {
    const text = await response.text();
    expect({ status: response.status, type: response.headers.get('content-type') }).toStrictEqual({
      status,
      type: 'application/problem+json',
    });
    expect(text).not.toMatch(secrets);
    expect((await stored()).map(({ type }) => type)).toStrictEqual(['account.opened']);
    const problem = JSON.parse(text) as Record<string, unknown>;
    expect(problem).toMatchObject({ status, type: 'about:blank', title: expect.any(String) });
    return problem;
  };

  it('has events know of their request, and gives its correlation id back', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { 'x-user': 'ada', 'x-tenant': 'north', traceparent: trace, 'x-correlation-id': 'order/7' };
    const response = await post(`/accounts/${accountId}/deposit`, { amount: 5 }, headers);
    expect(response.headers.get('x-correlation-id')).toBe('order/7');
    const event = (await stored()).at(-1);
    expect(event?.metadata).toMatchObject({ correlationId: 'order/7', traceparent: trace, user: 'ada', tenant: 'north' });
  });

  it.each([
    ['x-correlation-id', 'a'.repeat(129)],
    ['x-correlation-id', 'a b"c'],
    ['x-correlation-id', 'a, b'],
    ['traceparent', '00-00000000000000000000000000000000-b7ad6b7169203331-01'],
    ['traceparent', `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01${'x'.repeat(500)}`],
  ])('passes over a %s that is not of its form', async (name, value) => {
    const response = await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { [name]: value });
    const given = response.headers.get('x-correlation-id');
    expect(given).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
    const { metadata } = (await stored()).at(-1) as RecordedEvent;
    expect(metadata).toStrictEqual({ correlationId: given, causationId: expect.any(String) });
  });

  it('refuses a user of more than 256 characters', async () => {
    expect(
      await refused(await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { 'x-user': 'a'.repeat(257) }), 400),
    ).toMatchObject({
      code: 'INVALID_HEADER',
    });
  });

  it('tells the position of what a request has stored, and of nothing else', async () => {
    const [deposit, read] = await Promise.all([
      post(`/accounts/${accountId}/deposit`, { amount: 5 }),
      get(`/accounts/${accountId}`),
    ]);
    expect(deposit.headers.get('eventfold-position')).toBe((await stored()).at(-1)?.position);
    expect(read.headers.get('eventfold-position')).toBeNull();
  });

  it('reads what was written, after the position is sent back', async () => {
    for (let amount = 1; amount <= 20; amount += 1) {
      const deposit = await post(`/accounts/${accountId}/deposit`, { amount });
      const position = deposit.headers.get('eventfold-position') as string;
      const read = (await (await get(`/accounts/${accountId}`, { 'eventfold-position': position })).json()) as AccountBalance;
      expect(read.balance).toBe((amount * (amount + 1)) / 2);
    }
  });

  it('answers 503 with Retry-After while a projection does not catch up', async () => {
    await es.projections.pause(AccountBalance);
    const deposit = await post(`/accounts/${accountId}/deposit`, { amount: 5 });
    const position = deposit.headers.get('eventfold-position') as string;
    const impatient = await serve(webBank(es, { report: () => undefined }, 50));
    const headers = { 'eventfold-position': position };
    const response = await fetch(`${impatient.url}/accounts/${accountId}`, { headers });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ status: 503, code: 'CAUGHT_UP_TIMEOUT', retryAfter: 1 });
    await impatient.close();
  });

  it.each(['1', 'm12345678-1', "1' OR 1=1 --", 'a'.repeat(129), '9'.repeat(100), '-1', '%00', 'undefined'])(
    'refuses the forged position %s',
    async (position) => {
      expect((await refused(await get(`/accounts/${accountId}`, { 'eventfold-position': position }), 400)).code).toMatch(
        /^INVALID_(POSITION|HEADER)$/,
      );
    },
  );

  it('refuses If-Match of another aggregate, and of an older state', async () => {
    const otherId = randomUUID();
    const other = await es.create(RawAccount, { accountId: otherId });
    const tag = (await get(`/accounts/${accountId}`)).headers.get('etag') as string;
    await other.open('Ben');
    const foreign = (await get(`/accounts/${otherId}`)).headers.get('etag') as string;
    const refusal = await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { 'if-match': foreign });
    expect([refusal.status, await refusal.json()]).toMatchObject([412, { code: 'PRECONDITION_FAILED' }]);
    const deposit = await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { 'if-match': tag });
    expect(deposit.status).toBe(204);
    expect((await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { 'if-match': tag })).status).toBe(412);
    const newer = deposit.headers.get('etag') as string;
    expect((await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { 'if-match': newer })).status).toBe(204);
    expect(await stored()).toHaveLength(4);
  });

  it('answers what is not found, exists, or is not valid', async () => {
    expect(await refused(await get(`/accounts/${randomUUID()}`), 404)).toMatchObject({ code: 'AGGREGATE_NOT_FOUND' });
    expect(await refused(await post(`/accounts/${accountId}/open`, { owner: 'Eve' }), 409)).toMatchObject({
      code: 'AGGREGATE_EXISTS',
    });
    expect(await refused(await post(`/accounts/${accountId}/deposit`, { amount: -5 }), 400)).toMatchObject({
      code: 'EVENT_VALIDATION',
      violations: [{ property: 'amount', rule: 'isPositive', message: 'amount must be a positive number' }],
    });
  });

  it.each(['5', null, [5], { valueOf: 5 }, true, undefined])('refuses a deposit of %p', async (amount) => {
    await refused(await post(`/accounts/${accountId}/deposit`, { amount }), 400);
  });

  it.each([
    '{"payload":{"amount":5,"__proto__":{"isAdmin":true}}}',
    '{"payload":{"amount":5,"constructor":{"prototype":{"isAdmin":true}}}}',
    '{"payload":{"amount":5,"note":{"__proto__":{"isAdmin":true}}}}',
    '{"payload":{"amount":5},"metadata":{"__proto__":{"isAdmin":true}}}',
    '{"payload":{"amount":5},"metadata":{"note":{"__proto__":{"isAdmin":true}}}}',
    '{"payload":{"amount":5},"metadata":{"__proto__":7}}',
    '{"payload":{"accountId":"not mine","amount":5}}',
    '{"payload":[5]}',
    '{"payload":"5"}',
    '{"payload":null}',
    '{"payload":{"amount":{"__proto__":null}}}',
  ])('refuses %s', async (body) => {
    await refused(await post(`/raw/${accountId}`, body), 400);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each(['{', '', 'null', '"text"', '{"amount":5}}', `{"amount":${'['.repeat(4_000)}`])('refuses the body %p', async (body) => {
    const response = await post(`/accounts/${accountId}/deposit`, body);
    expect([400, 500]).toContain(response.status);
    await refused(response, response.status);
  });

  it('refuses a body that is too large', async () => {
    expect(await refused(await post(`/accounts/${accountId}/deposit`, { amount: 'x'.repeat(20_000) }), 413)).toMatchObject({
      title: 'Payload Too Large',
    });
  });

  it('refuses addresses that are none', async () => {
    await refused(await get('/accounts/%E0%A4%A'), 400);
    await refused(await get('/nowhere'), 404);
    await refused(await get('/accounts/__proto__'), 404);
    await refused(await get('/accounts/constructor'), 404);
  });

  it('tells nothing of an error that is not known, and reports it', async () => {
    expect(await refused(await get('/broken'), 500)).toStrictEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
    });
    expect(reported).toMatchObject([{ message: 'SELECT secret FROM vault at db-7' }]);
  });

  it('tells of errors of yours what you say', async () => {
    expect(await refused(await get('/overdrawn'), 422)).toStrictEqual({
      type: 'about:blank',
      title: 'Insufficient funds',
      status: 422,
      balance: 1,
    });
  });

  it('says how things are', async () => {
    const well = await get('/health');
    expect([well.status, await well.json()]).toMatchObject([200, { isHealthy: true, store: { isReachable: true } }]);
    await es.close();
    const closed = await get('/health');
    expect([closed.status, await closed.json()]).toMatchObject([503, { isHealthy: false, projections: [] }]);
    const response = await get(`/accounts/${accountId}`);
    expect([response.status, response.headers.get('retry-after')]).toStrictEqual([503, '1']);
  });
});
