import type { QueryRunner } from 'typeorm';
import { UnfitTableError } from './entity-errors';
import type { EntityGenerations, SwappedColumns } from './entity-generations';
import type { EntityTableNames } from './entity-table-names';

interface Entry {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

const identifier = '("(?:[^"]|"")*"|`(?:[^`]|``)*`|\\[[^\\]]*\\]|[^\\s("`\\[]+)';
const tableHead = new RegExp(`^\\s*CREATE\\s+TABLE\\s+${identifier}`, 'i');
const indexHead = new RegExp(`^\\s*CREATE\\s+(UNIQUE\\s+)?INDEX\\s+${identifier}\\s+ON\\s+${identifier}`, 'i');

/** SQLite changes tables within the transaction that is open. It keeps the text that each was made by. */
export class SqliteEntityGenerations implements EntityGenerations {
  constructor(
    private readonly names: EntityTableNames,
    private readonly columns: SwappedColumns,
  ) {}

  async create(runner: QueryRunner): Promise<void> {
    const obstacles = await this.obstacles(runner);
    if (obstacles.length > 0) throw new UnfitTableError(this.names.of('serving'), obstacles.join('; '));
    await this.drop(runner, 'building');
    for (const { type, sql } of await this.entries(runner, 'serving'))
      if (type === 'table') await runner.query(sql.replace(tableHead, () => `CREATE TABLE ${this.names.of('building')}`));
    await this.createIndexes(runner, 'building', (name) => this.names.beside(name, 'building'));
  }

  async drop(runner: QueryRunner, role: 'building' | 'kept'): Promise<void> {
    await runner.query(`DROP TABLE IF EXISTS ${this.names.of(role)}`);
  }

  async promote(runner: QueryRunner): Promise<void> {
    if ((await this.entries(runner, 'building')).length === 0) return;
    await this.carryOver(runner);
    await this.drop(runner, 'kept');
    const indexes = (await this.entries(runner, 'serving')).filter(({ type }) => type === 'index');
    for (const { name } of [...indexes, ...(await this.entries(runner, 'building')).filter(({ type }) => type === 'index')])
      await runner.query(`DROP INDEX ${this.names.quoted(name)}`);
    await this.rename(runner, 'serving', 'kept');
    await this.rename(runner, 'building', 'serving');
    for (const { sql } of indexes) await runner.query(sql);
  }

  async reopen(runner: QueryRunner): Promise<void> {
    if ((await this.entries(runner, 'kept')).length === 0) return;
    await this.drop(runner, 'building');
    await this.rename(runner, 'kept', 'building');
    await this.createIndexes(runner, 'building', (name) => this.names.beside(name, 'building'));
  }

  /** Views name their tables: what they read is what has the name. */
  private async rename(runner: QueryRunner, from: 'serving' | 'building' | 'kept', to: 'serving' | 'building' | 'kept') {
    const [{ legacy_alter_table: before }] = await runner.query('PRAGMA legacy_alter_table');
    await runner.query('PRAGMA legacy_alter_table = ON');
    try {
      await runner.query(`ALTER TABLE ${this.names.of(from)} RENAME TO ${this.names.of(to)}`);
    } finally {
      await runner.query(`PRAGMA legacy_alter_table = ${before === 1 ? 'ON' : 'OFF'}`);
    }
  }

  private async createIndexes(runner: QueryRunner, role: 'building', nameFor: (name: string) => string): Promise<void> {
    for (const { type, name, sql } of await this.entries(runner, 'serving')) {
      if (type !== 'index') continue;
      const head = (_: string, unique = '') =>
        `CREATE ${unique}INDEX ${this.names.quoted(nameFor(name))} ON ${this.names.of(role)}`;
      await runner.query(sql.replace(indexHead, head));
    }
  }

  private async carryOver(runner: QueryRunner): Promise<void> {
    if (this.columns.carried.length === 0) return;
    const [serving, building] = [this.names.of('serving'), this.names.of('building')];
    const set = this.columns.carried.map((name) => `${name} = s.${name}`).join(', ');
    const where = this.columns.keys.map((name) => `${building}.${name} = s.${name}`).join(' AND ');
    await runner.query(`UPDATE ${building} SET ${set} FROM ${serving} AS s WHERE ${where}`);
  }

  private async obstacles(runner: QueryRunner): Promise<string[]> {
    const triggers = (await this.entries(runner, 'serving')).filter(({ type }) => type === 'trigger');
    const sql = `SELECT m.name AS name, k."table" AS target FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table'`;
    const keys: { name: string; target: string }[] = await runner.query(sql);
    const table = this.names.table.toLowerCase();
    const others = [this.names.nameOf('kept'), this.names.nameOf('building')].map((name) => name.toLowerCase());
    const referring = keys.filter(({ name, target }) => target.toLowerCase() === table && !others.includes(name.toLowerCase()));
    return [
      ...new Set(
        referring.map(({ name }) =>
          name.toLowerCase() === table
            ? 'it refers to itself by a foreign key'
            : `the table ${name} refers to it by a foreign key`,
        ),
      ),
      ...triggers.map(({ name }) => `it has the trigger ${name}`),
    ];
  }

  /** The table itself, its triggers, and the indexes that are not part of it. */
  private entries(runner: QueryRunner, role: 'serving' | 'building' | 'kept'): Promise<Entry[]> {
    const sql = 'SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL ORDER BY rowid';
    return runner.query(sql, [this.names.nameOf(role)]);
  }
}
