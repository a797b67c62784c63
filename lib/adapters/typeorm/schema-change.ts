import type { QueryRunner } from 'typeorm';
import type { TableNames } from './tables';

/** One step from the tables of a release to those of a later one. Once shipped it stays as it is. */
export interface SchemaChange {
  readonly name: string;
  /** When it was written, in milliseconds since 1970: TypeORM runs migrations in this order. */
  readonly timestamp: number;
  /** Does what is not done yet, also where it was broken off: MySQL takes back no change of tables. */
  up(runner: QueryRunner, names: TableNames): Promise<void>;
  down(runner: QueryRunner, names: TableNames): Promise<void>;
}
