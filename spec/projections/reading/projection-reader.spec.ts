import { randomUUID } from 'node:crypto';
import { EventSourcing, InMemoryEventStore, NotRegisteredError, ProjectionReader } from 'eventfold';
import { firstValueFrom, skip } from 'rxjs';
import { Account, AccountBalance } from '../../../samples/bank/account';

describe('ProjectionReader', () => {
  const accountId = randomUUID();

  it('reads, watches and waits as es.projections does', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, AccountBalance] });
    const balances = es.projections.of(AccountBalance);
    expect(balances).toBeInstanceOf(ProjectionReader);
    const watched = firstValueFrom(balances.watch({ accountId }).pipe(skip(1)));
    const changed = firstValueFrom(balances.changes());
    await (await es.create(Account, { accountId })).deposit(5);
    await balances.caughtUp({ timeoutMs: 5_000 });
    const found = await balances.get({ accountId });
    expect(found).toMatchObject({ accountId, balance: 5 });
    expect(await balances.all()).toStrictEqual([found]);
    expect([await watched, await changed]).toStrictEqual([found, found]);
    await es.close();
  });

  it('is of a registered projection', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account] });
    expect(() => es.projections.of(AccountBalance)).toThrow(NotRegisteredError);
    expect(() => es.projections.of(Account)).toThrow(NotRegisteredError);
    await es.close();
  });
});
