import type { QueryRunner } from 'typeorm';
import type { Connections } from '../connections';
import type { Answer, Dialect } from '../dialect';
import type { Statement } from '../select-events';
import type { TableNames } from '../tables';
import { MissingTablesError } from '../typeorm-errors';
import { isMissingTable } from './failures';
import type { SqlWords } from './sql-words';

/** What the parts of a projection store work with. */
export interface ProjectionAccessOptions {
  readonly connections: Connections;
  readonly dialect: Dialect;
  readonly words: SqlWords;
  readonly names: TableNames;
}

type Rows = Answer['rows'];

const shortestIdleMs = 5_000;
const longestIdleMs = 3_600_000;

/** The database, as a projection store reaches it: on connections that are nobody else's. */
export class ProjectionAccess {
  readonly dialect: Dialect;
  readonly words: SqlWords;
  readonly names: TableNames;
  readonly connections: Connections;
  private hasTables = false;
  private leaseMs = shortestIdleMs;

  constructor({ connections, dialect, words, names }: ProjectionAccessOptions) {
    this.connections = connections;
    this.dialect = dialect;
    this.words = words;
    this.names = names;
  }

  /** How long a transaction may stand still: a process that is paused in one must not keep others from what it holds. */
  get longestIdleMs(): number {
    return this.leaseMs + shortestIdleMs;
  }

  /** Takes note of how long a process may do without the lease that it has. */
  leasedFor(leaseMs: number): void {
    this.leaseMs = Math.min(leaseMs, longestIdleMs);
  }

  /** Runs `work` outside of any transaction, unless all share one connection and somebody's is open on it. */
  use<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return this.connections.use(async (runner) => {
      await this.checkTables(runner);
      // What is written on a shared connection and not committed may yet be taken back.
      await this.connections.transactions.shared?.otherHooks();
      return work(runner);
    });
  }

  select(statement: Statement): Promise<Rows> {
    return this.use(async (runner) => (await this.dialect.run(runner, statement)).rows);
  }

  /** Runs one statement that changes rows. @returns how many. */
  change(statement: Statement): Promise<number> {
    return this.alone(async (runner) => {
      if (this.words.dialect !== 'sqlite') return (await this.dialect.run(runner, statement)).changed;
      // A transaction waits for a busy file without stopping the process.
      return this.transaction(runner, async () => (await this.dialect.run(runner, statement)).changed);
    });
  }

  /** Runs `work` on a connection that is nobody else's until it ends. */
  alone<T>(work: (runner: QueryRunner) => Promise<T>, hook: 'hook' | 'no hook' = 'no hook'): Promise<T> {
    return this.connections.useAlone(async (runner) => {
      await this.checkTables(runner);
      return work(runner);
    }, hook);
  }

  async transaction<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
    await this.dialect.begin(runner, this.longestIdleMs);
    return this.ending(runner, work);
  }

  /** Commits the transaction that is open when `work` is done, or rolls it back when that fails. */
  async ending<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      await this.dialect.end(runner, 'COMMIT');
      await this.connections.transactions.ended(runner, 'committed');
      return result;
    } catch (error) {
      await this.dialect.end(runner, 'ROLLBACK').catch(() => undefined);
      await this.connections.transactions.ended(runner, 'rolledBack');
      throw error;
    }
  }

  /** Databases of a release before projections have the other tables only. */
  private async checkTables(runner: QueryRunner): Promise<void> {
    if (this.hasTables) return;
    const { table, projection } = this.names.projections;
    try {
      // A statement that fails would spoil a transaction of PostgreSQL that a shared connection is in.
      if (this.words.dialect === 'postgres') {
        const statement = { sql: 'SELECT to_regclass($1)::text AS found', parameters: [table], isFrequent: false };
        const { rows } = await this.dialect.run(runner, statement);
        if (rows[0]?.['found'] == null) throw new Error(`relation ${table} does not exist`);
      } else {
        const sql = `SELECT ${projection} FROM ${table} WHERE 1 = 0`;
        await this.dialect.run(runner, { sql, parameters: [], isFrequent: false });
      }
    } catch (error) {
      if (!isMissingTable(error)) throw error;
      throw new MissingTablesError(`There is no table ${table}, which projections need`, { cause: error });
    }
    this.hasTables = true;
  }
}
