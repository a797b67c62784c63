import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventStoreEntities, type TableOptions, TypeOrmEventStore, type TypeOrmEventStoreOptions } from 'eventfold/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { ByHand } from './by-hand';
import { MariaDbByHand } from './mariadb-by-hand';
import { PostgresByHand } from './postgres-by-hand';
import { SqliteByHand } from './sqlite-by-hand';

export const postgresUrl = process.env.EVENTFOLD_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test';
export const mysqlUrl = process.env.EVENTFOLD_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test';

/** As many connections as TypeORM's pools have unless told otherwise. */
export const connections = 10;

/** Where both contenders keep their events, each in tables of its own, made in the same way. */
export interface Ground<Hand extends ByHand = ByHand> {
  readonly name: string;
  readonly dataSource: DataSource;
  /** What the hand-written tables and their columns are reached by. */
  readonly handTables: string;
  store(options?: TypeOrmEventStoreOptions): TypeOrmEventStore;
  /** @param connections So many at most; {@link connections} unless given. */
  byHand(connections?: number): Hand;
  /** Hand-written code on our tables, with one connection. */
  byHandOnOurs(): Hand;
  drop(): Promise<void>;
}

export async function postgresGround(): Promise<Ground<PostgresByHand>> {
  const schema = `ef_bench_${randomBytes(4).toString('hex')}`;
  const admin = await new DataSource({ type: 'postgres', url: postgresUrl }).initialize();
  await admin.query(`CREATE SCHEMA "${schema}"`);
  const options: TableOptions = { schema };
  const dataSource = await connect({ type: 'postgres', url: postgresUrl }, options, { schema, tablePrefix: 'hand_' });
  return {
    name: 'PostgreSQL',
    dataSource,
    handTables: `${schema}.hand_`,
    store: (more) => new TypeOrmEventStore(dataSource, { ...options, ...more }),
    byHand: (size = connections) => new PostgresByHand(postgresUrl, `${schema}.hand_events`, size),
    byHandOnOurs: () => new PostgresByHand(postgresUrl, `${schema}.eventfold_events`, 1),
    drop: async () => {
      await dataSource.destroy();
      await admin.query(`DROP SCHEMA "${schema}" CASCADE`);
      await admin.destroy();
    },
  };
}

export async function mariaDbGround(): Promise<Ground<MariaDbByHand>> {
  const prefix = `ef_bench_${randomBytes(4).toString('hex')}_`;
  const [ours, hand] = [{ tablePrefix: prefix }, { tablePrefix: `${prefix}hand_` }];
  const dataSource = await connect({ type: 'mysql', url: mysqlUrl }, ours, hand);
  // What hand-written code would let the database do.
  await dataSource.query(`ALTER TABLE ${hand.tablePrefix}events MODIFY position bigint NOT NULL AUTO_INCREMENT`);
  return {
    name: 'MariaDB',
    dataSource,
    handTables: hand.tablePrefix,
    store: (more) => new TypeOrmEventStore(dataSource, { ...ours, ...more }),
    byHand: (size = connections) => new MariaDbByHand(mysqlUrl, `${hand.tablePrefix}events`, size),
    byHandOnOurs: () => new MariaDbByHand(mysqlUrl, `${ours.tablePrefix}events`, 1),
    drop: async () => {
      for (const { tableName } of dataSource.entityMetadatas) await dataSource.query(`DROP TABLE \`${tableName}\``);
      await dataSource.destroy();
    },
  };
}

/** With full durability, which is SQLite's own default: every commit is on the disk before it is told of. */
export async function sqliteGround(journal: 'WAL' | 'DELETE'): Promise<Ground<SqliteByHand>> {
  const folder = mkdtempSync(join(tmpdir(), 'eventfold-bench-'));
  const pragmas = [`journal_mode = ${journal}`, 'synchronous = FULL'];
  const open = async (file: string) => {
    const dataSource = await connect({ type: 'better-sqlite3', driver: require('libsql'), database: join(folder, file) }, {});
    for (const pragma of pragmas) await dataSource.query(`PRAGMA ${pragma}`);
    return dataSource;
  };
  const dataSource = await open('ours.sqlite');
  await (await open('hand.sqlite')).destroy();
  return {
    name: `SQLite, ${journal}, FULL`,
    dataSource,
    handTables: 'eventfold_',
    store: (more) => new TypeOrmEventStore(dataSource, more),
    byHand: () => new SqliteByHand(join(folder, 'hand.sqlite'), pragmas),
    byHandOnOurs: () => new SqliteByHand(join(folder, 'ours.sqlite'), pragmas),
    drop: async () => {
      await dataSource.destroy();
      rmSync(folder, { recursive: true });
    },
  };
}

async function connect(options: DataSourceOptions, ...tables: readonly TableOptions[]): Promise<DataSource> {
  const entities = tables.flatMap((table) => eventStoreEntities(options.type, table));
  return new DataSource({ ...options, entities, synchronize: true } as DataSourceOptions).initialize();
}

/** @returns what `open` makes, or undefined, having said so, where there is no such database. */
export async function ifThere<T>(name: string, open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    const reason = error instanceof AggregateError ? error.errors[0] : error;
    console.log(`${name} is skipped: ${reason instanceof Error ? reason.message : String(reason)}`);
    return undefined;
  }
}
