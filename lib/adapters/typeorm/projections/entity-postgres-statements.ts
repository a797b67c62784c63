import type { QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect';
import type { Statement } from '../select-events';
import type { EntityColumn } from './entity-column';
import type { EntityModel } from './entity-model';
import { nativeArrays, parameterOf } from './entity-postgres-values';
import type { RowGroup } from './entity-rows';
import { type EntityStatements, parts, type Row, type RowWrites } from './entity-statements';
import { mustChange } from './must-change';

type Types = ReadonlyMap<string, string>;

/** So many rows go into one statement. */
const rowsPerStatement = 10_000;

/** Up to so many rows, a statement is prepared: the plan for any rows is good for few. */
const few = 100;

/** PostgreSQL takes the values of each column as one array. */
export class PostgresEntityStatements implements EntityStatements {
  private readonly selected: string;
  private types: ReadonlyMap<string, string> | undefined;

  /** @param served The name of the table that the types of the columns are looked up of. */
  constructor(
    private readonly model: EntityModel,
    private readonly dialect: Dialect,
    private readonly served: string,
  ) {
    this.selected = model.columns.map((column) => `t.${quote(column.name)}`).join(', ');
  }

  async load(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<Row[]> {
    const source = this.source(await this.typesOn(runner), this.model.keys, keys);
    const sql = `SELECT ${this.selected} FROM ${source.sql} JOIN ${table} AS t ON ${this.matching()}`;
    return [...(await this.dialect.run(runner, { ...source, sql })).rows];
  }

  async page(runner: QueryRunner, table: string, after: readonly unknown[] | undefined, limit: number): Promise<Row[]> {
    const types = await this.typesOn(runner);
    const names = this.model.keys.map(({ name }) => `t.${quote(name)}`).join(', ');
    const bounds = this.model.keys.map(({ name }, index) => `$${index + 1}::${types.get(name)}`).join(', ');
    const where = after === undefined ? '' : ` WHERE (${names}) > (${bounds})`;
    const sql = `SELECT ${this.selected} FROM ${table} AS t${where} ORDER BY ${names} LIMIT ${limit}`;
    return runner.query(sql, after === undefined ? [] : [...after]);
  }

  async insert(runner: QueryRunner, table: string, group: RowGroup, those: 'new' | 'missing'): Promise<void> {
    const types = await this.typesOn(runner);
    for (const statement of this.insertions(types, table, group, those)) await this.dialect.run(runner, statement);
  }

  async update(runner: QueryRunner, table: string, group: RowGroup): Promise<boolean> {
    let updated = 0;
    for (const update of this.updates(await this.typesOn(runner), table, group))
      updated += (await this.dialect.run(runner, update)).changed;
    return group.updated.length === 0 || updated === group.rows.length;
  }

  async remove(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<void> {
    await this.dialect.run(runner, this.removal(await this.typesOn(runner), table, keys));
  }

  writes(table: string, { removed, inserted, updated }: RowWrites): readonly Statement[] | undefined {
    const { types } = this;
    if (types === undefined) return undefined;
    return [
      ...(removed.length === 0 ? [] : [this.removal(types, table, removed)]),
      ...inserted.flatMap((group) => this.insertions(types, table, group, 'new')),
      ...updated.flatMap((group) => this.updates(types, table, group).map((update) => mustChange(update, group.rows.length))),
    ];
  }

  private insertions(types: Types, table: string, { columns, rows }: RowGroup, those: 'new' | 'missing'): Statement[] {
    const names = columns.map(({ name }) => quote(name)).join(', ');
    const keys = this.model.keys.map(({ name }) => quote(name)).join(', ');
    const otherwise = those === 'new' ? '' : ` ON CONFLICT (${keys}) DO NOTHING`;
    return parts(rows, rowsPerStatement).map((part) => {
      const source = this.source(types, columns, part);
      return { ...source, sql: `INSERT INTO ${table} (${names}) SELECT * FROM ${source.sql}${otherwise}` };
    });
  }

  private updates(types: Types, table: string, group: RowGroup): Statement[] {
    if (group.updated.length === 0) return [];
    const columns = [...this.model.keys, ...group.updated];
    const places = columns.map((column) => group.columns.indexOf(column));
    const set = group.updated.map(({ name }) => `${quote(name)} = v.${quote(name)}`).join(', ');
    return parts(group.rows, rowsPerStatement).map((part) => {
      const rows = part.map((row) => places.map((place) => row[place]));
      const source = this.source(types, columns, rows);
      return { ...source, sql: `UPDATE ${table} AS t SET ${set} FROM ${source.sql} WHERE ${this.matching()}` };
    });
  }

  private removal(types: Types, table: string, keys: readonly unknown[][]): Statement {
    const source = this.source(types, this.model.keys, keys);
    return { ...source, sql: `DELETE FROM ${table} AS t USING ${source.sql} WHERE ${this.matching()}` };
  }

  private matching(): string {
    return this.model.keys.map(({ name }) => `t.${quote(name)} = v.${quote(name)}`).join(' AND ');
  }

  /** Rows as a table `v`, each column of its own type. */
  private source(types: Types, columns: readonly EntityColumn[], rows: readonly (readonly unknown[])[]): Statement {
    const typeOf = ({ name }: EntityColumn) => types.get(name) as string;
    const names = columns.map(({ name }) => quote(name));
    const isFrequent = rows.length <= few;
    const values = columns.map((column, index) => {
      const toParameter = parameterOf(typeOf(column));
      return rows.map((row) => toParameter(row[index]));
    });
    if (rows.length === 1) {
      const cast = columns.map((column, index) => `$${index + 1}::${typeOf(column)} AS ${names[index]}`);
      return { sql: `(SELECT ${cast.join(', ')}) AS v`, parameters: values.map(([value]) => value), isFrequent };
    }
    const arrays = columns.map((column, index) => `$${index + 1}::${nativeArrays.get(typeOf(column)) ?? 'text[]'}`);
    const unnested = `unnest(${arrays.join(', ')})`;
    if (columns.every((column) => nativeArrays.has(typeOf(column))))
      return { sql: `${unnested} AS v(${names.join(', ')})`, parameters: values, isFrequent };
    const cast = names.map((name, index) => `u.${name}::${typeOf(columns[index] as EntityColumn)} AS ${name}`);
    return { sql: `(SELECT ${cast.join(', ')} FROM ${unnested} AS u(${names.join(', ')})) AS v`, parameters: values, isFrequent };
  }

  /** Types without their lengths: a cast to these would cut a text off that is too long. */
  private async typesOn(runner: QueryRunner): Promise<Types> {
    this.types ??= await readTypes(runner, this.served);
    return this.types;
  }
}

async function readTypes(runner: QueryRunner, table: string): Promise<ReadonlyMap<string, string>> {
  const sql = `SELECT attname AS name, format_type(atttypid, -1) AS type FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`;
  const rows: { name: string; type: string }[] = await runner.query(sql, [table]);
  return new Map(rows.map(({ name, type }) => [name, type]));
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
