import { Client, type QueryResultRow } from 'pg';

/** The schema that holds everything of this experiment. Dropped at the end. */
export const schema = process.env.ORDER_SCHEMA ?? 'order_experiment';

/** Connects to the server that `PGHOST`, `PGPORT`, `PGUSER` and `PGDATABASE` name. */
export async function connect(settings = ''): Promise<Client> {
  const client = new Client({
    host: process.env.PGHOST ?? '127.0.0.1',
    port: Number(process.env.PGPORT ?? 5432),
    user: process.env.PGUSER ?? 'postgres',
    database: process.env.PGDATABASE ?? 'test',
    options: `-c search_path=${schema} -c client_min_messages=warning ${settings}`,
  });
  await client.connect();
  return client;
}

/** The rows of one prepared statement: the same text is parsed once a connection. */
export async function ask<R extends QueryResultRow>(client: Client, text: string, values: unknown[] = []): Promise<R[]> {
  return (await client.query<R>({ name: nameOf(text), text, values })).rows;
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `s${names.size}`;
  names.set(text, name);
  return name;
}
