import type { QueryRunner } from 'typeorm';
import { UnfitTableError } from './entity-errors';
import type { EntityGenerations, SwappedColumns } from './entity-generations';
import { grantsOf, indexesOf, obstaclesOf, paired, sequencesOf } from './entity-postgres-catalog';
import type { EntityTableNames } from './entity-table-names';

/** PostgreSQL changes tables within the transaction that is open. */
export class PostgresEntityGenerations implements EntityGenerations {
  constructor(
    private readonly names: EntityTableNames,
    private readonly columns: SwappedColumns,
  ) {}

  async create(runner: QueryRunner): Promise<void> {
    const serving = this.names.of('serving');
    const obstacles = await obstaclesOf(runner, serving);
    if (obstacles.length > 0) throw new UnfitTableError(serving, obstacles.join('; '));
    await this.drop(runner, 'building');
    await runner.query(`CREATE TABLE ${this.names.of('building')} (LIKE ${serving} INCLUDING ALL)`);
    for (const sql of await grantsOf(runner, serving, this.names.of('building'))) await runner.query(sql);
  }

  async drop(runner: QueryRunner, role: 'building' | 'kept'): Promise<void> {
    await runner.query(`DROP TABLE IF EXISTS ${this.names.of(role)}`);
  }

  async lock(runner: QueryRunner): Promise<void> {
    const [serving, building] = [this.names.of('serving'), this.names.of('building')];
    if (await this.isThere(runner, building)) await runner.query(`LOCK TABLE ${serving}, ${building} IN ACCESS EXCLUSIVE MODE`);
  }

  async promote(runner: QueryRunner): Promise<void> {
    const [serving, building] = [this.names.of('serving'), this.names.of('building')];
    if (!(await this.isThere(runner, building))) return;
    await this.lock(runner);
    await this.carryOver(runner, serving, building);
    await this.drop(runner, 'kept');
    const keys = await this.foreignKeys(runner, serving);
    const indexes = paired(await indexesOf(runner, serving), await indexesOf(runner, building));
    const sequences = paired(await sequencesOf(runner, serving), await sequencesOf(runner, building));
    await this.moveSerials(runner, serving, building);
    for (const { name } of keys) await runner.query(`ALTER TABLE ${serving} DROP CONSTRAINT ${this.names.quoted(name)}`);
    await runner.query(`ALTER TABLE ${serving} RENAME TO ${this.names.quoted(this.names.nameOf('kept'))}`);
    await runner.query(`ALTER TABLE ${building} RENAME TO ${this.names.quoted(this.names.table)}`);
    for (const { old, next } of indexes) await this.takeName(runner, 'INDEX', old, next);
    for (const { old, next } of sequences) await this.takeName(runner, 'SEQUENCE', old, next);
    for (const { name, definition } of keys)
      await runner.query(`ALTER TABLE ${serving} ADD CONSTRAINT ${this.names.quoted(name)} ${definition}`);
  }

  async reopen(runner: QueryRunner): Promise<void> {
    const kept = this.names.of('kept');
    if (!(await this.isThere(runner, kept))) return;
    await this.drop(runner, 'building');
    await runner.query(`ALTER TABLE ${kept} RENAME TO ${this.names.quoted(this.names.nameOf('building'))}`);
  }

  /** Has `next` be called what `old` is called now. */
  private async takeName(runner: QueryRunner, kind: 'INDEX' | 'SEQUENCE', old: string, next: string): Promise<void> {
    const rename = (from: string, to: string) =>
      runner.query(`ALTER ${kind} ${this.names.qualified(from)} RENAME TO ${this.names.quoted(to)}`);
    const [between, aside] = [this.names.beside(old, 'building'), this.names.beside(old, 'kept')];
    // What was kept before and serves again has the name that is given to what is kept now.
    await rename(next, between);
    await rename(old, aside);
    await rename(between, old);
  }

  private async carryOver(runner: QueryRunner, serving: string, building: string): Promise<void> {
    if (this.columns.carried.length === 0) return;
    const set = this.columns.carried.map((name) => `${name} = s.${name}`).join(', ');
    const where = this.columns.keys.map((name) => `b.${name} = s.${name}`).join(' AND ');
    await runner.query(`UPDATE ${building} AS b SET ${set} FROM ${serving} AS s WHERE ${where}`);
  }

  /** A sequence would be dropped with the table that it was made for. */
  private async moveSerials(runner: QueryRunner, serving: string, building: string): Promise<void> {
    const sql = `SELECT a.attname AS column, s.relname AS sequence FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.refobjid = $1::regclass AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'`;
    for (const { column, sequence } of await runner.query(sql, [serving]))
      await runner.query(`ALTER SEQUENCE ${this.names.qualified(sequence)} OWNED BY ${building}.${this.names.quoted(column)}`);
  }

  private foreignKeys(runner: QueryRunner, table: string): Promise<{ name: string; definition: string }[]> {
    const sql = `SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
      WHERE contype = 'f' AND conrelid = $1::regclass ORDER BY conname`;
    return runner.query(sql, [table]);
  }

  private async isThere(runner: QueryRunner, table: string): Promise<boolean> {
    const [row] = await runner.query('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
    return row.found === true;
  }
}
