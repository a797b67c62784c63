import { IsNumberString, IsString, IsUUID } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, ProjectionId } from 'eventfold';

// The bank as it was in its first year. Nobody gave the events names, so those of the classes were stored, and amounts are text.

@Event()
export class AccountOpened {
  @IsUUID() accountId!: string;
  @IsString() name!: string;
  /** What was paid in when the account was opened, in euros. */
  @IsNumberString() deposit!: string;
}

@Event()
export class CashPaidIn {
  @IsUUID() accountId!: string;
  @IsNumberString() amount!: string;
}

@Event()
export class ChequePaidIn {
  @IsUUID() accountId!: string;
  @IsNumberString() amount!: string;
}

@Event()
export class MoneySent {
  @IsUUID() from!: string;
  @IsUUID() to!: string;
  @IsNumberString() amount!: string;
}

@Event()
export class StatementPrinted {
  @IsUUID() accountId!: string;
}

@Aggregate()
export class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  private balance = 0;

  @Command()
  async open(name: string, deposit: string) {
    this.emit(AccountOpened, { name, deposit });
  }

  @Command()
  async payIn(means: 'cash' | 'cheque', amount: string) {
    this.emit(means === 'cash' ? CashPaidIn : ChequePaidIn, { amount });
  }

  @Command()
  async send(to: string, amount: string) {
    if (Number(amount) > this.balance) throw new Error(`The account holds ${this.balance}.`);
    this.emit(MoneySent, { from: this.accountId, to, amount });
  }

  @Command()
  async printStatement() {
    this.emit(StatementPrinted, {});
  }

  @Handles(AccountOpened)
  protected opened(event: AccountOpened) {
    this.balance += Number(event.deposit);
  }

  @Handles(CashPaidIn)
  protected cashPaidIn(event: CashPaidIn) {
    this.balance += Number(event.amount);
  }

  @Handles(ChequePaidIn)
  protected chequePaidIn(event: ChequePaidIn) {
    this.balance += Number(event.amount);
  }

  @Handles(MoneySent, { accountId: 'from' })
  protected sent(event: MoneySent) {
    this.balance -= Number(event.amount);
  }

  @Handles(MoneySent, { accountId: 'to' })
  protected received(event: MoneySent) {
    this.balance += Number(event.amount);
  }

  @Handles(StatementPrinted)
  protected statementPrinted() {}
}
