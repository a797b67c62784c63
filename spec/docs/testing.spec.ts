import { randomUUID } from 'node:crypto';
import { type EventContext, EventSourcing, EventValidationError, Handles, InMemoryEventStore, Projection } from 'eventfold';
import { fixedClock, scenario, sequentialIds } from 'eventfold/testing';
import { Account, AccountBalance, Deposited, InsufficientFunds, Transferred } from '../../samples/bank/account';

const accountId = randomUUID();
const other = randomUUID();

describe('Account', () => {
  const rich = scenario(Account, { accountId }).given(Deposited, { amount: 90 });

  it('transfers what is there', () =>
    rich
      .when((account) => account.transfer(other, 50))
      .thenEmits(Transferred, { from: accountId, to: other, amount: 50 })
      .thenState({ balance: 40 }));

  it('refuses to overdraw', () =>
    rich
      .when((account) => account.transfer(other, 100))
      .thenRejects(InsufficientFunds, { balance: 90, message: /does not cover 100/ }));

  it('counts what others sent', () =>
    rich
      .given(Transferred, { from: other, to: accountId, amount: 10 })
      .when((account) => account.transfer(other, 100))
      .thenEmits(Transferred, { from: accountId, to: other, amount: 100 }));

  it('refuses an amount that breaks a rule', () => rich.when((account) => account.deposit(-1)).thenRejects(EventValidationError));
});

describe('AccountBalance', () => {
  it('moves both accounts', () =>
    scenario(AccountBalance, { accountId })
      .given(Transferred, { from: accountId, to: other, amount: 40 })
      .thenState({ balance: -40, movements: 1 })
      .thenStateOf({ accountId: other }, { balance: 40, movements: 1 }));

  it('has nothing for an account without events', () =>
    scenario(AccountBalance, { accountId }).given(Deposited, { accountId: other, amount: 1 }).thenNoState());
});

@Projection()
class Times {
  seen: string[] = [];

  @Handles(Deposited)
  deposited(_event: Deposited, { id, time }: EventContext) {
    this.seen.push(`${id} ${time}`);
  }
}

describe('docs/testing.md', () => {
  it('knows what time it is', async () => {
    const clock = fixedClock('2024-02-29T12:00:00Z');
    const ids = sequentialIds('event-');
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, Times], clock, ids });
    const account = await es.create(Account, { accountId });
    clock.advance(1_000);
    await account.deposit(1);
    await es.projections.caughtUp();
    expect((await es.projections.get(Times))?.seen).toStrictEqual([expect.stringMatching(/^event-\d 2024-02-29T12:00:01.000Z$/)]);
    await es.close();
  });
});
