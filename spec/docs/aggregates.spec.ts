import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  Aggregate,
  AggregateExistsError,
  AggregateNotFoundError,
  AggregateRoot,
  Command,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  type Position,
  ProjectionId,
} from 'eventfold';
import { firstValueFrom, take, toArray } from 'rxjs';
import { Account, AccountBalance, Deposited, InsufficientFunds, Transferred } from '../../samples/bank/account';
import { Route } from '../../samples/flights/route';

@Event('counter.counted')
class Counted {
  counterId!: string;
  by!: number;
}

@Aggregate({ snapshot: { every: 100, revision: 1 } })
class Counter extends AggregateRoot<'counterId'> {
  @ProjectionId() readonly counterId!: string;
  total = 0;

  @Command()
  async count(by: number) {
    this.emit(Counted, { by });
  }

  @Handles(Counted)
  protected counted(event: Counted) {
    this.total += event.by;
  }
}

describe('docs/aggregates.md', () => {
  let es: EventSourcing;
  let [ada, ben] = ['', ''];

  beforeEach(async () => {
    [ada, ben] = [randomUUID(), randomUUID()];
    es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, AccountBalance, Route, Counter] });
  });

  afterEach(() => es.close());

  it('begins and loads', async () => {
    const accountId = ada;
    const account = await es.create(Account, { accountId }); // AggregateExistsError when it has events
    await account.open('Ada'); // the first event is stored here
    const same = await es.load(Account, { accountId }); // AggregateNotFoundError when it has none
    const either = await es.loadOrCreate(Account, { accountId: ben }); // either way
    expect(same).not.toBe(account);
    await either.deposit(1);
    await expect(es.create(Account, { accountId })).rejects.toThrow(AggregateExistsError);
    await expect(es.load(Account, { accountId: randomUUID() })).rejects.toThrow(AggregateNotFoundError);
  });

  it('tells the guard', () => {
    es.registry.describe(Account).guard; // 'boundary'
    es.registry.describe(Route).guard; // 'stream'
    es.registry.boundaryOf(Account).criteria; // the events it depends on, with tags such as from:<accountId>
    expect([Account, Route].map((target) => es.registry.describe(target).guard)).toStrictEqual(['boundary', 'stream']);
    expect(es.registry.boundaryOf(Account).criteria).toContainEqual({
      types: ['account.transferred', 'MoneySent'],
      tags: ['from:<accountId>'],
    });
  });

  it('stores two transfers or none', async () => {
    const [account, other] = [await es.create(Account, { accountId: ada }), await es.create(Account, { accountId: ben })];
    await account.deposit(100);
    const swap = (there: number, back: number) =>
      es.transaction(
        async () => {
          await account.transfer(ben, there);
          await other.transfer(ada, back); // sees what the line above emitted
        },
        { attempts: 3 }, // one, unless told otherwise
      );
    await swap(100, 60);
    await expect(swap(60, 500)).rejects.toThrow(InsufficientFunds);
    await es.projections.caughtUp();
    const balances = await Promise.all([ada, ben].map((accountId) => es.projections.get(AccountBalance, { accountId })));
    expect(balances.map((account) => account?.balance)).toStrictEqual([60, 40]);
  });

  it('gives events metadata', async () => {
    const thanks: Promise<unknown>[] = [];
    const account = await es.create(Account, { accountId: ada });
    es.events({ types: [Deposited] }).subscribe((event) => {
      if (event.data.amount === 50) thanks.push(account.deposit(1)); // caused by the event
    });
    const user = 'ada@example.org';
    await es.withMetadata({ correlationId: 'request-1', user }, () => account.deposit(50));
    const stored = await firstValueFrom(es.events({ types: [Deposited] }).pipe(take(2), toArray()));
    await Promise.all(thanks);
    expect(stored.map(({ metadata }) => metadata)).toMatchObject([
      { correlationId: 'request-1', user },
      { correlationId: 'request-1', causationId: stored[0]?.id },
    ]);
  });

  it('appends without an aggregate', async () => {
    const accountId = ada;
    let readUpTo: Position | undefined;
    const gift = createEvent(Deposited, { accountId, amount: 5 });
    const { criteria } = es.registry.boundaryOf(Account, { accountId });
    const guard = { condition: { criteria, after: readUpTo } }; // nothing of the account is newer than what was read
    const { position } = await es.append(es.streamOf(Account, { accountId }), [gift], guard);
    expect(position).toBeDefined();
    readUpTo = position;
    await expect(es.append('elsewhere', [gift], guard)).rejects.toMatchObject({ code: 'OPTIMISTIC_LOCK' });
    const transfer = createEvent(Transferred, { from: ben, to: ada, amount: 1 });
    await es.append('imports', [transfer], { version: 'none' }); // or a number, or 'exists'
    await es.appendUnguarded('imports', [gift]); // whatever the stream holds
    expect((await es.statsOf(Account, { accountId })).events).toBe(3);
  });

  it('loads from a snapshot', async () => {
    const counterId = 'c';
    const counter = await es.create(Counter, { counterId });
    await es.transaction(async () => {
      for (let by = 1; by <= 100; by += 1) await counter.count(by);
    });
    while (es.stats().snapshots.saved === 0) await setImmediate();
    expect((await es.statsOf(Counter, { counterId })).hasSnapshot).toBe(true);
    expect(await es.load(Counter, { counterId })).toMatchObject({ total: 5050 });
    expect(es.stats().snapshots).toMatchObject({ hits: 2, saved: 1 });
  });
});
