import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  ProjectionId,
  Reactor,
  type ReactorContext,
  type RecordedEvent,
  Registry,
} from 'eventfold';
import { Account, Deposited, Transferred } from '../../samples/bank/account';

class Webhooks {
  constructor(readonly url: string) {}
}

@Reactor({ from: 'now', retry: { attempts: 3, delayMs: 1 } })
class Receipts {
  constructor(private readonly webhooks: Webhooks) {}

  @Handles(Deposited)
  async deposited(event: Deposited, { id, signal }: ReactorContext) {
    const response = await fetch(this.webhooks.url, {
      method: 'POST',
      headers: { 'Idempotency-Key': id }, // the same when the event comes again
      body: JSON.stringify(event),
      signal, // aborts when nobody waits for the handler any more
    });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`); // tried again, later
  }
}

let es: EventSourcing;

@Reactor({ from: 'start' })
class Openings {
  @Handles(Transferred)
  async received({ to }: Transferred) {
    const account = await es.load(Account, { accountId: to });
    await account.open('unknown'); // does nothing when it has been done
  }
}

@Event('shop.shipped')
class Shipped {
  orderId!: string;
  customer!: string;
}

@Reactor({ from: 'now' })
class Messages {
  @ProjectionId() customer!: string; // one customer's messages come in order; nobody waits for another's

  @Handles(Shipped)
  async shipped() {
    await sendMessage(this.customer);
  }
}

const sendMessage = async (_customer: string) => undefined;

describe('docs/reactors.md', () => {
  let server: Server;
  let status = 200;
  const received: string[] = [];
  const accountId = randomUUID();

  beforeAll(async () => {
    server = createServer((request, response) => {
      received.push(String(request.headers['idempotency-key']));
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  beforeEach(async () => {
    status = 200;
    received.length = 0;
    const webhooks = new Webhooks(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    es = await EventSourcing.open({
      store: new InMemoryEventStore(),
      classes: [Account, Receipts, Openings],
      instances: (target) => (target === Receipts ? () => new Receipts(webhooks) : undefined),
    });
  });

  afterEach(() => es.close());
  afterAll(() => server.close());

  it('calls a webhook, with the id by which a repeat is known', async () => {
    const account = await es.create(Account, { accountId });
    await account.deposit(50);
    await es.projections.caughtUp(Receipts); // without the class, projections only are waited for
    const stored: string[] = [];
    for await (const { id } of es.events()) {
      stored.push(id);
      break;
    }
    expect(received).toStrictEqual(stored);
  });

  it('stores what follows from an event', async () => {
    const account = await es.create(Account, { accountId });
    await account.deposit(50);
    await account.transfer(randomUUID(), 20);
    await es.projections.caughtUp(Openings);
    const stored: RecordedEvent[] = [];
    for await (const event of es.events()) if (stored.push(event) === 3) break;
    const [, transfer, opened] = stored;
    expect(opened).toMatchObject({
      type: 'account.opened',
      metadata: { correlationId: transfer?.metadata.correlationId, causationId: transfer?.id },
    });
  });

  it('parks what keeps failing', async () => {
    es.projections.errors().subscribe();
    status = 500;
    const account = await es.create(Account, { accountId });
    await account.deposit(50);
    await es.projections.caughtUp(Receipts);
    const print = jest.fn();
    for (const { ids, error, attempts, waiting } of await es.projections.parked(Receipts))
      print(`${ids?.['stream']}: ${error.message}, ${attempts} attempts, ${waiting} behind it`);
    expect(print.mock.calls).toStrictEqual([[expect.stringMatching(/^Account:.*: 500 .*, 3 attempts, 0 behind it$/)]]);
    status = 200; // the receiver is mended
    await es.projections.retry(Receipts); // all of them; or one: retry(Receipts, { stream }), retry(parked)
    await es.projections.caughtUp(Receipts); // has tried them
    expect(await es.projections.parked()).toStrictEqual([]);
    expect(new Set(received).size).toBe(1);
  });

  it('may have ids of its own', async () => {
    const { ids } = Registry.of([Messages]).describe(Messages);
    expect(ids).toStrictEqual(['customer']);
  });
});
