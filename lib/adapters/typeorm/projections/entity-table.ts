import { isDeepStrictEqual } from 'node:util';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Changes, InstanceId, SavedInstance, StateDefinition } from '../../../store/projection-store';
import type { Dialect } from '../dialect';
import type { Statement } from '../select-events';
import type { DialectName } from '../tables';
import { type EntityColumn, propertyValue, setPropertyValue } from './entity-column';
import { MissingEntityTableError, UnfitTableError } from './entity-errors';
import type { EntityGenerations, SwappedColumns } from './entity-generations';
import { type EntityModel, entityModel } from './entity-model';
import { MySqlEntityGenerations } from './entity-mysql-generations';
import { MySqlEntityStatements } from './entity-mysql-statements';
import { PostgresEntityGenerations } from './entity-postgres-generations';
import { PostgresEntityStatements } from './entity-postgres-statements';
import { EntityRows } from './entity-rows';
import { SqliteEntityGenerations } from './entity-sqlite-generations';
import { SqliteEntityStatements } from './entity-sqlite-statements';
import type { EntityStatements } from './entity-statements';
import { EntityTableNames } from './entity-table-names';
import { isMissingTable } from './failures';
import type { InstanceTable, Place } from './instance-table';

/**
 * The instances of a projection that is a TypeORM entity, in the entity's own table.
 *
 * Rows are read and written in bulk, by what the entity's metadata say of its columns. Entity listeners and subscribers are
 * not called. What TypeORM or the database fills in is left alone unless handlers set it: versions (1 for a new row), the
 * dates of creation, change and removal, generated columns; so are relations, whose columns only users write. A column with
 * a default has that default where a new instance has no value.
 */
export class EntityTable implements InstanceTable {
  private readonly model: EntityModel;
  private readonly rows: EntityRows;
  private readonly names: EntityTableNames;
  private readonly statements: EntityStatements;
  private readonly generations: EntityGenerations;

  constructor(
    dataSource: DataSource,
    dialectName: DialectName,
    readonly definition: StateDefinition,
    dialect: Dialect,
  ) {
    this.model = entityModel(dataSource, definition);
    this.rows = new EntityRows(this.model);
    this.names = new EntityTableNames(dataSource, dialectName, this.model.metadata);
    const served = this.names.of('serving');
    this.statements =
      dialectName === 'postgres'
        ? new PostgresEntityStatements(this.model, dialect, served)
        : statementsOf(dialectName, this.model);
    this.generations = generationsOf(dialectName, this.model, this.names);
  }

  async load(runner: QueryRunner, { role }: Place, ids: readonly InstanceId[]): Promise<Map<string, object>> {
    const found = new Map<string, object>();
    if (ids.length === 0) return found;
    const keys = ids.map((id) => this.rows.keyOf(id));
    const wanted = new Map(keys.map((key, index) => [this.textOf(key), ids[index] as InstanceId]));
    for (const row of await this.statements.load(runner, this.names.of(role), keys)) {
      const state = this.rows.instanceOf(row);
      // A database may take other keys for the same.
      const id = wanted.get(this.textOf(this.rows.keyOfState(state)));
      if (id === undefined) continue;
      this.identify(state, id);
      found.set(id.key, state);
    }
    return found;
  }

  async page(runner: QueryRunner, { role }: Place, last: object | undefined, limit: number): Promise<object[]> {
    const after = last && this.rows.keyOfState(last);
    const rows = await this.statements.page(runner, this.names.of(role), after, limit);
    return rows.map((row) => this.rows.instanceOf(row));
  }

  async save(runner: QueryRunner, { role }: Place, saved: readonly SavedInstance[]): Promise<void> {
    const table = this.names.of(role);
    for (const group of this.rows.inserted(saved.filter(({ isNew }) => isNew)))
      await this.statements.insert(runner, table, group, 'new');
    for (const group of this.rows.updated(saved.filter(({ isNew }) => !isNew))) {
      // Who removed a row by hand meanwhile has not removed the instance.
      if (!(await this.statements.update(runner, table, group))) await this.statements.insert(runner, table, group, 'missing');
    }
    for (const { state } of saved) this.rows.remember(state);
  }

