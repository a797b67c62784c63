import { Client } from 'pg';
import { postgresUrl } from '../stores/grounds';
import type { ByHand, ReadByHand } from './by-hand';

/** `pg` alone, on one connection, with statements that the server has prepared. */
export class PostgresByHand implements ByHand {
  readonly checkpoint = 0;
  private readonly client = new Client({ connectionString: postgresUrl });

  private constructor(private readonly schema: string) {}

  static async in(schema: string): Promise<PostgresByHand> {
    const hand = new PostgresByHand(schema);
    await hand.client.connect();
    await hand.client.query(`SET search_path = "${schema}";
      CREATE TABLE hand_balance ("accountId" text PRIMARY KEY, balance integer NOT NULL);
      CREATE TABLE hand_checkpoint (position bigint NOT NULL)`);
    return hand;
  }

  async reset(): Promise<void> {
    await this.client.query('TRUNCATE hand_balance; DELETE FROM hand_checkpoint; INSERT INTO hand_checkpoint VALUES (0)');
  }

  async read(after: number, limit: number): Promise<readonly ReadByHand[]> {
    const text = `SELECT position, type, data FROM ${this.schema}.eventfold_events WHERE position > $1 ORDER BY position LIMIT $2`;
    return (await this.client.query<ReadByHand>({ name: 'read', text, values: [after, limit] })).rows;
  }

  /** One statement is one transaction, and one round trip. */
  async keep(balances: ReadonlyMap<string, number>, touched: ReadonlySet<string>, checkpoint: number): Promise<void> {
    const accounts = [...touched];
    const text = `WITH moved AS (UPDATE hand_checkpoint SET position = $3)
      INSERT INTO hand_balance ("accountId", balance) SELECT * FROM unnest($1::text[], $2::int[])
      ON CONFLICT ("accountId") DO UPDATE SET balance = excluded.balance`;
    const values = [accounts, accounts.map((account) => balances.get(account)), checkpoint];
    await this.client.query({ name: 'keep', text, values });
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
