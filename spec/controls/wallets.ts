import { IsNumber, IsString } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, EventSourcing, Handles, InMemoryEventStore, ProjectionId } from 'eventfold';

@Event('wallet.credited')
export class Credited {
  @IsString() walletId!: string;
  @IsNumber() amount!: number;
}

@Event('wallet.moved')
export class Moved {
  @IsString() from!: string;
  @IsString() to!: string;
  @IsNumber() amount!: number;
}

@Event('tally.counted')
export class Counted {
  @IsString() tallyId!: string;
  @IsNumber() by!: number;
}

/** Something that happens while a command is at work. */
export type Meanwhile = () => unknown;

export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Open: what was moved belongs to two wallets, so the boundary guards it. */
@Aggregate()
export class Wallet extends AggregateRoot<'walletId'> {
  @ProjectionId() readonly walletId!: string;
  balance = 0;
  readonly movements: number[] = [];

  @Command()
  async credit(amount: number, meanwhile?: Meanwhile) {
    await meanwhile?.();
    this.emit(Credited, { amount });
  }

  @Command()
  async move(to: string, amount: number, meanwhile?: Meanwhile) {
    if (amount > this.balance) throw new Refused(`${this.walletId} holds ${this.balance}`);
    await meanwhile?.();
    this.emit(Moved, { from: this.walletId, to, amount });
  }

  @Command()
  async creditAndRefuse(amount: number, meanwhile?: Meanwhile) {
    this.emit(Credited, { amount });
    await meanwhile?.();
    throw new Refused('after all');
  }

  @Command()
  async look(meanwhile?: Meanwhile) {
    await meanwhile?.();
    return this.balance;
  }

  @Handles(Credited)
  protected credited(event: Credited) {
    this.balance += event.amount;
    this.movements.push(event.amount);
  }

  @Handles(Moved, { walletId: 'from' })
  protected sent(event: Moved) {
    this.balance -= event.amount;
    this.movements.push(-event.amount);
  }

  @Handles(Moved, { walletId: 'to' })
  protected received(event: Moved) {
    this.balance += event.amount;
    this.movements.push(event.amount);
  }
}

/** Closed: all its events lie in its own stream, whose version guards it. */
@Aggregate()
export class Tally extends AggregateRoot<'tallyId'> {
  @ProjectionId() readonly tallyId!: string;
  total = 0;
  readonly steps: number[] = [];

  @Command()
  async count(by: number, meanwhile?: Meanwhile) {
    await meanwhile?.();
    this.emit(Counted, { by });
  }

  @Command()
  async countTwice(by: number) {
    this.emit(Counted, { by });
    this.emit(Counted, { by });
  }

  /** Counts only if the total is what the caller expects it to be, which shows a decision on stale state. */
  @Command()
  async double(seen: number[] = [], meanwhile?: Meanwhile) {
    const { total } = this;
    seen.push(total);
    await meanwhile?.();
    this.emit(Counted, { by: total });
  }

  @Command()
  async countAndRefuse(by: number, meanwhile?: Meanwhile) {
    this.emit(Counted, { by });
    await meanwhile?.();
    throw new Refused('after all');
  }

  @Command()
  async look(meanwhile?: Meanwhile) {
    await meanwhile?.();
    return this.total;
  }

  @Handles(Counted)
  protected counted(event: Counted) {
    this.total += event.by;
    this.steps.push(event.by);
  }
}

/** An `EventSourcing` with wallets and tallies on a store of its own, with counted ids and a fixed clock. */
export async function openWallets() {
  const store = new InMemoryEventStore();
  let made = 0;
  const es = await EventSourcing.open({
    store,
    classes: [Wallet, Tally],
    clock: () => new Date('2001-02-03T04:05:06.789Z'),
    ids: () => {
      made += 1;
      return `id-${made}`;
    },
  });
  return { es, store, data: () => dataOf(store) };
}

/** The data of everything that is stored, in order. */
export async function dataOf(store: InMemoryEventStore): Promise<object[]> {
  const data: object[] = [];
  for await (const event of store.read({})) data.push(event.data);
  return data;
}

/** A promise, and the way to resolve it. */
export function signal(): { readonly promise: Promise<void>; readonly give: () => void } {
  let give = () => {};
  const promise = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { promise, give };
}

/** @returns what a promise rejects with; fails when it does not. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It resolved, but was to reject.');
}
