import type { DataSource, DataSourceOptions } from 'typeorm';
import { type Class, nameOf } from '../../events/event-class';
import type { EventStore } from '../../store/event-store';
import type { EventSourcingModuleOptions } from './module-options';
import { ModuleStartError } from './module-start-error';
import { entitiesAmong, type TypeOrmPackages, typeOrmPackages } from './typeorm-packages';

/** The DataSource of `@nestjs/typeorm` that was looked for before the options were known. */
export interface FoundDataSource {
  /** Undefined where none was looked for. */
  readonly name: string | undefined;
  /** Undefined where there is none of that name. */
  readonly injected: DataSource | undefined;
}

/** What a store is made of. */
export interface StoreParts {
  readonly name: string;
  readonly options: EventSourcingModuleOptions;
  readonly found: FoundDataSource;
  readonly classes: readonly Class[];
}

/** Where an instance keeps its events, and the DataSource that was made for it alone. */
export interface ModuleStore {
  readonly store: EventStore;
  readonly ownDataSource?: DataSource;
}

/** @throws {@link ModuleStartError} when there is nowhere to keep events. */
export async function makeStore({ name, options, found, classes }: StoreParts): Promise<ModuleStore> {
  const { store, dataSource = true, storeOptions } = options;
  if (store !== undefined) return { store };
  const packages = typeOrmPackages();
  if (packages === undefined)
    throw new ModuleStartError(name, 'It was given no store. Give store: new InMemoryEventStore(), or install typeorm.');
  if (typeof dataSource === 'object' && !isDataSource(dataSource, packages)) {
    const own = await connect(dataSource, options, classes, packages);
    return { store: new packages.stores.TypeOrmEventStore(own, storeOptions), ownDataSource: own };
  }
  return { store: new packages.stores.TypeOrmEventStore(foundDataSource(name, dataSource, found), storeOptions) };
}

function foundDataSource(name: string, given: true | string | DataSource, found: FoundDataSource): DataSource {
  if (typeof given === 'object') return given;
  const { injected } = found;
  if (typeof given === 'string' && given !== found.name)
    throw new ModuleStartError(
      name,
      `Its factory gives dataSource "${given}", which has to be known before. Give it to forRootAsync itself, beside useFactory.`,
    );
  if (injected !== undefined) return injected;
  if (given !== true && typeof given !== 'string')
    throw new ModuleStartError(name, `dataSource is true, a name, a DataSource or its options, not ${nameOf(given)}.`);
  const wanted = typeof given === 'string' ? `DataSource "${given}"` : 'DataSource';
  throw new ModuleStartError(
    name,
    `It finds no ${wanted} of @nestjs/typeorm to keep events in. Import TypeOrmModule.forRoot({ … }), or give store or dataSource.`,
  );
}

/** Connects to a database of the instance's own: with the tables of the store, and those of entity projections. */
async function connect(
  given: DataSourceOptions,
  { storeOptions = {} }: EventSourcingModuleOptions,
  classes: readonly Class[],
  packages: TypeOrmPackages,
): Promise<DataSource> {
  const { eventStoreEntities, eventStoreMigrations } = packages.stores;
  const { schema, tablePrefix } = storeOptions;
  const tables = { ...(schema !== undefined && { schema }), ...(tablePrefix !== undefined && { tablePrefix }) };
  const entities = [
    ...listOf(given.entities),
    ...eventStoreEntities(given.type as never, tables),
    ...entitiesAmong(classes, packages),
  ];
  const migrations = [...eventStoreMigrations(given.type as never, tables), ...listOf(given.migrations)];
  const options = { ...given, entities: [...new Set(entities)], migrations } as DataSourceOptions;
  return new packages.typeorm.DataSource(options).initialize();
}

function isDataSource(given: DataSource | DataSourceOptions, { typeorm }: TypeOrmPackages): given is DataSource {
  return given instanceof typeorm.DataSource || 'createQueryRunner' in given;
}

function listOf(given: object | undefined): unknown[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? given : Object.values(given);
}
