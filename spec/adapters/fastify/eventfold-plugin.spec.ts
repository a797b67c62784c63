import { randomUUID } from 'node:crypto';
import { EventSourcing, InMemoryEventStore, type RecordedEvent } from 'eventfold';
import { eventfoldPlugin, healthCheck, notFound, problemHandler, readYourWrites, serverSentEvents } from 'eventfold/fastify';
import { etagOf, requireMatch } from 'eventfold/http';
import fastify, { type FastifyInstance } from 'fastify';
import { AccountBalance } from '../../../samples/bank/account';
import { RawAccount } from '../../controls/web-bank';
import { messagesOf, next } from '../../controls/web-servers';

type Route = { Params: { accountId: string }; Body: { amount: number } };

describe('eventfold/fastify', () => {
  let store: InMemoryEventStore;
  let es: EventSourcing;
  let app: FastifyInstance;
  let url: string;
  const accountId = randomUUID();

  beforeEach(async () => {
    store = new InMemoryEventStore();
    es = await EventSourcing.open({ store, classes: [RawAccount, AccountBalance] });
    app = fastify({ forceCloseConnections: true, bodyLimit: 10_000, frameworkErrors: problemHandler() });
    await app.register(eventfoldPlugin, { es, user: (request) => request.headers['x-user']?.toString() });
    const ids = ({ params }: { params: unknown }) => params as { accountId: string };
    app.setNotFoundHandler(notFound());
    app.get('/health', healthCheck(es));
    app.get('/accounts/:accountId/live', serverSentEvents(es, AccountBalance, { ids }));
    app.get<Route>('/accounts/:accountId', { preHandler: readYourWrites(es, { timeoutMs: 2_000 }) }, ({ params }) =>
      es.projections.get(AccountBalance, params),
    );
    const schema = { body: { type: 'object', required: ['amount'] } };
    app.post<Route>('/accounts/:accountId/deposit', { schema }, async ({ params, body, headers }, reply) => {
      const account = await es.loadOrCreate(RawAccount, params);
      requireMatch(account, headers['if-match'], { missing: 'allow' });
      await account.record(body);
      return reply.header('etag', etagOf(account)).send({});
    });
    app.get('/broken', () => {
      throw new Error('SELECT secret FROM vault');
    });
    url = await app.listen({ port: 0, host: '127.0.0.1' });
  });

  afterEach(async () => {
    await app.close();
    await es.close();
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const stored = async () => {
    const events: RecordedEvent[] = [];
    for await (const event of store.read({})) events.push(event);
    return events;
  };
  const refused = async (response: Response, status: number) => {
    const text = await response.text();
    expect([response.status, response.headers.get('content-type')]).toStrictEqual([status, 'application/problem+json']);
    expect(text).not.toMatch(/SELECT|secret|at .*\.js/);
    expect(await stored()).toStrictEqual([]);
    return JSON.parse(text) as Record<string, unknown>;
  };

  it('has events know of their request, whose body came later, and tells the position of what was stored', async () => {
    const large = { amount: 5, note: 'x'.repeat(9_000) };
    const response = await post(`/accounts/${accountId}/deposit`, large, { 'x-user': 'ada', 'x-correlation-id': 'c-7' });
    const [event] = await stored();
    expect(event?.metadata).toStrictEqual({ correlationId: 'c-7', user: 'ada', causationId: expect.any(String) });
    expect(response.headers.get('x-correlation-id')).toBe('c-7');
    expect(response.headers.get('eventfold-position')).toBe(event?.position);
    const headers = { 'eventfold-position': event?.position as string };
    const read = await fetch(`${url}/accounts/${accountId}`, { headers });
    expect(await read.json()).toMatchObject({ balance: 5 });
    expect(read.headers.get('eventfold-position')).toBeNull();
  });

  it.each([
    ['{"amount":5,"__proto__":{"isAdmin":true}}', 400],
    ['{"amount":5,"constructor":{"prototype":{"isAdmin":true}}}', 400],
    ['{"amount":"5"}', 400],
    ['{"amount":', 400],
    ['[]', 400],
    ['{}', 400],
    [`{"amount":"${'x'.repeat(20_000)}"}`, 413],
  ])('refuses %.60s', async (body, status) => {
    await refused(await post(`/accounts/${accountId}/deposit`, body), status);
  });

  it('answers errors with Problem Details, and tells nothing of those it does not know', async () => {
    expect(await refused(await post(`/accounts/${accountId}/deposit`, { amount: -5 }), 400)).toMatchObject({
      violations: [{ property: 'amount', rule: 'isPositive' }],
    });
    expect(await refused(await post(`/accounts/${accountId}/deposit`, {}), 400)).toMatchObject({
      violations: [{ rule: 'required' }],
    });
    await refused(await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { 'if-match': '"other-0"' }), 412);
    await refused(await fetch(`${url}/accounts/${accountId}`, { headers: { 'eventfold-position': '7; DROP TABLE' } }), 400);
    expect(await refused(await fetch(`${url}/broken`), 500)).toStrictEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
    });
    expect(await refused(await fetch(`${url}/nowhere`), 404)).toMatchObject({ title: 'Not Found' });
  });

  it('answers addresses that the router cannot read', async () => {
    expect(await refused(await fetch(`${url}/accounts/%ff`), 400)).toMatchObject({ title: 'Bad Request' });
    expect(await refused(await fetch(`${url}/accounts/${'x'.repeat(300)}`), 414)).toMatchObject({ title: 'URI Too Long' });
  });

  it('tells browsers of a projection, and forgets those that leave', async () => {
    const gone = new AbortController();
    const messages = messagesOf(await fetch(`${url}/accounts/${accountId}/live`, { signal: gone.signal }));
    expect((await next(messages)).data).toBeNull();
    await post(`/accounts/${accountId}/deposit`, { amount: 5 });
    expect(await next(messages)).toMatchObject({ id: await store.head(), data: { balance: 5 } });
    gone.abort();
  });

  it('says how things are', async () => {
    expect((await fetch(`${url}/health`)).status).toBe(200);
    await es.close();
    const response = await fetch(`${url}/health`);
    expect([response.status, await response.json()]).toMatchObject([503, { isHealthy: false }]);
  });
});
