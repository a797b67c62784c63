import { IsPositive, IsString } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  type Class,
  Command,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  ProjectionId,
} from 'eventfold';
import { rate } from './compare';

const aggregates = 2_000;
const history = 20;

@Event('deposited')
class Deposited {
  accountId!: string;
  amount!: number;
}

@Event('paid')
class CheckedDeposited {
  @IsString() accountId!: string;
  @IsPositive() amount!: number;
}

@Aggregate()
class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  private balance = 0;

  @Command()
  async deposit(amount: number) {
    if (this.balance + amount > 1_000_000) throw new Error('too much');
    this.emit(Deposited, { amount });
  }

  @Handles(Deposited)
  protected deposited(event: Deposited) {
    this.balance += event.amount;
  }
}

@Aggregate()
class CheckedAccount extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  private balance = 0;

  @Command()
  async deposit(amount: number) {
    if (this.balance + amount > 1_000_000) throw new Error('too much');
    this.emit(CheckedDeposited, { amount });
  }

  @Handles(CheckedDeposited)
  protected deposited(event: CheckedDeposited) {
    this.balance += event.amount;
  }
}

/** A whole command: load 20 events, decide, append one. */
export async function command(): Promise<void> {
  await measure('a command (load 20 events, decide, append one)', Account, Deposited, '100,000 or more');
  await measure(
    'the same with two class-validator rules on the event',
    CheckedAccount,
    CheckedDeposited,
    'none; shows what validation costs',
  );
}

async function measure(
  name: string,
  target: Class<AggregateRoot<'accountId'> & { readonly accountId: string; deposit(amount: number): Promise<void> }>,
  event: Class<Deposited>,
  aim: string,
): Promise<void> {
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [target] });
  let round = 0;
  await rate(name, aim, aggregates, {
    prepare: async () => {
      round += 1;
      for (let index = 0; index < aggregates; index += 1) {
        const ids = { accountId: `${round}-${index}` };
        const events = Array.from({ length: history }, () => createEvent(event, { ...ids, amount: 1 }));
        await es.appendUnguarded(es.streamOf(target, ids), events);
      }
    },
    run: async () => {
      for (let index = 0; index < aggregates; index += 1) {
        const account = await es.load(target, { accountId: `${round}-${index}` });
        await account.deposit(1);
      }
    },
  });
  await es.close();
}
