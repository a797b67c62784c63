import { IsInt, IsPositive, IsString, IsUUID } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, Projection, ProjectionId } from 'eventfold';

@Event('account.opened')
export class Opened {
  @IsUUID() accountId!: string;
  @IsString() owner!: string;
}

/** Version 1 had its amount in euros. */
@Event('account.deposited', { version: 2 })
export class Deposited {
  @IsUUID() accountId!: string;
  /** In cents, as all amounts. */
  @IsInt() @IsPositive() amount!: number;
}

/** Version 1 had its amount as text, version 2 in euros. */
@Event('account.transferred', { version: 3, aliases: ['MoneySent'] })
export class Transferred {
  @IsUUID() from!: string;
  @IsUUID() to!: string;
  @IsInt() @IsPositive() amount!: number;
}

/** The balance does not cover the amount. */
export class InsufficientFunds extends Error {
  constructor(
    readonly accountId: string,
    readonly amount: number,
    readonly balance: number,
  ) {
    super(`Account ${accountId} holds ${balance}, which does not cover ${amount}.`);
    this.name = 'InsufficientFunds';
  }
}

/** A transfer changes two accounts, so each append is guarded by all that the account depends on. */
@Aggregate()
export class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  private isOpen = false;
  private balance = 0;

  @Command()
  async open(owner: string) {
    if (!this.isOpen) this.emit(Opened, { owner });
  }

  @Command()
  async deposit(amount: number) {
    this.emit(Deposited, { amount });
  }

  @Command()
  async transfer(to: string, amount: number) {
    if (amount > this.balance) throw new InsufficientFunds(this.accountId, amount, this.balance);
    this.emit(Transferred, { from: this.accountId, to, amount });
  }

  @Handles(Opened)
  protected opened() {
    this.isOpen = true;
  }

  @Handles(Deposited)
  protected deposited(event: Deposited) {
    this.balance += event.amount;
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

/** What people read: an account's balance and how often it moved. */
@Projection()
export class AccountBalance {
  @ProjectionId() accountId!: string;
  owner = '';
  balance = 0;
  movements = 0;

  @Handles(Opened)
  opened(event: Opened) {
    this.owner = event.owner;
  }

  @Handles(Deposited)
  deposited(event: Deposited) {
    this.move(event.amount);
  }

  @Handles(Transferred, { accountId: 'from' })
  sent(event: Transferred) {
    this.move(-event.amount);
  }

  @Handles(Transferred, { accountId: 'to' })
  received(event: Transferred) {
    this.move(event.amount);
  }

  private move(amount: number) {
    this.balance += amount;
    this.movements += 1;
  }
}
