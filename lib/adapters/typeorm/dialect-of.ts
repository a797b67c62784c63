import type { DataSource } from 'typeorm';
import type { Dialect } from './dialect';
import { MySqlDialect } from './mysql-dialect';
import { PostgresDialect } from './postgres-dialect';
import { SqliteDialect } from './sqlite-dialect';
import { dialectNameOf, type TableNames } from './tables';

/** @throws {@link UnsupportedDatabaseError} for a type of DataSource that no dialect is for. */
export function dialectOf(dataSource: DataSource, names: TableNames, mayPrepare: boolean): Dialect {
  const name = dialectNameOf(dataSource.options.type);
  if (name === 'postgres') return new PostgresDialect(dataSource, names, mayPrepare);
  return name === 'mysql' ? new MySqlDialect(names, mayPrepare) : new SqliteDialect(names);
}
