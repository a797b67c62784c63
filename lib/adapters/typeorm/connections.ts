import type { DataSource, QueryRunner } from 'typeorm';
import { StoreClosedError } from '../../store/store-errors';
import type { Dialect } from './dialect';
import type { Selection } from './select-events';
import { type Transactions, transactionsOf } from './transactions';
import { type Visibility, visibilityOn } from './visibility';
import type { Horizon } from './wake-ups';

/** The connections of a DataSource, ready to be used. */
export class Connections {
  readonly transactions: Transactions;
  /** What readers on a shared connection may see. */
  readonly visibility: Visibility;
  private ready: Promise<void> | undefined;

  /** @param table The name of the table of events. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
    table: string,
  ) {
    this.transactions = transactionsOf(dataSource, dialect.sharesConnection);
    this.visibility = visibilityOn(dataSource, table);
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

  /**
   * Runs `work` on a connection that is nobody else's until it ends.
   *
   * @param hook Whether code of users runs in it.
   * @throws {@link ConnectionBusyError} when a transaction stays open for too long on the only connection there is.
   */
  useAlone<T>(work: (runner: QueryRunner) => Promise<T>, hook: 'hook' | 'no hook' = 'no hook'): Promise<T> {
    const { shared } = this.transactions;
    return this.use((runner) => (shared === undefined ? work(runner) : shared.exclusively(() => work(runner), hook)));
  }

  /** Sees to it that a transaction can be used, which somebody else has begun. */
  async prepareFor(runner: QueryRunner): Promise<void> {
    if (this.ready !== undefined) await this.ready;
    else if (this.dialect.sharesConnection) await this.prepared(runner);
    else await this.use(async () => undefined);
  }

  /** Hides what is appended from here on from readers on a shared connection, until the open transaction is over. */
  async hide(runner: QueryRunner): Promise<void> {
    if (!this.dialect.sharesConnection || this.visibility.isLimited) return;
    const { position } = await this.dialect.horizon(runner);
    this.transactions.onOutermostEnd(runner, this.visibility.limit(position));
  }

  /** @returns the selection without what a transaction has appended on a shared connection and not committed. */
  visible(selection: Selection): Selection {
    return this.visibility.of(selection);
  }

  visibleHorizon(horizon: Horizon): Horizon {
    return this.visibility.ofHorizon(horizon);
  }

  private async prepared(runner: QueryRunner): Promise<void> {
    const { shared } = this.transactions;
    if (this.ready === undefined && shared?.isOpen) {
      // What is made here may be rolled back with the transaction, and is then made again.
      await this.dialect.prepare(runner);
      return;
    }
    const prepare = () => this.dialect.prepare(runner);
    this.ready ??= shared === undefined ? prepare() : shared.exclusively(prepare, 'no hook');
    try {
      await this.ready;
    } catch (error) {
      this.ready = undefined;
      throw error;
    }
  }
}
