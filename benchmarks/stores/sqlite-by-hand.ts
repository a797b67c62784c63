import { randomUUID } from 'node:crypto';
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
  readonly connection: Connection;
  private readonly insert: Statement;
  private readonly select: Statement;

  constructor(file: string, pragmas: readonly string[]) {
    this.connection = new Libsql(file);
    for (const pragma of pragmas) this.connection.exec(`PRAGMA ${pragma}`);
    this.insert = this.connection.prepare(
      'INSERT INTO eventfold_events (stream, version, id, type, schema_version, time, data) VALUES (?, ?, ?, ?, 1, ?, ?)',
    );
    this.select = this.connection.prepare('SELECT version, type, data FROM eventfold_events WHERE stream = ? ORDER BY version');
  }

  append(stream: string, version: number, type: string, data: object): void {
    this.insert.run(stream, version, randomUUID(), type, new Date().toISOString(), JSON.stringify(data));
  }

  read(stream: string): ReadByHand[] {
    return this.select.all(stream) as ReadByHand[];
  }

  async close(): Promise<void> {
    this.connection.close();
  }
}
