import { eventStoreEntities, type TableOptions, TypeOrmEventStore, type TypeOrmEventStoreOptions } from 'eventfold/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { sqliteOptions } from '../../../controls/databases';

// Its types need those of a browser.
const { PGliteDriver } = require('typeorm-pglite') as { PGliteDriver: new (options: object) => { driver: unknown } };

/** Where another process finds a store: what can be written on a command line. */
export interface Address {
  readonly type: DataSourceOptions['type'];
  readonly url?: string | undefined;
  /** A file of SQLite. */
  readonly file?: string | undefined;
  /** A folder of PGlite. */
  readonly folder?: string | undefined;
  readonly tables: TableOptions;
}

/** @returns where the store of a DataSource is. */
export function addressOf({ options }: DataSource, tables: TableOptions): Address {
  const { type, url, database } = options as { type: Address['type']; url?: string; database?: string };
  return { type, url, file: database, tables };
}

/** Connects; the tables are there. */
export async function connectTo(
  { type, url, file, folder, tables }: Address,
  options: object = {},
  storeOptions: TypeOrmEventStoreOptions = {},
): Promise<{ dataSource: DataSource; store: TypeOrmEventStore }> {
  const entities = eventStoreEntities(type, tables);
  const place = file === undefined ? { type, url, ...(folder && pglite(folder)) } : sqliteOptions(file);
  const dataSource = await new DataSource({ ...place, entities, ...options } as DataSourceOptions).initialize();
  return { dataSource, store: new TypeOrmEventStore(dataSource, { ...tables, ...storeOptions }) };
}

function pglite(dataDir: string): object {
  return { driver: new PGliteDriver({ dataDir }).driver };
}
