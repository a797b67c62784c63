import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventSourcing, InMemoryEventStore } from 'eventfold';
import { Account, AccountBalance } from './account';
import { bank } from './server';

describe('the bank over HTTP', () => {
  let es: EventSourcing;
  let server: Server;
  let url: string;

  beforeEach(async () => {
    es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, AccountBalance] });
    await new Promise<void>((listening) => {
      server = bank(es).listen(0, '127.0.0.1', () => listening());
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    await es.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const open = async (owner: string, amount: number) => {
    const { accountId } = (await (await post('/accounts', { owner })).json()) as { accountId: string };
    const deposit = await post(`/accounts/${accountId}/deposits`, { amount });
    return { accountId, etag: deposit.headers.get('etag') as string };
  };
  const transfer = (from: string, to: string, amount: number, tag?: string) =>
    post(`/accounts/${from}/transfers`, { to, amount }, tag === undefined ? {} : { 'if-match': tag });

  it('shows who writes what he has written', async () => {
    const ada = await open('Ada', 100);
    const ben = await open('Ben', 10);
    const sent = await transfer(ada.accountId, ben.accountId, 30, ada.etag);
    const headers = { 'eventfold-position': sent.headers.get('eventfold-position') as string };
    const accounts = (await (await fetch(`${url}/accounts`, { headers })).json()) as AccountBalance[];
    expect(new Map(accounts.map(({ owner, balance }) => [owner, balance]))).toStrictEqual(
      new Map([
        ['Ada', 70],
        ['Ben', 40],
      ]),
    );
    const read = await fetch(`${url}/accounts/${ben.accountId}`);
    expect(await read.json()).toStrictEqual({ accountId: ben.accountId, owner: 'Ben', balance: 40 });
  });

  it('lets one of two transfers through that were decided by the same balance', async () => {
    const ada = await open('Ada', 100);
    const ben = await open('Ben', 10);
    const answers = await Promise.all([60, 50].map((amount) => transfer(ada.accountId, ben.accountId, amount, ada.etag)));
    expect(answers.map(({ status }) => status).sort()).toStrictEqual([204, 412]);
    const refused = answers.find(({ status }) => status === 412);
    expect(await refused?.json()).toMatchObject({ code: 'PRECONDITION_FAILED', status: 412 });
  });

  it('answers what it refuses with Problem Details', async () => {
    const ada = await open('Ada', 100);
    const refusals = [
      await transfer(ada.accountId, ada.accountId, 500, ada.etag),
      await transfer(ada.accountId, ada.accountId, -5, ada.etag),
      await transfer(ada.accountId, ada.accountId, 5),
      await transfer(ada.accountId, '0b8ee5a6-2b3c-4e0d-9f2f-5b1c0a6f7d11', 5, ada.etag),
      await post('/accounts', { owner: '' }),
      await fetch(`${url}/nowhere`),
    ];
    expect(refusals.map(({ status }) => status)).toStrictEqual([422, 400, 428, 404, 400, 404]);
    for (const { headers } of refusals) expect(headers.get('content-type')).toBe('application/problem+json');
    expect(await refusals[0]?.json()).toMatchObject({ title: 'Insufficient funds', balance: 100 });
  });

  it('tells browsers of every account that changes', async () => {
    const response = await fetch(`${url}/accounts/live`);
    let text = '';
    const seen = (async () => {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        if (text.includes('"balance":100')) return;
      }
    })();
    await open('Ada', 100);
    await seen;
    expect(text).toMatch(/^id: .+\ndata: \{"accountId":".+","owner":"Ada","balance":100\}$/m);
  });

  it('says that it is well', async () => {
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});
