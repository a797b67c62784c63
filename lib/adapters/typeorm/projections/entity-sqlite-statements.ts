import type { QueryRunner } from 'typeorm';
import type { EntityColumn } from './entity-column';
import type { EntityModel } from './entity-model';
import type { RowGroup } from './entity-rows';
import { SqliteStatements } from './entity-sqlite-prepared';
import type { EntityStatements, Row } from './entity-statements';

/** So many keys are asked for at once, so that few statements are prepared. */
const keysPerQuery = [256, 16, 1];

/** So many rows are written at once: three times as fast as each by itself. */
const rowsPerStatement = [64, 8, 1];

/** A statement takes a few more. */
const mostParameters = 30_000;

/** SQLite, through a driver that answers at once, with statements that it has prepared. */
export class SqliteEntityStatements implements EntityStatements {
  private readonly prepared = new SqliteStatements();
  private readonly selected: string;

  constructor(private readonly model: EntityModel) {
    this.selected = model.columns.map(selectedColumn).join(', ');
  }

  async load(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<Row[]> {
    const prepare = await this.prepared.on(runner);
    const rows: Row[] = [];
    for (const part of inParts(keys, keysPerQuery)) {
      const sql = `SELECT ${this.selected} FROM ${table} WHERE ${this.among(part.length)}`;
      rows.push(...(prepare(sql).all(part.flat().map(bound)) as Row[]));
    }
    return rows;
  }

  async page(runner: QueryRunner, table: string, after: readonly unknown[] | undefined, limit: number): Promise<Row[]> {
    const prepare = await this.prepared.on(runner);
    // Not as selected, which is a text where the column is none.
    const names = this.model.keys.map(({ name }) => `t.${quote(name)}`).join(', ');
    const where = after === undefined ? '' : ` WHERE (${names}) > (${this.model.keys.map(() => '?').join(', ')})`;
    const sql = `SELECT ${this.selected} FROM ${table} AS t${where} ORDER BY ${names} LIMIT ${limit}`;
    return prepare(sql).all((after ?? []).map(bound)) as Row[];
  }

  async insert(runner: QueryRunner, table: string, { columns, rows }: RowGroup, those: 'new' | 'missing'): Promise<void> {
    const prepare = await this.prepared.on(runner);
    const names = columns.map(({ name }) => quote(name)).join(', ');
    const keys = this.model.keys.map(({ name }) => quote(name)).join(', ');
    const otherwise = those === 'new' ? '' : ` ON CONFLICT (${keys}) DO NOTHING`;
    for (const part of inParts(rows, sizesFor(columns.length))) {
      const sql = `INSERT INTO ${table} (${names}) VALUES ${tuples(part.length, columns.length)}${otherwise}`;
      prepare(sql).run(part.flat().map(bound));
    }
  }

  async update(runner: QueryRunner, table: string, { columns, updated, rows }: RowGroup): Promise<boolean> {
    if (updated.length === 0) return true;
    const prepare = await this.prepared.on(runner);
    const given = [...this.model.keys, ...updated];
    const places = given.map((column) => columns.indexOf(column));
    const value = (index: number) => `v.column${index + 1}`;
    const where = this.model.keys.map(({ name }, index) => `t.${quote(name)} = ${value(index)}`).join(' AND ');
    const set = updated.map(({ name }, index) => `${quote(name)} = ${value(this.model.keys.length + index)}`).join(', ');
    let changed = 0;
    for (const part of inParts(rows, sizesFor(given.length))) {
      const values = part.flatMap((row) => places.map((place) => bound(row[place])));
      const source = `(VALUES ${tuples(part.length, given.length)}) AS v`;
      changed += prepare(`UPDATE ${table} AS t SET ${set} FROM ${source} WHERE ${where}`).run(values).changes;
    }
    return changed === rows.length;
  }

  async remove(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<void> {
    const statement = (await this.prepared.on(runner))(`DELETE FROM ${table} WHERE ${this.exactly()}`);
    for (const key of keys) statement.run(key.map(bound));
  }

  private among(count: number): string {
    const names = this.model.keys.map(({ name }) => quote(name)).join(', ');
    const row = this.model.keys.map(() => '?').join(', ');
    if (this.model.keys.length === 1) return `${names} IN (${Array(count).fill(row).join(', ')})`;
    return `(${names}) IN (VALUES ${Array(count).fill(`(${row})`).join(', ')})`;
  }

  /** Also where the column takes one letter for another. */
  private exactly(): string {
    return this.model.keys.map(({ name }) => `${quote(name)} = ? COLLATE BINARY`).join(' AND ');
  }
}

/** A whole number comes as a JavaScript number, whatever its size: as text it stays exact. */
function selectedColumn({ name, metadata }: EntityColumn): string {
  const isLarge = metadata.type === 'bigint' || metadata.type === 'int8' || metadata.type === 'unsigned big int';
  return isLarge && metadata.transformer === undefined ? `CAST(${quote(name)} AS TEXT) AS ${quote(name)}` : quote(name);
}

function sizesFor(columns: number): readonly number[] {
  return rowsPerStatement.filter((size) => size === 1 || size * columns <= mostParameters);
}

function* inParts<T>(list: readonly T[], sizes: readonly number[]): Generator<readonly T[], void> {
  let from = 0;
  for (const size of sizes) for (; list.length - from >= size; from += size) yield list.slice(from, from + size);
}

function tuples(rows: number, columns: number): string {
  const row = `(${Array(columns).fill('?').join(', ')})`;
  return Array(rows).fill(row).join(', ');
}

function bound(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Date ? value.toISOString() : value;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
