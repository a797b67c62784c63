import type { QueryRunner } from 'typeorm';
import { QueryLog } from '../query-log';

/** What `better-sqlite3`, and drivers like it, offer. */
interface Database {
  prepare(sql: string): PreparedStatement;
}

interface PreparedStatement {
  run(parameters: readonly unknown[]): { changes: number };
  all(parameters: readonly unknown[]): object[];
}

export type Prepare = (sql: string) => PreparedStatement;

const manyStatements = 100;

/** The prepared statements of each connection. */
export class SqliteStatements {
  private readonly prepared = new WeakMap<Database, Map<string, PreparedStatement>>();

  /** @returns a function that prepares a statement once. */
  async on(runner: QueryRunner): Promise<Prepare> {
    const database = (await runner.connect()) as Database;
    const known = this.prepared.get(database) ?? new Map<string, PreparedStatement>();
    this.prepared.set(database, known);
    const log = QueryLog.of(runner);
    return (sql) => {
      let statement = known.get(sql);
      if (statement === undefined) {
        if (known.size > manyStatements) known.clear();
        statement = database.prepare(sql);
        known.set(sql, statement);
      }
      return log === undefined ? statement : logged(statement, sql, log);
    };
  }
}

function logged(statement: PreparedStatement, sql: string, log: QueryLog): PreparedStatement {
  return {
    run: (parameters) => log.runAtOnce(sql, parameters, () => statement.run(parameters)),
    all: (parameters) => log.runAtOnce(sql, parameters, () => statement.all(parameters)),
  };
}
