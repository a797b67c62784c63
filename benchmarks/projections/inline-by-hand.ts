import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { postgresUrl } from '../stores/grounds';

/** An event of an account, and the version that its stream comes to. */
interface Given {
  readonly account: string;
  readonly version: number;
}

/** `pg` alone, on one connection: an event, and a row that is kept up to date in its transaction. */
export class InlineByHand {
  private readonly client = new Client({ connectionString: postgresUrl });

  private constructor(private readonly schema: string) {}

  static async in(schema: string): Promise<InlineByHand> {
    const hand = new InlineByHand(schema);
    await hand.client.connect();
    await hand.client.query(`SET search_path = "${schema}";
      CREATE TABLE hand_inline ("accountId" text PRIMARY KEY, balance integer NOT NULL)`);
    return hand;
  }

  async append({ account, version }: Given): Promise<void> {
    const text = `INSERT INTO ${this.schema}.eventfold_events (stream, version, id, type, schema_version, time, data) VALUES ($1, $2, $3, $4, 1, $5, $6)`;
    const data = JSON.stringify({ accountId: account, amount: 1, currency: 'EUR', note: 'salary of the month' });
    const values = [`hand-${account}`, version, randomUUID(), 'account.deposited', new Date().toISOString(), data];
    await this.client.query({ name: 'append', text, values });
  }

  async appendWithRow(given: Given): Promise<void> {
    await this.client.query('BEGIN');
    await this.append(given);
    const { account } = given;
    const select = 'SELECT balance FROM hand_inline WHERE "accountId" = $1';
    const { rows } = await this.client.query<{ balance: number }>({ name: 'row', text: select, values: [account] });
    const upsert = `INSERT INTO hand_inline ("accountId", balance) VALUES ($1, $2)
      ON CONFLICT ("accountId") DO UPDATE SET balance = excluded.balance`;
    await this.client.query({ name: 'upsert', text: upsert, values: [account, (rows[0]?.balance ?? 0) + 1] });
    await this.client.query('COMMIT');
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
