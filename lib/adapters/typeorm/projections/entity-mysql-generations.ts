import type { QueryRunner } from 'typeorm';
import { UnfitTableError } from './entity-errors';
import type { EntityGenerations, SwappedColumns } from './entity-generations';
import { type ForeignKey, foreignKeysOf, isTable, obstaclesOf } from './entity-mysql-catalog';
import type { EntityTableNames } from './entity-table-names';

/**
 * MySQL and MariaDB commit with every change of a table: the swap is one statement, and what comes before and after it can
 * be done again. A name of a foreign key is taken in the whole database, so the new table has others until the swap.
 */
export class MySqlEntityGenerations implements EntityGenerations {
  /** @param foreignKeys The names that TypeORM gives them. */
  constructor(
    private readonly names: EntityTableNames,
    private readonly columns: SwappedColumns,
    private readonly foreignKeys: readonly string[],
  ) {}

  async create(runner: QueryRunner): Promise<void> {
    const serving = this.names.of('serving');
    const obstacles = await obstaclesOf(runner, this.names.schema, this.names.table);
    if (obstacles.length > 0) throw new UnfitTableError(serving, obstacles.join('; '));
    await this.drop(runner, 'building');
    await runner.query(`CREATE TABLE ${this.names.of('building')} LIKE ${serving}`);
  }

  async drop(runner: QueryRunner, role: 'building' | 'kept'): Promise<void> {
    await runner.query(`DROP TABLE IF EXISTS ${this.names.of(role)}`);
  }

  async promote(runner: QueryRunner): Promise<void> {
    const [serving, building, kept] = [this.names.of('serving'), this.names.of('building'), this.names.of('kept')];
    if (await isTable(runner, this.names.schema, this.names.nameOf('building'))) {
      await this.carryOver(runner, serving, building);
      await this.addForeignKeys(runner);
      await this.drop(runner, 'kept');
      await runner.query(`RENAME TABLE ${serving} TO ${kept}, ${building} TO ${serving}`);
    }
    await this.takeForeignKeys(runner);
  }

  async reopen(runner: QueryRunner): Promise<void> {
    if (!(await isTable(runner, this.names.schema, this.names.nameOf('kept')))) return;
    await this.drop(runner, 'building');
    await runner.query(`RENAME TABLE ${this.names.of('kept')} TO ${this.names.of('building')}`);
  }

  private async addForeignKeys(runner: QueryRunner): Promise<void> {
    const building = this.names.of('building');
    const there = new Set((await foreignKeysOf(runner, building)).map(({ name }) => name));
    for (const { name, definition } of await foreignKeysOf(runner, this.names.of('serving'))) {
      const aside = this.names.beside(name, 'building');
      if (!there.has(aside)) await runner.query(`ALTER TABLE ${building} ADD ${this.constraint(aside, definition)}`);
    }
  }

  /** Rows that are only kept hold nobody back from removing what they refer to, and leave their names to those that serve. */
  private async takeForeignKeys(runner: QueryRunner): Promise<void> {
    const kept = this.names.of('kept');
    const isKept = await isTable(runner, this.names.schema, this.names.nameOf('kept'));
    const left = new Set(isKept ? (await foreignKeysOf(runner, kept)).map(({ name }) => name) : []);
    for (const key of await foreignKeysOf(runner, this.names.of('serving'))) {
      const name = this.nameBefore(key.name, [...left, ...this.foreignKeys]);
      if (name === undefined) continue;
      if (left.has(name)) await runner.query(`ALTER TABLE ${kept} DROP FOREIGN KEY ${this.names.quoted(name)}`);
      await this.rename(runner, key, name);
    }
  }

  /** @returns undefined for a key that has the name it is to have. */
  private nameBefore(aside: string, candidates: readonly string[]): string | undefined {
    return candidates.find((name) => this.names.beside(name, 'building') === aside) ?? /^(.+)_building$/.exec(aside)?.[1];
  }

  private async rename(runner: QueryRunner, { name, definition }: ForeignKey, next: string): Promise<void> {
    const [{ checks }] = await runner.query('SELECT @@foreign_key_checks AS checks');
    // The rows have been checked when the key was added.
    await runner.query('SET SESSION foreign_key_checks = 0');
    try {
      const change = `DROP FOREIGN KEY ${this.names.quoted(name)}, ADD ${this.constraint(next, definition)}`;
      await runner.query(`ALTER TABLE ${this.names.of('serving')} ${change}`);
    } finally {
      await runner.query(`SET SESSION foreign_key_checks = ${Number(checks)}`);
    }
  }

  private constraint(name: string, definition: string): string {
    return `CONSTRAINT ${this.names.quoted(name)} ${definition}`;
  }

  private async carryOver(runner: QueryRunner, serving: string, building: string): Promise<void> {
    const { carried, keys } = this.columns;
    if (carried.length === 0) return;
    const set = carried.map((name) => `b.${name} = s.${name}`).join(', ');
    const where = keys.map((name) => `b.${name} = s.${name}`).join(' AND ');
    await runner.query(`UPDATE ${building} AS b JOIN ${serving} AS s ON ${where} SET ${set}`);
  }
}
