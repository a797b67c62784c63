import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventStoreEntities, type TableOptions, TypeOrmEventStore, type TypeOrmEventStoreOptions } from 'eventfold/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { mysqlUrl, postgresUrl } from './servers';

// Its types need those of a browser.
const { PGliteDriver } = require('typeorm-pglite') as { PGliteDriver: new (options: object) => { driver: unknown } };

export { mysqlUrl, postgresUrl };

/** A kind of database to keep events in. */
export interface Database {
  readonly name: string;
  /** Whether several connections to one place are possible. */
  readonly isShared: boolean;
  readonly isMissing: boolean;
  /** Makes room for the tables of one store, apart from all others. */
  make(): Promise<DatabasePlace>;
}

/** Room for the tables of one store. */
export class DatabasePlace {
  private readonly dataSources: DataSource[] = [];

  constructor(
    readonly tables: TableOptions,
    private readonly options: DataSourceOptions,
    private readonly dropAll: (dataSource: DataSource | undefined) => Promise<void>,
  ) {}

  get type(): DataSourceOptions['type'] {
    return this.options.type;
  }

  /** Connects anew, as another process would. The tables are made by the first. */
  async connect(options: Partial<DataSourceOptions> = {}): Promise<DataSource> {
    const dataSource = new DataSource({
      entities: eventStoreEntities(this.options.type, this.tables),
      ...this.options,
      synchronize: this.dataSources.length === 0,
      ...options,
    } as DataSourceOptions);
    await dataSource.initialize();
    this.dataSources.push(dataSource);
    return dataSource;
  }

  /** The first connection, which all stores share that are not given another. */
  async dataSource(): Promise<DataSource> {
    return this.dataSources[0] ?? this.connect();
  }

  async open(options: TypeOrmEventStoreOptions = {}, dataSource?: DataSource): Promise<TypeOrmEventStore> {
    return new TypeOrmEventStore(dataSource ?? (await this.dataSource()), { ...this.tables, ...options });
  }

  /** Removes every row. On PostgreSQL `TRUNCATE` takes a hundred times as long where there are few. */
  async clear(): Promise<void> {
    const dataSource = await this.dataSource();
    for (const { tablePath, tableName, generatedColumns } of dataSource.entityMetadatas) {
      if (tableName.endsWith('locks')) continue;
      const table = tablePath
        .split('.')
        .map((part) => dataSource.driver.escape(part))
        .join('.');
      await dataSource.query(`DELETE FROM ${table}`);
      if (this.options.type !== 'postgres') continue;
      for (const { databaseName } of generatedColumns)
        await dataSource.query('SELECT setval(pg_get_serial_sequence($1, $2), 1, false)', [table, databaseName]);
    }
  }

  async drop(): Promise<void> {
    const [first, ...others] = this.dataSources.splice(0);
    for (const dataSource of others) if (dataSource.isInitialized) await dataSource.destroy();
    await this.dropAll(first?.isInitialized ? first : undefined);
    if (first?.isInitialized) await first.destroy();
  }
}

const { isEarlierTypeOrm = false } = globalThis as { isEarlierTypeOrm?: boolean };

const missing = (process.env['EVENTFOLD_MISSING'] ?? '').split(',');

function unique(): string {
  return `ef_${randomBytes(5).toString('hex')}`;
}

export const postgres: Database = {
  name: 'PostgreSQL',
  isShared: true,
  isMissing: missing.includes('PostgreSQL'),
  make: async () => {
    const schema = unique();
    const admin = await new DataSource({ type: 'postgres', url: postgresUrl }).initialize();
    await admin.query(`CREATE SCHEMA "${schema}"`);
    await admin.destroy();
    return new DatabasePlace({ schema }, { type: 'postgres', url: postgresUrl }, async () => {
      const last = await new DataSource({ type: 'postgres', url: postgresUrl }).initialize();
      await last.query(`DROP SCHEMA "${schema}" CASCADE`);
      await last.destroy();
    });
  },
};

export const pglite: Database = {
  name: 'PGlite',
  isShared: false,
  isMissing: missing.includes('PGlite'),
  make: async () => new DatabasePlace({}, { type: 'postgres', driver: pgliteDriver() }, async () => undefined),
};

/** Begins with a copy of the empty database that was made before all specs. */
function pgliteDriver(): unknown {
  const empty = process.env['EVENTFOLD_PGLITE'];
  return new PGliteDriver(empty === undefined ? {} : { loadDataDir: new Blob([readFileSync(empty)]) }).driver;
}

export const mariadb: Database = {
  name: 'MariaDB',
  isShared: true,
  isMissing: missing.includes('MariaDB'),
  make: async () => {
    const tablePrefix = `${unique()}_`;
    return new DatabasePlace({ tablePrefix }, { type: 'mysql', url: mysqlUrl }, async (dataSource) => {
      for (const { tableName } of dataSource?.entityMetadatas ?? []) await dataSource?.query(`DROP TABLE \`${tableName}\``);
    });
  },
};

export const sqlite: Database = {
  name: 'SQLite',
  isShared: true,
  isMissing: false,
  make: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'eventfold-'));
    return new DatabasePlace({}, sqliteOptions(join(folder, 'events.sqlite')), async (dataSource) => {
      await dataSource?.destroy();
      rmSync(folder, { recursive: true });
    });
  },
};

export const sqliteInMemory: Database = {
  name: 'SQLite in memory',
  isShared: false,
  isMissing: false,
  make: async () => new DatabasePlace({}, sqliteOptions(':memory:'), async () => undefined),
};

export function sqliteOptions(database: string): DataSourceOptions {
  return { type: 'better-sqlite3', driver: require('libsql'), database, enableWAL: true };
}

/** To TypeORM they are PostgreSQL and SQLite. */
const varieties: readonly Database[] = [pglite, sqliteInMemory];

/** Every kind of database that there is; beside an earlier TypeORM those that are not the same to it. */
export const databases: readonly Database[] = [postgres, pglite, mariadb, sqlite, sqliteInMemory].filter(
  (database) => !isEarlierTypeOrm || !varieties.includes(database),
);

/** Asks rules of every database, or of some; those of a missing one are reported as skipped. */
export function describeDatabases(
  title: string,
  rules: (database: Database) => void,
  kinds: readonly Database[] = databases,
): void {
  for (const database of kinds)
    (database.isMissing ? describe.skip : describe)(`${title} (${database.name})`, () => rules(database));
}
