import { randomUUID } from 'node:crypto';
import { EventSourcing, InMemoryEventStore } from 'eventfold';
import { problemDetails, requestContext } from 'eventfold/express';
import express from 'express';
import { Account } from '../../../samples/bank/account';
import { serve, type WebServer } from '../../controls/web-servers';

describe('requestContext where a route reads the body by itself', () => {
  const stores = { main: new InMemoryEventStore(), audit: new InMemoryEventStore() };
  let instances: EventSourcing[];
  let web: WebServer;

  beforeAll(async () => {
    instances = await Promise.all([stores.main, stores.audit].map((store) => EventSourcing.open({ store, classes: [Account] })));
    const app = express();
    for (const es of instances) app.use(requestContext(es, { user: (request) => request.get('x-user') }));
    app.post('/', (request, response, next) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', async () => {
        for (const es of instances) await (await es.create(Account, { accountId: randomUUID() })).deposit(body.length);
        response.end();
      });
      request.on('error', next);
    });
    app.use(problemDetails());
    web = await serve(app);
  });

  afterAll(async () => {
    await web.close();
    for (const es of instances) await es.close();
  });

  it('has the events of every instance know who asked, of many at a time', async () => {
    const lengths = Array.from({ length: 40 }, (_, index) => 50_000 + index);
    await Promise.all(
      lengths.map((length) =>
        fetch(web.url, { method: 'POST', headers: { 'x-user': `user-${length}` }, body: 'x'.repeat(length) }),
      ),
    );
    for (const store of [stores.main, stores.audit]) {
      const told: unknown[] = [];
      for await (const { data, metadata } of store.read({}))
        told.push(metadata.user === `user-${(data as { amount: number }).amount}`);
      expect(told).toStrictEqual(lengths.map(() => true));
    }
  });
});
