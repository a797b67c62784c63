import { randomUUID } from 'node:crypto';
import {
  AggregateExistsError,
  AggregateNotFoundError,
  AggregateRepository,
  EventSourcing,
  InMemoryEventStore,
  NotRegisteredError,
} from 'eventfold';
import { Account, AccountBalance } from '../../samples/bank/account';

describe('AggregateRepository', () => {
  const accountId = randomUUID();

  it('loads, begins and refuses as the EventSourcing does', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account] });
    const accounts = es.repositoryOf(Account);
    expect(accounts).toBeInstanceOf(AggregateRepository);
    expect(accounts.target).toBe(Account);
    await expect(accounts.load({ accountId })).rejects.toBeInstanceOf(AggregateNotFoundError);
    await (await accounts.create({ accountId })).deposit(1);
    await (await accounts.loadOrCreate({ accountId })).deposit(1);
    await (await accounts.load({ accountId })).deposit(1);
    expect(await es.statsOf(Account, { accountId })).toMatchObject({ version: 3 });
    await expect(accounts.create({ accountId })).rejects.toBeInstanceOf(AggregateExistsError);
    await es.close();
  });

  it('is of a registered aggregate', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [AccountBalance] });
    expect(() => es.repositoryOf(Account)).toThrow(NotRegisteredError);
    // @ts-expect-error - a projection is no aggregate
    expect(() => es.repositoryOf(AccountBalance)).toThrow(NotRegisteredError);
    await es.close();
  });
});
