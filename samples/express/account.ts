import { IsInt, IsPositive, IsUUID, MinLength } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, Projection, ProjectionId } from 'eventfold';

@Event('account.opened')
export class Opened {
  @IsUUID() accountId!: string;
  @MinLength(1) owner!: string;
}

@Event('account.deposited')
export class Deposited {
  @IsUUID() accountId!: string;
  @IsInt() @IsPositive() amount!: number;
}

@Event('account.transferred')
export class Transferred {
  @IsUUID() from!: string;
  @IsUUID() to!: string;
  @IsInt() @IsPositive() amount!: number;
}

/** The balance does not cover the amount. */
export class InsufficientFunds extends Error {
  constructor(readonly balance: number) {
    super(`The account holds ${balance}.`);
  }
}

@Aggregate()
export class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  private balance = 0;

  @Command()
  async open(owner: string) {
    this.emit(Opened, { owner });
  }

  @Command()
  async deposit(amount: number) {
    this.emit(Deposited, { amount });
  }

  @Command()
  async transfer(to: string, amount: number) {
    if (amount > this.balance) throw new InsufficientFunds(this.balance);
    this.emit(Transferred, { from: this.accountId, to, amount });
  }

  @Handles(Opened)
  protected opened() {}

  @Handles(Deposited)
  protected deposited({ amount }: Deposited) {
    this.balance += amount;
  }

  @Handles(Transferred, { accountId: 'from' })
  protected sent({ amount }: Transferred) {
    this.balance -= amount;
  }

  @Handles(Transferred, { accountId: 'to' })
  protected received({ amount }: Transferred) {
    this.balance += amount;
  }
}

/** What people read. */
@Projection()
export class AccountBalance {
  @ProjectionId() accountId!: string;
  owner = '';
  balance = 0;

  @Handles(Opened)
  opened({ owner }: Opened) {
    this.owner = owner;
  }

  @Handles(Deposited)
  deposited({ amount }: Deposited) {
    this.balance += amount;
  }

  @Handles(Transferred, { accountId: 'from' })
  sent({ amount }: Transferred) {
    this.balance -= amount;
  }

  @Handles(Transferred, { accountId: 'to' })
  received({ amount }: Transferred) {
    this.balance += amount;
  }
}
