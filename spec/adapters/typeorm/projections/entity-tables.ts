import type { DataSource, DataSourceOptions, QueryRunner } from 'typeorm';
import { dialectOf } from '../../../../lib/adapters/typeorm/dialect-of';
import { EntityTable } from '../../../../lib/adapters/typeorm/projections/entity-table';
import type { Place } from '../../../../lib/adapters/typeorm/projections/instance-table';
import { dialectNameOf, tableNames } from '../../../../lib/adapters/typeorm/tables';
import type { Class } from '../../../../lib/events/event-class';
import type { InstanceId, Role, SavedInstance, StateDefinition } from '../../../../lib/store/projection-store';
import type { Database, DatabasePlace } from '../../../controls/databases';
import { ownPlace } from '../../../controls/own-place';

export function definitionOf(target: Class, ids: readonly string[]): StateDefinition {
  return {
    projection: target.name,
    target,
    kind: 'entity',
    ids,
    create: (id) => Object.assign(Reflect.construct(target as new () => object, []), idsOf(ids, id)),
    encode: JSON.stringify,
    decode: (_, text) => JSON.parse(text) as object,
    idOf: (state) => instanceId(ids.map((id) => (state as Record<string, string>)[id] as string)),
  };
}

function idsOf(ids: readonly string[], { values }: InstanceId): object {
  return Object.fromEntries(ids.map((id, index) => [id, values[index]]));
}

export function instanceId(values: InstanceId['values']): InstanceId {
  return { key: JSON.stringify(values.map(String)), values };
}

/** A table of an entity, on a database of its own. */
export class TableOnDatabase<T extends object> {
  private constructor(
    readonly place: DatabasePlace,
    readonly dataSource: DataSource,
    readonly definition: StateDefinition,
    readonly table: EntityTable,
    readonly runner: QueryRunner,
  ) {}

  static async open<T extends object>(
    database: Database,
    target: new () => T,
    ids: readonly string[],
    others: readonly Class[] = [],
    options: Partial<DataSourceOptions> = {},
  ): Promise<TableOnDatabase<T>> {
    const place = await ownPlace(database);
    const dataSource = await place.connect({
      entities: [target, ...others],
      ...(place.tables.schema !== undefined && { schema: place.tables.schema }),
      // PGlite has no other.
      ...(place.type === 'postgres' && { uuidExtension: 'pgcrypto', installExtensions: false }),
      ...options,
    } as Partial<DataSourceOptions>);
    const definition = definitionOf(target as Class, ids);
    const dialect = dialectOf(dataSource, tableNames(dataSource, {}), true);
    const table = new EntityTable(dataSource, dialectNameOf(dataSource.options.type), definition, dialect);
    return new TableOnDatabase<T>(place, dataSource, definition, table, dataSource.createQueryRunner());
  }

  readonly keyOf = (state: object): string => this.definition.idOf(state).key;

  at(role: Role): Place {
    return { projection: this.definition.projection, role, generation: undefined };
  }

  make(values: InstanceId['values'], change: Partial<T> = {}): T {
    return Object.assign(this.definition.create(instanceId(values)), change) as T;
  }

  async save(states: readonly T[], how: 'new' | 'changed', role: Role = 'serving'): Promise<void> {
    const saved: SavedInstance[] = states.map((state) => ({ id: this.definition.idOf(state), state, isNew: how === 'new' }));
    await this.table.save(this.runner, this.at(role), saved);
  }

  async load(keys: readonly InstanceId['values'][], role: Role = 'serving'): Promise<(T | undefined)[]> {
    const ids = keys.map(instanceId);
    const found = await this.table.load(this.runner, this.at(role), ids);
    return ids.map(({ key }) => found.get(key) as T | undefined);
  }

  create(role: Role = 'building'): Promise<void> {
    return this.transact(() => this.table.create(this.runner, this.at(role)));
  }

  promote(): Promise<void> {
    return this.transact(() => this.table.promote(this.runner));
  }

  reopen(): Promise<void> {
    return this.transact(() => this.table.reopen(this.runner));
  }

  drop(role: Role): Promise<void> {
    return this.transact(() => this.table.drop(this.runner, this.at(role)));
  }

  /** @returns the first instances of a generation. */
  async first(role: Role): Promise<T[]> {
    return (await this.table.page(this.runner, this.at(role), undefined, 10)) as T[];
  }

  /** @returns what is left of an instance after it was kept and loaded again. */
  async roundTrip(state: T): Promise<T | undefined> {
    await this.save([state], 'new');
    const [loaded] = await this.load([this.definition.idOf(state).values]);
    return loaded;
  }

  /** Runs `work` in a transaction; MySQL would end that with the first change of a table. */
  async transact<R>(work: () => Promise<R>): Promise<R> {
    const isOpen = this.dataSource.options.type === 'postgres' || this.dataSource.options.type === 'better-sqlite3';
    if (isOpen) await this.runner.startTransaction();
    try {
      const result = await work();
      if (isOpen) await this.runner.commitTransaction();
      return result;
    } catch (error) {
      if (isOpen) await this.runner.rollbackTransaction();
      throw error;
    }
  }

  /** What TypeORM would change to have the tables of the entities. */
  async changes(): Promise<string[]> {
    const { upQueries } = await this.dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  async close(): Promise<void> {
    await this.runner.release();
    await this.place.drop();
  }
}
