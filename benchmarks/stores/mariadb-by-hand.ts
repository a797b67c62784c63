import { randomUUID } from 'node:crypto';
import { createPool, type Pool } from 'mysql2';
import type { ByHand, ReadByHand } from './by-hand';

/** `mysql2` alone, with statements that the server has prepared. */
export class MariaDbByHand implements ByHand {
  readonly pool: Pool;
  private readonly insert: string;
  private readonly select: string;

  constructor(url: string, table: string, connections: number) {
    this.pool = createPool({ uri: url, connectionLimit: connections });
    this.insert = `INSERT INTO ${table} (stream, version, id, type, schema_version, time, data) VALUES (?, ?, ?, ?, 1, ?, ?)`;
    this.select = `SELECT version, type, data FROM ${table} WHERE stream = ? ORDER BY version`;
  }

  append(stream: string, version: number, type: string, data: object): Promise<void> {
    const values = [stream, version, randomUUID(), type, new Date().toISOString(), JSON.stringify(data)];
    return new Promise((resolve, reject) => {
      this.pool.execute(this.insert, values, (error) => (error ? reject(error) : resolve()));
    });
  }

  read(stream: string): Promise<ReadByHand[]> {
    return new Promise((resolve, reject) => {
      this.pool.execute(this.select, [stream], (error, rows) => (error ? reject(error) : resolve(rows as never)));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pool.end((error) => (error ? reject(error) : resolve()));
    });
  }
}
