import type { QueryRunner } from 'typeorm';
import type { Statement } from '../select-events';
import type { RowGroup } from './entity-rows';

export type Row = Readonly<Record<string, unknown>>;

/**
 * The statements on the table of an entity. `table` is the quoted name of one of its generations; a key is the values of
 * the primary columns, as the database has them.
 */
export interface EntityStatements {
  load(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<Row[]>;
  /** @returns rows in the order of the keys, after one of them. */
  page(runner: QueryRunner, table: string, after: readonly unknown[] | undefined, limit: number): Promise<Row[]>;
  /** Adds rows. One that is there is an error of the database, unless it is to be left alone. */
  insert(runner: QueryRunner, table: string, group: RowGroup, those: 'new' | 'missing'): Promise<void>;
  /** Changes rows. @returns false when some of them are not there. */
  update(runner: QueryRunner, table: string, group: RowGroup): Promise<boolean>;
  remove(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<void>;
  /** @returns statements that write all of it, or fail: undefined where that takes answers. */
  writes?(table: string, rows: RowWrites): readonly Statement[] | undefined;
}

/** All that is to be written: the keys of rows that go, and rows that are to be there or not to be there before. */
export interface RowWrites {
  readonly removed: readonly unknown[][];
  readonly inserted: readonly RowGroup[];
  readonly updated: readonly RowGroup[];
}

/** @returns `list` in parts of at most `most`. */
export function parts<T>(list: readonly T[], most: number): readonly (readonly T[])[] {
  if (list.length <= most) return list.length === 0 ? [] : [list];
  return Array.from({ length: Math.ceil(list.length / most) }, (_, index) => list.slice(index * most, (index + 1) * most));
}
