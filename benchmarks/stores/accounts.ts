import { Aggregate, AggregateRoot, Command, Event, Handles, ProjectionId } from 'eventfold';

@Event('account.deposited')
export class Deposited {
  accountId!: string;
  amount!: number;
  currency!: string;
  note!: string;
}

/** Its events lie in its own stream: guarded by the stream's version. */
@Aggregate()
export class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  balance = 0;

  @Command()
  async deposit(amount: number) {
    if (this.balance + amount > 1_000_000_000) throw new Error('too much');
    this.emit(Deposited, { amount, currency: 'EUR', note: 'salary of the month' });
  }

  @Handles(Deposited)
  protected deposited(event: Deposited) {
    this.balance += event.amount;
  }
}

/** An event as an application has it in its hands. */
export function deposit(accountId: string, amount: number): Deposited {
  return Object.assign(new Deposited(), { accountId, amount, currency: 'EUR', note: 'salary of the month' });
}
