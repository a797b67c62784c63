import type { QueryRunner } from 'typeorm';
import { MySqlPackets } from '../mysql-packets';
import type { EntityColumn } from './entity-column';
import type { EntityModel } from './entity-model';
import type { RowGroup } from './entity-rows';
import { type EntityStatements, parts, type Row } from './entity-statements';
import { isDouble, isText } from './entity-values';

/** So many rows, or keys, go into one statement. */
const rowsPerStatement = 500;

/** MySQL and MariaDB take a statement up to the size of a packet. */
export class MySqlEntityStatements implements EntityStatements {
  private readonly selected: string;
  private packets: MySqlPackets | undefined;

  constructor(private readonly model: EntityModel) {
    this.selected = model.columns.map(selectedColumn).join(', ');
  }

  async load(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<Row[]> {
    const rows: Row[] = [];
    for (const part of parts(keys, rowsPerStatement)) {
      const sql = `SELECT ${this.selected} FROM ${table} WHERE ${this.among()}`;
      for (const row of await runner.query(sql, [this.listed(part)])) rows.push(row);
    }
    return rows;
  }

  async page(runner: QueryRunner, table: string, after: readonly unknown[] | undefined, limit: number): Promise<Row[]> {
    // Not as selected, which is a text where the column is none.
    const names = this.model.keys.map(({ name }) => `t.${quote(name)}`);
    // Rows are compared column by column, as this server finds no index for `(a, b) > (?, ?)`.
    const bounds = names.map((name, index) =>
      [...names.slice(0, index).map((same) => `${same} = ?`), `${name} > ?`].join(' AND '),
    );
    const where = after === undefined ? '' : ` WHERE (${bounds.join(') OR (')})`;
    const parameters = (after ?? []).flatMap((_, index) => (after ?? []).slice(0, index + 1));
    return runner.query(
      `SELECT ${this.selected} FROM ${table} AS t${where} ORDER BY ${names.join(', ')} LIMIT ${limit}`,
      parameters,
    );
  }

  /** Rows that are not there are added by {@link update}: `those` are always new ones. */
  async insert(runner: QueryRunner, table: string, { columns, rows }: RowGroup): Promise<void> {
    await this.write(runner, `INSERT INTO ${table} (${columns.map(({ name }) => quote(name)).join(', ')}) VALUES ?`, rows);
  }

  async update(runner: QueryRunner, table: string, { columns, updated, rows }: RowGroup): Promise<boolean> {
    if (updated.length === 0) return true;
    const set = updated.map(({ name }) => `${quote(name)} = VALUES(${quote(name)})`).join(', ');
    const names = columns.map(({ name }) => quote(name)).join(', ');
    await this.write(runner, `INSERT INTO ${table} (${names}) VALUES ? ON DUPLICATE KEY UPDATE ${set}`, rows);
    return true;
  }

  async remove(runner: QueryRunner, table: string, keys: readonly unknown[][]): Promise<void> {
    for (const part of parts(keys, rowsPerStatement)) {
      const listed = this.listed(part);
      await runner.query(`DELETE FROM ${table} WHERE ${this.among()} AND ${this.exactly()}`, [listed, listed]);
    }
  }

  private async write(runner: QueryRunner, sql: string, rows: readonly unknown[][]): Promise<void> {
    const packets = await this.packetsOf(runner);
    for (let from = 0, count = 0; from < rows.length; from += count) {
      count = packets.count(rows, from, rowsPerStatement);
      await runner.query(sql, [rows.slice(from, from + count)]);
    }
  }

  private among(): string {
    return `${rowOf(this.model.keys.map(({ name }) => quote(name)))} IN (?)`;
  }

  /** Also where the column takes one letter for another. */
  private exactly(): string {
    const exact = this.model.keys.map(({ name, metadata }) =>
      isText(metadata) ? `CAST(CONVERT(${quote(name)} USING utf8mb4) AS BINARY)` : quote(name),
    );
    return `${rowOf(exact)} IN (?)`;
  }

  private listed(keys: readonly (readonly unknown[])[]): readonly unknown[] {
    return this.model.keys.length === 1 ? keys.map(([value]) => value) : keys;
  }

  private async packetsOf(runner: QueryRunner): Promise<MySqlPackets> {
    if (this.packets === undefined) {
      const [row] = await runner.query('SELECT @@max_allowed_packet AS packet');
      this.packets = new MySqlPackets(Number(row.packet));
    }
    return this.packets;
  }
}

function selectedColumn({ name, metadata }: EntityColumn): string {
  return isDouble(metadata) ? `CAST(${quote(name)} AS CHAR) AS ${quote(name)}` : quote(name);
}

function rowOf(expressions: readonly string[]): string {
  return expressions.length === 1 ? expressions.join() : `(${expressions.join(', ')})`;
}

function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
