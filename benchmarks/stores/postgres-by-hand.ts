import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import type { ByHand, ReadByHand } from './by-hand';

/** `pg` alone. One connection for one worker at a time; a pool of as many as a DataSource has by default. */
export class PostgresByHand implements ByHand {
  readonly pool: Pool;
  private readonly insert: string;
  private readonly select: string;

  constructor(url: string, table: string, connections: number) {
    this.pool = new Pool({ connectionString: url, max: connections });
    this.insert = `INSERT INTO ${table} (stream, version, id, type, schema_version, time, data) VALUES ($1, $2, $3, $4, 1, $5, $6)`;
    this.select = `SELECT version, type, data FROM ${table} WHERE stream = $1 ORDER BY version`;
  }

  async append(stream: string, version: number, type: string, data: object): Promise<void> {
    const values = [stream, version, randomUUID(), type, new Date().toISOString(), JSON.stringify(data)];
    await this.pool.query({ name: 'insert', text: this.insert, values });
  }

  async read(stream: string): Promise<ReadByHand[]> {
    return (await this.pool.query<ReadByHand>({ name: 'select', text: this.select, values: [stream] })).rows;
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
