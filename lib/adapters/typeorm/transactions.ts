import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import type { Ending } from '../../store/ending';
import { markEnded } from './marked-transaction';
import { SharedConnection } from './shared-connection';

interface TransactionEvent {
  readonly queryRunner: QueryRunner;
}

/** A transaction that is open, or a savepoint in one. */
class OpenTransaction {
  endings: Ending[] = [];
  check: (() => Promise<void>) | undefined;
}

const known = new WeakMap<DataSource, Transactions>();

/**
 * @param sharesConnection Whether all query runners of the DataSource share one connection.
 * @returns the one watcher of the transactions of a DataSource.
 */
export function transactionsOf(dataSource: DataSource, sharesConnection: boolean): Transactions {
  let transactions = known.get(dataSource);
  if (transactions === undefined) {
    transactions = new Transactions(sharesConnection ? new SharedConnection(dataSource) : undefined);
    known.set(dataSource, transactions);
  }
  const subscribers = dataSource.subscribers as EntitySubscriberInterface[];
  // A DataSource that is initialised again has new ones.
  if (!subscribers.includes(transactions)) subscribers.push(transactions);
  return transactions;
}

/** Knows when the transactions of a DataSource end, also those that users begin, savepoints included. */
class Transactions implements EntitySubscriberInterface {
  private readonly open = new Map<QueryRunner, OpenTransaction[]>();

  constructor(readonly shared: SharedConnection | undefined) {}

  /** @returns what stands for the transaction that is open on `runner`; undefined when none is. */
  outermost(runner: QueryRunner): object | undefined {
    return isOpen(runner) ? this.stackOf(runner)[0] : undefined;
  }

  /** @returns what stands for the innermost savepoint that is open on `runner`, or else the transaction. */
  innermost(runner: QueryRunner): object | undefined {
    return isOpen(runner) ? this.stackOf(runner).at(-1) : undefined;
  }

  /** Calls `ending` when what is done now in the transaction that is open on `runner` is final. */
  onEnd(runner: QueryRunner, ending: Ending): void {
    this.stackOf(runner).at(-1)?.endings.push(ending);
  }

  /** Calls `ending` when the whole transaction that is open on `runner` is over. */
  onOutermostEnd(runner: QueryRunner, ending: Ending): void {
    this.stackOf(runner)[0]?.endings.push(ending);
  }

  /** Has the transaction that is open on `runner` checked before its outermost commit, which fails with the check. */
  beforeCommit(runner: QueryRunner, check: () => Promise<void>): void {
    const [outermost] = this.stackOf(runner);
    if (outermost !== undefined) outermost.check = check;
  }

  /** Tells of the end of a transaction that was begun without TypeORM. */
  async ended(runner: QueryRunner, how: 'committed' | 'rolledBack'): Promise<void> {
    if (markEnded(runner)) await this.over(runner, how);
  }

  async beforeTransactionCommit({ queryRunner }: TransactionEvent): Promise<void> {
    if (depthOf(queryRunner) === 1) await this.open.get(queryRunner)?.[0]?.check?.();
  }

  async beforeTransactionStart({ queryRunner }: TransactionEvent): Promise<void> {
    await this.shared?.otherHooks();
    if (depthOf(queryRunner) > 0) return;
    await this.shared?.begin(queryRunner);
    // Left by a transaction that ended without a word.
    await this.end(queryRunner, 0, 'rolledBack');
  }

  async afterTransactionCommit({ queryRunner }: TransactionEvent): Promise<void> {
    if (!queryRunner.isTransactionActive) return this.over(queryRunner, 'committed');
    const stack = this.open.get(queryRunner);
    while (stack !== undefined && stack.length > Math.max(1, depthOf(queryRunner))) {
      const { endings } = stack.pop() as OpenTransaction;
      stack.at(-1)?.endings.push(...endings);
    }
  }

  async afterTransactionRollback({ queryRunner }: TransactionEvent): Promise<void> {
    if (!queryRunner.isTransactionActive) return this.over(queryRunner, 'rolledBack');
    await this.end(queryRunner, depthOf(queryRunner), 'rolledBack');
  }

  private async over(runner: QueryRunner, how: 'committed' | 'rolledBack'): Promise<void> {
    const ended = this.end(runner, 0, how);
    this.shared?.end(runner);
    await ended;
  }

  /** Ends what is open deeper than `depth`. */
  private async end(runner: QueryRunner, depth: number, how: 'committed' | 'rolledBack'): Promise<void> {
    const stack = this.open.get(runner);
    if (stack === undefined) return;
    const ended = stack.splice(depth);
    if (stack.length === 0) this.open.delete(runner);
    // All at once: who hears of it together finds everything settled that needs no waiting.
    await Promise.allSettled(ended.flatMap(({ endings }) => endings.map(async (ending) => ending(how))));
  }

  private stackOf(runner: QueryRunner): OpenTransaction[] {
    let stack = this.open.get(runner);
    if (stack === undefined) {
      stack = [];
      this.open.set(runner, stack);
      this.watchRelease(runner);
    }
    while (stack.length < Math.max(1, depthOf(runner))) stack.push(new OpenTransaction());
    return stack;
  }

  /** When a connection is lost, nobody hears of the end of its transaction but who releases it. */
  private watchRelease(runner: QueryRunner): void {
    if (Object.hasOwn(runner, 'release') || this.shared?.isOnly(runner)) return;
    const release = runner.release.bind(runner);
    runner.release = async () => {
      try {
        await release();
      } finally {
        await this.over(runner, 'rolledBack');
      }
    };
  }
}

export type { Transactions };

/** Says whether a transaction is open on the connection of `runner`, as far as TypeORM knows. */
export function isOpen(runner: QueryRunner): boolean {
  return runner.isTransactionActive && !runner.isReleased && depthOf(runner) > 0;
}

function depthOf(runner: QueryRunner): number {
  return (runner as unknown as { transactionDepth: number }).transactionDepth;
}