  writes({ role }: Place, { saved, removed }: Pick<Changes, 'saved' | 'removed'>): readonly Statement[] | undefined {
    const writes = this.statements.writes?.(this.names.of(role), {
      removed: removed.map((id) => this.rows.keyOf(id)),
      inserted: this.rows.inserted(saved.filter(({ isNew }) => isNew)),
      updated: this.rows.updated(saved.filter(({ isNew }) => !isNew)),
    });
    if (writes !== undefined) for (const { state } of saved) this.rows.remember(state);
    return writes;
  }

  isSame(one: object, other: object): boolean {
    const decided = this.model.columns.filter(({ isOwn }) => !isOwn);
    return decided.every((column) => isDeepStrictEqual(propertyValue(column, one), propertyValue(column, other)));
  }

  async remove(runner: QueryRunner, { role }: Place, ids: readonly InstanceId[]): Promise<void> {
    if (ids.length === 0) return;
    const keys = ids.map((id) => this.rows.keyOf(id));
    await this.statements.remove(runner, this.names.of(role), keys);
  }

  async create(runner: QueryRunner, { role }: Place): Promise<void> {
    if (role === 'building') await this.generations.create(runner);
    else await this.checkEmpty(runner);
  }

  async drop(runner: QueryRunner, { role }: Place): Promise<void> {
    if (role === 'serving') await runner.query(`DELETE FROM ${this.names.of('serving')}`);
    else await this.generations.drop(runner, role);
  }

  async lock(runner: QueryRunner): Promise<void> {
    await this.generations.lock?.(runner);
  }

  promote(runner: QueryRunner): Promise<void> {
    return this.generations.promote(runner);
  }

  reopen(runner: QueryRunner): Promise<void> {
    return this.generations.reopen(runner);
  }

  /** Rows that no event has made would be taken for instances, and cannot be removed unasked. */
  private async checkEmpty(runner: QueryRunner): Promise<void> {
    const table = this.names.of('serving');
    const [row] = await runner.query(`SELECT 1 FROM ${table} LIMIT 1`).catch((error: unknown) => {
      if (!isMissingTable(error)) throw error;
      throw new MissingEntityTableError(this.definition.projection, table, { cause: error });
    });
    if (row !== undefined) throw new UnfitTableError(table, 'it has rows that this projection has not made. Empty it first');
  }

  /** An instance has the very ids that it was asked for by. */
  private identify(state: object, id: InstanceId): void {
    for (const key of this.model.keys) if (key.id >= 0) setPropertyValue(key, state, id.values[key.id]);
  }

  private textOf(key: readonly unknown[]): string {
    const texts = key.map((value, index) => keyText(this.model.keys[index] as EntityColumn, value));
    return texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts);
  }
}

/** The same text for values that a database gives back for each other by the type of the column. */
function keyText({ metadata }: EntityColumn, value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (value === true || value === false) return value ? '1' : '0';
  if (metadata.type === 'uuid') return String(value).toLowerCase();
  const isPadded = metadata.type === 'char' || metadata.type === 'character';
  return isPadded ? String(value).trimEnd() : String(value);
}

function statementsOf(dialectName: DialectName, model: EntityModel): EntityStatements {
  return dialectName === 'mysql' ? new MySqlEntityStatements(model) : new SqliteEntityStatements(model);
}

function generationsOf(dialectName: DialectName, { metadata, keys, columns }: EntityModel, names: EntityTableNames) {
  const written = new Set(columns.filter(({ isInserted, isUpdated }) => isInserted || isUpdated).map(({ name }) => name));
  const carried = metadata.columns.filter(
    ({ databaseName, isVirtualProperty, generatedType }) => !written.has(databaseName) && !isVirtualProperty && !generatedType,
  );
  const swapped: SwappedColumns = {
    keys: keys.map(({ name }) => names.quoted(name)),
    carried: carried.map(({ databaseName }) => names.quoted(databaseName)),
  };
  if (dialectName === 'postgres') return new PostgresEntityGenerations(names, swapped);
  if (dialectName === 'sqlite') return new SqliteEntityGenerations(names, swapped);
  return new MySqlEntityGenerations(
    names,
    swapped,
    metadata.foreignKeys.map(({ name }) => name),
  );
}
