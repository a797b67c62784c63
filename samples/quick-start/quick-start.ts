import { IsPositive } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Command,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  Projection,
  ProjectionId,
} from 'eventfold';

@Event('account.transferred')
class Transferred {
  from!: string;
  to!: string;
  @IsPositive() amount!: number;
}

@Aggregate() // decides: each transfer is guarded by all that happened to the account
class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  private balance = 100; // a gift of the bank

  @Command()
  async transfer(to: string, amount: number) {
    if (amount > this.balance) throw new Error(`${this.accountId} has only ${this.balance}`);
    this.emit(Transferred, { from: this.accountId, to, amount });
  }
  @Handles(Transferred, { accountId: 'from' })
  protected sent(event: Transferred) {
    this.balance -= event.amount;
  }
  @Handles(Transferred, { accountId: 'to' })
  protected received(event: Transferred) {
    this.balance += event.amount;
  }
}

@Projection() // a read model: keeps itself up to date
class Income {
  @ProjectionId() accountId!: string;
  total = 0;

  @Handles(Transferred, { accountId: 'to' })
  received(event: Transferred) {
    this.total += event.amount;
  }
}

async function main() {
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, Income] });
  es.projections.changes(Income).subscribe(({ accountId, total }) => console.log(`${accountId} got ${total} in all`));

  const ann = await es.create(Account, { accountId: 'ann' });
  await ann.transfer('bob', 30);
  await es.projections.caughtUp(); // read models follow in the background
  await ann.transfer('bob', 500).catch((error: Error) => console.log(error.message));
  const bob = await es.load(Account, { accountId: 'bob' }); // knows what Ann sent
  await bob.transfer('ann', 130);

  await es.projections.caughtUp();
  console.log(await es.projections.get(Income, { accountId: 'ann' }));
  await es.close();
}

void main();
