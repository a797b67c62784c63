import type { ByHand, ReadByHand } from './by-hand';

interface Statement {
  run(...values: unknown[]): unknown;
  all(...values: unknown[]): object[];
}

interface Connection {
  prepare(sql: string): Statement;
  exec(sql: string): void;
  close(): void;
}

const Libsql = require('libsql') as new (file: string) => Connection;

/** `libsql` alone, which answers at once. */
export class SqliteByHand implements ByHand {
  readonly checkpoint = 0;
  private readonly connection: Connection;
  private readonly select: Statement;
  private readonly upsert: Statement;
  private readonly move: Statement;

  constructor(file: string) {
    this.connection = new Libsql(file);
    this.connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
      CREATE TABLE hand_balance (accountId text PRIMARY KEY NOT NULL, balance integer NOT NULL);
      CREATE TABLE hand_checkpoint (position integer NOT NULL)`);
    this.select = this.connection.prepare(
      'SELECT position, type, data FROM eventfold_events WHERE position > ? ORDER BY position LIMIT ?',
    );
    this.upsert = this.connection.prepare(
      'INSERT INTO hand_balance (accountId, balance) VALUES (?, ?) ON CONFLICT (accountId) DO UPDATE SET balance = excluded.balance',
    );
    this.move = this.connection.prepare('UPDATE hand_checkpoint SET position = ?');
  }

  async reset(): Promise<void> {
    this.connection.exec('DELETE FROM hand_balance; DELETE FROM hand_checkpoint; INSERT INTO hand_checkpoint VALUES (0)');
  }

  read(after: number, limit: number): readonly ReadByHand[] {
    return this.select.all(after, limit) as ReadByHand[];
  }

  keep(balances: ReadonlyMap<string, number>, touched: ReadonlySet<string>, checkpoint: number): void {
    this.connection.exec('BEGIN IMMEDIATE');
    for (const account of touched) this.upsert.run(account, balances.get(account));
    this.move.run(checkpoint);
    this.connection.exec('COMMIT');
  }

  async close(): Promise<void> {
    this.connection.close();
  }
}
