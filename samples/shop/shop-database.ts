import { eventStoreEntities } from 'eventfold/typeorm';
import libsql from 'libsql';
import type { DataSourceOptions } from 'typeorm';
import { readModels } from './shop-classes';

/**
 * @param store The path of a SQLite file, or the address of a PostgreSQL database.
 * @returns where both the events and the tables of the read models are kept.
 */
export function shopDatabase(store: string): DataSourceOptions {
  const database: DataSourceOptions = /^postgres(ql)?:/.test(store)
    ? { type: 'postgres', url: store, poolSize: 20 }
    : { type: 'better-sqlite3', driver: libsql, database: store, enableWAL: true };
  return { ...database, entities: [...readModels, ...eventStoreEntities(database.type)] };
}
