import { randomUUID } from 'node:crypto';
import { EventSourcing, InMemoryEventStore } from 'eventfold';
import { healthCheck, notFound, problemDetails, readYourWrites, requestContext, serverSentEvents } from 'eventfold/express';
import { etagOf, requireMatch } from 'eventfold/http';
import express, { type Request } from 'express';
import { Account, AccountBalance, InsufficientFunds } from './account';

/** The bank over HTTP. */
export function bank(es: EventSourcing): express.Express {
  const app = express();
  app.use(requestContext(es, { user: (request) => request.get('x-user') })); // in earnest: what your authentication found out
  app.use(express.json({ limit: '10kb' }));

  app.get('/health', healthCheck(es, { maxLagSeconds: 10 }));

  app.post('/accounts', async (request, response) => {
    const account = await es.create(Account, { accountId: randomUUID() });
    await account.open(body(request).owner as string);
    response.status(201).location(`/accounts/${account.accountId}`).json({ accountId: account.accountId });
  });

  // Every account that changes, then one: both before the route that would take "live" for an id.
  app.get('/accounts/live', serverSentEvents(es, AccountBalance));
  app.get('/accounts/:accountId/live', serverSentEvents(es, AccountBalance, { ids }));

  app.get('/accounts', readYourWrites(es, { projections: [AccountBalance] }), async (_request, response) => {
    response.json(await es.projections.all(AccountBalance));
  });

  app.get('/accounts/:accountId', async (request, response) => {
    const account = await es.load(Account, ids(request));
    await es.projections.caughtUp(AccountBalance); // what is shown is no older than the tag
    response.set('ETag', etagOf(account)).json(await es.projections.get(AccountBalance, ids(request)));
  });

  app.post('/accounts/:accountId/deposits', async (request, response) => {
    const account = await es.load(Account, ids(request));
    await account.deposit(body(request).amount as number);
    response.set('ETag', etagOf(account)).status(204).end();
  });

  app.post('/accounts/:accountId/transfers', async (request, response) => {
    const { to, amount } = body(request);
    const account = await es.load(Account, ids(request));
    requireMatch(account, request.get('if-match')); // the client decided by what it has seen
    await es.load(Account, { accountId: to as string }); // 404 unless it is there
    await account.transfer(to as string, amount as number);
    response.set('ETag', etagOf(account)).status(204).end();
  });

  app.use(notFound());
  app.use(problemDetails({ describe }));
  return app;
}

function ids({ params }: Request): { accountId: string } {
  return { accountId: params.accountId as string };
}

/** Whatever a client sends: events check what becomes of it. */
function body(request: Request): Record<string, unknown> {
  return (request.body ?? {}) as Record<string, unknown>;
}

/** What clients may know of the bank's own errors. */
function describe(error: unknown) {
  if (!(error instanceof InsufficientFunds)) return undefined;
  return { status: 422, title: 'Insufficient funds', detail: error.message, balance: error.balance };
}

async function main(): Promise<void> {
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, AccountBalance] });
  const port = Number(process.env.PORT ?? 3000);
  const server = bank(es).listen(port, () => console.log(`http://localhost:${port}/accounts/live`));
  process.once('SIGTERM', async () => {
    server.close();
    await es.close(); // ends the streams of events, which the server waits for
  });
}

if (require.main === module) void main();
