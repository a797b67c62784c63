import { type EventStore, InMemoryEventStore } from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import libsql from 'libsql';
import { DataSource, type DataSourceOptions } from 'typeorm';

/** The sample's tables have names of their own, so that it can be tried out on a database with others. */
const tables = { tablePrefix: 'flights_' };

/** A store, ready to be used. */
export interface OpenStore {
  readonly store: EventStore;
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
  if (where === 'memory') return { store: new InMemoryEventStore(), name: 'memory', close: async () => undefined };
  const { name, options } = where.startsWith('sqlite:') ? file(where.slice('sqlite:'.length)) : server(new URL(where));
  const dataSource = new DataSource({ ...options, entities: eventStoreEntities(options.type, tables) });
  try {
    await dataSource.initialize();
    if (beginsAnew) await dropTables(dataSource);
    await dataSource.synchronize();
    return { store: new TypeOrmEventStore(dataSource, tables), name, close: () => dataSource.destroy() };
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    throw new StoreNotOpenedError(name, error);
  }
}

function file(path: string): { name: string; options: DataSourceOptions } {
  return { name: path, options: { type: 'better-sqlite3', driver: libsql, database: path, enableWAL: true } };
}

function server(address: URL): { name: string; options: DataSourceOptions } {
  const name = `${address.protocol}//${address.host}${address.pathname}`;
  if (address.protocol.startsWith('postgres')) return { name, options: { type: 'postgres', url: address.href } };
  return { name, options: { type: 'mysql', url: address.href } };
}

/** Only the sample's own: a database may have others. */
async function dropTables(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    for (const { tablePath } of dataSource.entityMetadatas) await runner.dropTable(tablePath, true);
  } finally {
    await runner.release();
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
