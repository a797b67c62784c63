import { randomUUID } from 'node:crypto';
import {
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  type ParkedEvent,
  Projection,
  ProjectionId,
} from 'eventfold';
import { Account, AccountBalance, Deposited, Transferred } from '../../samples/bank/account';

@Event('message.sent')
class Sent {
  from!: string;
  to!: string[];
}

@Projection()
class Inbox {
  @ProjectionId() reader!: string;
  messages = 0;

  @Handles(Sent, { reader: 'to' }) // an array: each reader's inbox gets it
  sent() {
    this.messages += 1;
  }
}

@Projection({ mode: 'inline' })
class Overview {
  transfers = 0;

  @Handles(Transferred)
  transferred() {
    this.transfers += 1;
  }
}

@Projection({ mode: 'live' })
class Statement {
  @ProjectionId() accountId!: string;
  lines: string[] = [];

  @Handles(Transferred, { accountId: 'from' })
  sent(event: Transferred) {
    this.lines.push(`-${event.amount}`);
  }
}

let limit = 100;

@Projection({ retry: { attempts: 3, delayMs: 1 } })
class Savings {
  @ProjectionId() accountId!: string;
  total = 0;

  @Handles(Deposited)
  deposited(event: Deposited) {
    if (event.amount > limit) throw new RangeError('more than the column holds');
    this.total += event.amount;
  }
}

describe('docs/projections.md', () => {
  let es: EventSourcing;
  let accountId = '';

  beforeEach(async () => {
    accountId = randomUUID();
    limit = 100;
    es = await EventSourcing.open({
      store: new InMemoryEventStore(),
      classes: [Account, AccountBalance, Inbox, Overview, Savings, Statement],
    });
  });

  afterEach(() => es.close());

  it('hands an event to each instance that an array names', async () => {
    await es.appendUnguarded('messages', [createEvent(Sent, { from: 'ann', to: ['bob', 'cleo'] })]);
    await es.projections.caughtUp();
    expect(await es.projections.all(Inbox)).toMatchObject([
      { reader: 'bob', messages: 1 },
      { reader: 'cleo', messages: 1 },
    ]);
  });

  it('has three modes', async () => {
    const account = await es.create(Account, { accountId });
    await account.deposit(50);
    await account.transfer(randomUUID(), 20);
    expect(await es.projections.get(Overview)).toMatchObject({ transfers: 1 });
    expect(await es.projections.get(Statement, { accountId })).toMatchObject({ lines: ['-20'] });
  });

  it('is read and watched', async () => {
    const print = jest.fn();
    es.projections.watch(AccountBalance, { accountId }).subscribe((now) => print(now?.balance)); // now, and each change
    es.projections.changes(AccountBalance).subscribe((changed) => print(`${changed.accountId} changed`)); // any instance
    const account = await es.create(Account, { accountId });
    await account.deposit(50);
    await es.projections.caughtUp(AccountBalance); // shows all that is stored by now
    const one = await es.projections.get(AccountBalance, { accountId }); // undefined when there is none
    const all = await es.projections.all(AccountBalance);
    expect([one?.balance, all.length]).toStrictEqual([50, 1]);
    expect(print.mock.calls.flat()).toEqual(expect.arrayContaining([undefined, 50, `${accountId} changed`]));
  });

  it('waits for one position', async () => {
    const gift = createEvent(Deposited, { accountId, amount: 5 });
    const { position } = await es.appendUnguarded('gifts', [gift]);
    await es.projections.caughtUp(AccountBalance, { position, timeoutMs: 1_000 });
    expect(await es.projections.get(AccountBalance, { accountId })).toMatchObject({ balance: 5 });
  });

  it('parks what fails', async () => {
    const log: string[] = [];
    es.projections.errors().subscribe(({ error, isParked }) => log.push(`${error.message} ${isParked}`));
    const account = await es.create(Account, { accountId });
    for (const amount of [10, 200, 30]) await account.deposit(amount);
    await es.projections.caughtUp();
    const [parked] = await es.projections.parked(Savings);
    expect(parked).toMatchObject({
      projection: 'Savings',
      ids: { accountId },
      attempts: 3,
      waiting: 1,
    } satisfies Partial<ParkedEvent>);
    expect(await es.projections.get(Savings, { accountId })).toMatchObject({ total: 10 });
    expect(log).toHaveLength(3);
    limit = 1_000; // the handler is mended
    await es.projections.retry(Savings, { accountId }); // this instance; without ids all of them
    expect(await es.projections.get(Savings, { accountId })).toMatchObject({ total: 240 });
    await account.deposit(5_000);
    await es.projections.caughtUp();
    for (const one of await es.projections.parked()) await es.projections.retry(one);
    await es.projections.skip(Savings, { accountId }); // leaves the event out of this instance for good
    expect(await es.projections.parked()).toStrictEqual([]);
  });

  it('registers late', async () => {
    const account = await es.create(Account, { accountId });
    await account.deposit(50);

    @Projection()
    class Deposits {
      count = 0;

      @Handles(Deposited)
      deposited() {
        this.count += 1;
      }
    }
    await es.projections.register(Deposits); // when its history has been folded
    const deposits = await es.projections.get(Deposits);
    expect(deposits?.count).toBe(1);
  });
});
