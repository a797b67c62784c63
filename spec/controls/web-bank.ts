import { Aggregate, Command, type EventSourcing } from 'eventfold';
import { healthCheck, notFound, problemDetails, readYourWrites, requestContext, serverSentEvents } from 'eventfold/express';
import { etagOf, type ProblemAnswerOptions, requireMatch } from 'eventfold/http';
import express from 'express';
import { Account, AccountBalance, Deposited, InsufficientFunds } from '../../samples/bank/account';

/** Emits whatever it is given. */
@Aggregate({ name: 'Account' })
export class RawAccount extends Account {
  @Command()
  async record(payload: unknown) {
    this.emit(Deposited, payload as { amount: number });
  }
}

/** The bank over HTTP, as a hostile client finds it: everything a body holds goes into commands and metadata. */
export function webBank(es: EventSourcing, problems: ProblemAnswerOptions, timeoutMs = 10_000): express.Express {
  const app = express();
  app.use(requestContext(es, { user: (request) => request.get('x-user'), tenant: (request) => request.get('x-tenant') }));
  app.use(express.json({ limit: '10kb' }));
  app.get('/health', healthCheck(es));
  app.get('/live', serverSentEvents(es, AccountBalance, { heartbeatMs: 50 }));
  app.get(
    '/accounts/:accountId/live',
    serverSentEvents(es, AccountBalance, { ids: ({ params }) => params as { accountId: string } }),
  );
  app.get('/accounts/:accountId', readYourWrites(es, { projections: [AccountBalance], timeoutMs }), async (request, response) => {
    const account = await es.load(RawAccount, request.params as { accountId: string });
    response.set('ETag', etagOf(account)).json(await es.projections.get(AccountBalance, { accountId: account.accountId }));
  });
  app.post('/accounts/:accountId/open', async (request, response) => {
    await (await es.create(RawAccount, request.params as { accountId: string })).open(request.body.owner);
    response.sendStatus(201);
  });
  app.post('/accounts/:accountId/deposit', async (request, response) => {
    const account = await es.load(RawAccount, request.params as { accountId: string });
    requireMatch(account, request.get('if-match'), { missing: 'allow' });
    await account.deposit(request.body.amount);
    response.set('ETag', etagOf(account)).sendStatus(204);
  });
  app.post('/raw/:accountId', async (request, response) => {
    const { metadata, payload } = request.body;
    await es.withMetadata(metadata ?? {}, async () => {
      const account = await es.loadOrCreate(RawAccount, request.params as { accountId: string });
      await account.record(payload);
    });
    response.sendStatus(204);
  });
  app.get('/broken', () => {
    throw Object.assign(new Error('SELECT secret FROM vault at db-7'), { status: 400 });
  });
  app.get('/overdrawn', () => {
    throw new InsufficientFunds('a', 5, 1);
  });
  app.use(notFound());
  app.use(problemDetails(problems));
  return app;
}
