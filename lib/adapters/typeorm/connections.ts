import type { DataSource, QueryRunner } from 'typeorm';
import type { Position } from '../../events/recorded-event';
import { StoreClosedError } from '../../store/store-errors';
import type { Dialect } from './dialect';
import type { Selection } from './select-events';
import { type Transactions, transactionsOf } from './transactions';
import type { Horizon } from './wake-ups';

/** The connections of a DataSource, ready to be used. */
export class Connections {
  readonly transactions: Transactions;
  private ready: Promise<void> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
  ) {
    this.transactions = transactionsOf(dataSource);
  }

  /**
   * Runs `work` on a connection outside of any transaction, unless all share one and somebody's is open on it.
   *
   * @throws {@link StoreClosedError} when the DataSource is closed.
   */
  async use<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    if (!this.dataSource.isInitialized) throw new StoreClosedError();
    const runner = this.dataSource.createQueryRunner('master');
    try {
      await this.prepared(runner);
      return await work(runner);
    } finally {
      await runner.release();
    }
  }

  /** Runs `work` on a connection that is nobody else's until it ends. */
  useAlone<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const { dialect, transactions } = this;
    return this.use((runner) => (dialect.sharesConnection ? transactions.exclusively(runner, () => work(runner)) : work(runner)));
  }

  /** Sees to it that a transaction can be used, which somebody else has begun. */
  async prepareFor(runner: QueryRunner): Promise<void> {
    if (this.ready !== undefined) await this.ready;
    else if (this.dialect.sharesConnection) await this.prepared(runner);
    else await this.use(async () => undefined);
  }

  /** Hides what is appended from here on from readers on a shared connection, until {@link Transactions} says it is over. */
  async hide(runner: QueryRunner): Promise<void> {
    if (!this.dialect.sharesConnection || this.transactions.lastCommitted !== undefined) return;
    this.transactions.lastCommitted = (await this.dialect.horizon(runner)).position ?? '0';
  }

  /** @returns the selection without what a transaction has appended on a shared connection and not committed. */
  visible(selection: Selection): Selection {
    const last = this.dialect.sharesConnection ? this.transactions.lastCommitted : undefined;
    if (last === undefined || (selection.upTo !== undefined && Number(selection.upTo) <= Number(last))) return selection;
    return { ...selection, upTo: last };
  }

  visibleHorizon({ position, isHeldBack }: Horizon): Horizon {
    const last = this.dialect.sharesConnection ? this.transactions.lastCommitted : undefined;
    if (last === undefined || position === undefined || Number(position) <= Number(last)) return { position, isHeldBack };
    return { position: last === '0' ? undefined : (last as Position), isHeldBack };
  }

  private async prepared(runner: QueryRunner): Promise<void> {
    if (this.ready === undefined && runner.isTransactionActive) {
      // What is made here may be rolled back with the transaction, and is then made again.
      await this.dialect.prepare(runner);
      return;
    }
    this.ready ??= this.dialect.prepare(runner);
    try {
      await this.ready;
    } catch (error) {
      this.ready = undefined;
      throw error;
    }
  }
}
