import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EventStore, NewEvent } from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import libsql from 'libsql';
import { DataSource } from 'typeorm';

/** What version 1 of the bank stored, an event a line. */
export const logFile = join(dirname(require.resolve('eventfold/package.json')), 'samples/bank/version-1/log.jsonl');

type LoggedEvent = NewEvent & { readonly stream: string };

/** Opens a SQLite database at `path`, and makes the tables of a store in it where there are none. */
export async function openDatabase(path: string): Promise<DataSource> {
  const type = 'better-sqlite3';
  const entities = eventStoreEntities(type);
  return new DataSource({ type, driver: libsql, database: path, entities, synchronize: true }).initialize();
}

/** Puts the log of version 1 into an empty database, as it was. */
export async function restoreLog(dataSource: DataSource): Promise<EventStore> {
  const store = new TypeOrmEventStore(dataSource);
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as LoggedEvent);
  // Each appended by itself, so that they keep their order over all streams.
  for (const { stream, ...event } of events) await store.append([{ stream, events: [event], guard: { version: 'any' } }]);
  return store;
}
