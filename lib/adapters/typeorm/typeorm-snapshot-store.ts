import type { QueryRunner } from 'typeorm';
import { InvalidArgumentError } from '../../events/invalid-argument-error';
import type { Ending } from '../../store/ending';
import type { Snapshot, SnapshotStore } from '../../store/snapshot-store';
import type { Connections } from './connections';
import type { Dialect } from './dialect';
import { SnapshotStatements } from './snapshot-statements';
import type { DialectName, TableNames } from './tables';

/** What a snapshot store shares with the store of the events. */
export interface SnapshotStoreOptions {
  readonly connections: Connections;
  readonly dialect: Dialect;
  readonly dialectName: DialectName;
  readonly names: TableNames;
}

/** The transaction that a store is joined to. */
export interface SnapshotTransaction {
  readonly runner: QueryRunner;
  /** Runs `work` on the connection of the transaction, when it is its turn. */
  statement<T>(work: () => Promise<T>): Promise<T>;
  onEnd(ending: Ending): void;
}

/** What meets a deadlock is done again. */
const attempts = 5;

/** Keeps snapshots in a table beside the events. What it writes is part of nobody's transaction. */
export class TypeOrmSnapshotStore implements SnapshotStore {
  private readonly statements: SnapshotStatements;

  constructor(private readonly options: SnapshotStoreOptions) {
    this.statements = new SnapshotStatements(options.dialectName, options.names.snapshots);
  }

  load(key: string): Promise<Snapshot | undefined> {
    const { connections } = this.options;
    return connections.use((runner) => this.read(runner, key, connections.transactions.shared?.isOpen === true));
  }

  async save(snapshot: Snapshot): Promise<void> {
    const { longestKey } = this.options.dialect;
    const length = Buffer.byteLength(snapshot.key);
    if (length > longestKey)
      throw new InvalidArgumentError(`The key of a snapshot has ${length} bytes. This database keeps at most ${longestKey}.`);
    await this.write(this.statements.upsert, this.statements.parametersOf(snapshot));
  }

  remove(key: string): Promise<void> {
    return this.write(this.statements.remove, [this.statements.keyOf(key)]);
  }

  clear(): Promise<void> {
    return this.write(this.statements.clear, []);
  }

  /**
   * A view of the snapshots from within a transaction: they are read on its connection, and written when it is over,
   * if at all.
   */
  within({ runner, statement, onEnd }: SnapshotTransaction): SnapshotStore {
    const afterwards = (work: () => Promise<void>): Promise<void> =>
      new Promise((resolve, reject) => {
        onEnd((how) => {
          // Not returned: a commit does not wait for snapshots.
          if (how === 'committed') work().then(resolve, reject);
          else resolve();
        });
      });
    return {
      load: (key) => statement(() => this.read(runner, key, true)),
      save: (snapshot) => afterwards(() => this.save(snapshot)),
      remove: (key) => afterwards(() => this.remove(key)),
      clear: () => afterwards(() => this.clear()),
    };
  }

  /** @param isInTransaction Whether somebody's transaction is open on the connection. */
  private async read(runner: QueryRunner, key: string, isInTransaction: boolean): Promise<Snapshot | undefined> {
    const work = () => runner.query(this.statements.select, [this.statements.keyOf(key)]);
    // In PostgreSQL a statement that fails spoils the transaction.
    const isInSavepoint = isInTransaction && this.options.dialectName === 'postgres';
    const [row] = await (isInSavepoint ? inSavepoint(runner, work) : work());
    return row && this.statements.snapshotOf(row);
  }

  private async write(sql: string, parameters: unknown[]): Promise<void> {
    const { connections, dialect } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await connections.useAlone((runner) => this.writeOn(runner, () => runner.query(sql, parameters)));
        return;
      } catch (error) {
        if (attempt === attempts || !dialect.isTransient(error)) throw error;
      }
    }
  }

  private async writeOn(runner: QueryRunner, work: () => Promise<unknown>): Promise<void> {
    const { dialect, dialectName } = this.options;
    if (dialectName !== 'sqlite') {
      await work();
      return;
    }
    // A transaction waits for a busy file without stopping the process.
    await dialect.begin(runner);
    try {
      await work();
      await dialect.end(runner, 'COMMIT');
    } catch (error) {
      await dialect.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}

async function inSavepoint<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  await runner.query('SAVEPOINT eventfold_snapshot');
  try {
    const result = await work();
    await runner.query('RELEASE SAVEPOINT eventfold_snapshot');
    return result;
  } catch (error) {
    await runner.query('ROLLBACK TO SAVEPOINT eventfold_snapshot').catch(() => undefined);
    throw error;
  }
}
