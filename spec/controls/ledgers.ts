import { Aggregate, AggregateRoot, type Class, Command, Event, Handles, ProjectionId, type SnapshotOptions } from 'eventfold';
import { type Meanwhile, Refused } from './wallets';

@Event('ledger.added')
export class Added {
  ledgerId!: string;
  amount!: number;
}

@Event('ledger.passed')
export class Passed {
  from!: string;
  to!: string;
  amount!: number;
}

export abstract class LedgerBase extends AggregateRoot<'ledgerId'> {
  @ProjectionId() readonly ledgerId!: string;
  total = 0;
  latest: Date | undefined;
  readonly byAmount = new Map<number, { count: number }>();
  readonly lines: { count: number }[] = [];
  /** Sees the instance that it was made with. */
  readonly half = () => this.total / 2;

  @Command()
  async add(...amounts: number[]) {
    for (const amount of amounts) this.emit(Added, { amount });
  }

  @Command()
  async addAndRefuse(amount: number, meanwhile?: Meanwhile) {
    this.emit(Added, { amount });
    await meanwhile?.();
    throw new Refused('after all');
  }

  /** What no command should do: it changes the state by itself. */
  @Command()
  async tamper(amount: number) {
    this.emit(Added, { amount });
    this.total += 1_000_000;
    this.lines.length = 0;
  }

  @Handles(Added)
  protected added({ amount }: Added, { time }: { readonly time: string }) {
    this.total += amount;
    this.latest = new Date(time);
    // The same object in two places.
    const line = this.byAmount.get(amount) ?? { count: 0 };
    if (line.count === 0) this.lines.push(line);
    line.count += 1;
    this.byAmount.set(amount, line);
  }
}

export abstract class PocketBase extends AggregateRoot<'pocketId'> {
  @ProjectionId() readonly pocketId!: string;
  balance = 0;
  readonly partners = new Set<string>();

  @Command()
  async pass(to: string, ...amounts: number[]) {
    for (const amount of amounts) this.emit(Passed, { from: this.pocketId, to, amount });
  }

  @Command()
  async passAndRefuse(to: string, amount: number) {
    this.emit(Passed, { from: this.pocketId, to, amount });
    throw new Refused('after all');
  }

  @Handles(Passed, { pocketId: 'from' })
  protected passed({ to, amount }: Passed) {
    this.balance -= amount;
    this.partners.add(to);
  }

  @Handles(Passed, { pocketId: 'to' })
  protected got({ from, amount }: Passed) {
    this.balance += amount;
    this.partners.add(from);
  }
}

/** A closed aggregate, and an open one, that ask for snapshots; classes of their own with each call. */
export function ledgers(snapshot?: SnapshotOptions): { Ledger: Class<LedgerBase>; Pocket: Class<PocketBase> } {
  const options = snapshot === undefined ? {} : { snapshot };

  @Aggregate({ name: 'Ledger', ...options })
  class Ledger extends LedgerBase {}

  @Aggregate({ name: 'Pocket', ...options })
  class Pocket extends PocketBase {}

  return { Ledger, Pocket };
}
