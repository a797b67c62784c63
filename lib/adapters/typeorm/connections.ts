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
  private isReady = false;

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
  use<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return this.on(async (runner) => {
      await this.prepared(runner);
      return work(runner);
    });
  }

  /**
   * Runs `work` on a connection that is nobody else's until it ends.
   *
   * @param hook Whether code of users runs in it.
   * @throws {@link ConnectionBusyError} when a transaction stays open for too long on the only connection there is.
   */
  useAlone<T>(work: (runner: QueryRunner) => Promise<T>, hook: 'hook' | 'no hook' = 'no hook'): Promise<T> {
    const { shared } = this.transactions;
    if (shared === undefined) return this.use(work);
    return this.on((runner) =>
      shared.exclusively(async () => {
        if (!this.isReady) await this.prepare(runner);
        return work(runner);
      }, hook),
    );
  }

  /** Sees to it that a transaction can be used, which somebody else has begun. */
  async prepareFor(runner: QueryRunner): Promise<void> {
    if (this.isReady) return;
    if (this.dialect.sharesConnection) await this.prepared(runner);
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

  private async on<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    if (!this.dataSource.isInitialized) throw new StoreClosedError();
    const runner = this.dataSource.createQueryRunner('master');
    try {
      return await work(runner);
    } finally {
      await runner.release();
    }
  }

  private async prepared(runner: QueryRunner): Promise<void> {
    if (this.isReady) return;
    const { shared } = this.transactions;
    // What is made in a transaction of a user's may be rolled back with it, and is then made again.
    if (shared?.isOpen) return this.dialect.prepare(runner);
    const prepare = () => this.prepare(runner);
    this.ready ??= (shared === undefined ? prepare() : shared.exclusively(prepare, 'no hook')).finally(() => {
      this.ready = undefined;
    });
    await this.ready;
  }

  private async prepare(runner: QueryRunner): Promise<void> {
    await this.dialect.prepare(runner);
    this.isReady = true;
  }
}
