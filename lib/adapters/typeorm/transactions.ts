import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { ConnectionBusyError } from './typeorm-errors';

/** What happens when a transaction that was joined is over. */
export interface Joined {
  committed(): void;
  rolledBack(): void;
}

interface Entry extends Joined {
  depth: number;
}

interface TransactionEvent {
  readonly queryRunner: QueryRunner;
}

/** How long somebody waits for the end of a transaction on a connection that is shared. */
const longestWaitMs = 5_000;

const known = new WeakMap<DataSource, Transactions>();

/** @returns the one watcher of the transactions of a DataSource. */
export function transactionsOf(dataSource: DataSource): Transactions {
  let transactions = known.get(dataSource);
  if (transactions === undefined) {
    transactions = new Transactions();
    known.set(dataSource, transactions);
    (dataSource.subscribers as EntitySubscriberInterface[]).push(transactions);
  }
  return transactions;
}

/** Knows when the transactions of a DataSource end, also those that users begin, savepoints included. */
class Transactions implements EntitySubscriberInterface {
  private readonly joined = new Map<QueryRunner, Entry[]>();
  private readonly waiting = new Set<() => void>();
  private own: Promise<void> | undefined;
  /** While somebody's transaction on a shared connection holds appends: the newest position before the first of them. */
  lastCommitted: string | undefined;

  /** Registers what is to happen when the transaction that is open on `runner` is over. */
  join(runner: QueryRunner, joined: Joined): void {
    const entries = this.joined.get(runner) ?? [];
    entries.push({ committed: () => joined.committed(), rolledBack: () => joined.rolledBack(), depth: depthOf(runner) });
    this.joined.set(runner, entries);
  }

  /**
   * Runs `work` on a connection that all share, while no transaction of others is open on it; theirs begin after it.
   *
   * @throws {@link ConnectionBusyError} when a transaction stays open for too long.
   */
  async exclusively<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + longestWaitMs;
    while (this.own !== undefined || runner.isTransactionActive) {
      if (this.own === undefined) await this.endOfTransaction(deadline);
      else await this.own;
    }
    const running = work();
    this.own = running.then(
      () => this.endOwn(),
      () => this.endOwn(),
    );
    return running;
  }

  async beforeTransactionStart({ queryRunner }: TransactionEvent): Promise<void> {
    if (depthOf(queryRunner) > 0) return;
    this.end(queryRunner, 'rolledBack', 0);
    const deadline = Date.now() + longestWaitMs;
    while (this.own !== undefined) await before(this.own, deadline);
  }

  afterTransactionCommit({ queryRunner }: TransactionEvent): void {
    if (!queryRunner.isTransactionActive) this.end(queryRunner, 'committed', 0);
    else for (const entry of this.joined.get(queryRunner) ?? []) entry.depth = Math.min(entry.depth, depthOf(queryRunner));
  }

  afterTransactionRollback({ queryRunner }: TransactionEvent): void {
    this.end(queryRunner, 'rolledBack', queryRunner.isTransactionActive ? depthOf(queryRunner) : 0);
  }

  private endOwn(): void {
    this.own = undefined;
  }

  /** Settles what was joined deeper than `depth`. */
  private end(runner: QueryRunner, how: keyof Joined, depth: number): void {
    const entries = this.joined.get(runner);
    if (entries !== undefined) {
      const left = entries.filter((entry) => entry.depth <= depth);
      if (left.length === 0) this.joined.delete(runner);
      else this.joined.set(runner, left);
      for (const entry of entries) if (entry.depth > depth) entry[how]();
    }
    if (runner.isTransactionActive) return;
    if (!this.joined.has(runner)) this.lastCommitted = undefined;
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  private endOfTransaction(deadline: number): Promise<void> {
    return before(new Promise<void>((wake) => this.waiting.add(wake)), deadline);
  }
}

export type { Transactions };

async function before(end: Promise<void>, deadline: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionBusyError(longestWaitMs)), Math.max(0, deadline - Date.now()));
  });
  try {
    await Promise.race([end, late]);
  } finally {
    clearTimeout(timer);
  }
}

function depthOf(runner: QueryRunner): number {
  return (runner as unknown as { transactionDepth: number }).transactionDepth;
}
