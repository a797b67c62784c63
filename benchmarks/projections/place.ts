import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Class } from 'eventfold';
import { eventStoreEntities } from 'eventfold/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { postgresUrl } from '../stores/grounds';

/** Where a place is, as text that another process can be given. */
export type Address =
  | { readonly type: 'postgres'; readonly schema: string }
  | { readonly type: 'better-sqlite3'; readonly file: string };

/** Room in a database, for one benchmark alone. */
export interface Place {
  readonly name: string;
  readonly address: Address;
  drop(): Promise<void>;
}

/** Connects to a place; tables that are not there yet are made. With full durability, which is each database's default. */
export async function connect(
  address: Address,
  entities: readonly Class[],
  options: Partial<DataSourceOptions> = {},
): Promise<DataSource> {
  const where =
    address.type === 'postgres'
      ? { type: address.type, url: postgresUrl, schema: address.schema }
      : { type: address.type, driver: require('libsql'), database: address.file, enableWAL: true };
  const all = [...entities, ...eventStoreEntities(address.type)];
  const dataSource = await new DataSource({
    ...where,
    entities: all,
    synchronize: true,
    ...options,
  } as DataSourceOptions).initialize();
  if (address.type !== 'postgres') await dataSource.query('PRAGMA synchronous = FULL');
  return dataSource;
}

export async function postgresPlace(): Promise<Place> {
  const schema = `ef_bench_${randomBytes(4).toString('hex')}`;
  const admin = await new DataSource({ type: 'postgres', url: postgresUrl }).initialize();
  await admin.query(`CREATE SCHEMA "${schema}"`);
  return {
    name: 'PostgreSQL',
    address: { type: 'postgres', schema },
    drop: async () => {
      await admin.query(`DROP SCHEMA "${schema}" CASCADE`);
      await admin.destroy();
    },
  };
}

export async function sqlitePlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'eventfold-bench-'));
  return {
    name: 'SQLite, WAL, FULL',
    address: { type: 'better-sqlite3', file: join(folder, 'bench.sqlite') },
    drop: async () => rmSync(folder, { recursive: true }),
  };
}
