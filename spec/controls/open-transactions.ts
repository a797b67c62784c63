import type { EventStore } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource, QueryRunner } from 'typeorm';

/** A transaction of a user's, which stays open until it is told to end. */
export class OpenTransaction {
  constructor(
    readonly runner: QueryRunner,
    /** The view of the store whose appends belong to the transaction. */
    readonly store: EventStore,
  ) {}

  async commit(): Promise<void> {
    await this.runner.commitTransaction();
    await this.runner.release();
  }

  async rollback(): Promise<void> {
    await this.runner.rollbackTransaction();
    await this.runner.release();
  }
}

/** The transactions that a spec opens; those that it leaves open are rolled back, so that they block nothing after it. */
export class OpenTransactions {
  private readonly runners: QueryRunner[] = [];

  async begin(dataSource: DataSource, store: TypeOrmEventStore): Promise<OpenTransaction> {
    const runner = dataSource.createQueryRunner();
    this.runners.push(runner);
    await runner.connect();
    await runner.startTransaction();
    return new OpenTransaction(runner, store.within(runner.manager));
  }

  async rollbackAll(): Promise<void> {
    for (const runner of this.runners.splice(0)) {
      if (runner.isReleased) continue;
      while (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      await runner.release().catch(() => undefined);
    }
  }
}
