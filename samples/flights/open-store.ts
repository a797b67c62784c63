import { type EventStore, InMemoryEventStore } from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import libsql from 'libsql';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { tables } from './figures';

/** The sample's tables have names of their own, so that it can be tried out on a database with others. */
const options = { tablePrefix: 'flights_' };

/** A store, ready to be used. */
export interface OpenStore {
  readonly store: EventStore;
  /** Where the figures' tables are; undefined in memory, which has none. */
  readonly dataSource: DataSource | undefined;
  /** What to call it in front of a user. */
  readonly name: string;
  /** Closes what lies below the store. */
  close(): Promise<void>;
}

/** A store cannot be opened; the message is for the user. */
export class StoreNotOpenedError extends Error {
  constructor(name: string, cause: unknown) {
    super(`Cannot open ${name}: ${reasonOf(cause)}`, { cause });
    this.name = 'StoreNotOpenedError';
  }
}

/**
 * Opens what `--store` names, and makes its tables where there are none.
 *
 * @throws {@link StoreNotOpenedError}
 */
export async function openStore(where: string, { beginsAnew }: { readonly beginsAnew: boolean }): Promise<OpenStore> {
  if (where === 'memory')
    return { store: new InMemoryEventStore(), dataSource: undefined, name: 'memory', close: async () => undefined };
  const { name, database } = where.startsWith('sqlite:') ? file(where.slice('sqlite:'.length)) : server(new URL(where));
  const dataSource = new DataSource({ ...database, entities: [...tables, ...eventStoreEntities(database.type, options)] });
  try {
    await dataSource.initialize();
    if (beginsAnew) await dropTables(dataSource);
    await dataSource.synchronize();
    return { store: new TypeOrmEventStore(dataSource, options), dataSource, name, close: () => dataSource.destroy() };
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    throw new StoreNotOpenedError(name, error);
  }
}

function file(path: string): { name: string; database: DataSourceOptions } {
  return { name: path, database: { type: 'better-sqlite3', driver: libsql, database: path, enableWAL: true } };
}

function server(address: URL): { name: string; database: DataSourceOptions } {
  const name = `${address.protocol}//${address.host}${address.pathname}`;
  if (address.protocol.startsWith('postgres')) return { name, database: { type: 'postgres', url: address.href } };
  return { name, database: { type: 'mysql', url: address.href } };
}

/** Only the sample's own: a database may have others. A rebuild leaves the table beside that served before. */
async function dropTables(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    for (const { tablePath } of dataSource.entityMetadatas)
      for (const beside of ['', '_building', '_kept']) await runner.dropTable(tablePath + beside, true);
  } finally {
    await runner.release();
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
