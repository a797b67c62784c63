import { type DataSource, EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import { InvalidArgumentError } from '../../events/invalid-argument-error';
import { UnsupportedDatabaseError } from './typeorm-errors';

/** The databases that events are kept in. */
export type DialectName = 'postgres' | 'mysql' | 'sqlite';

/** Where the store's tables lie. Give the same to the store, to its entities and to its migrations. */
export interface TableOptions {
  /** The schema in PostgreSQL; the DataSource's, or else the connection's own, unless given. Other databases have none. */
  readonly schema?: string;
  /** What the names of the tables, their indexes and the functions begin with: `eventfold_` unless given. */
  readonly tablePrefix?: string;
}

export const defaultPrefix = 'eventfold_';

/** A row of the events table. */
export interface EventRow {
  position: string;
  stream: string;
  version: number;
  id: string;
  type: string;
  schema_version: number;
  time: string;
  tags: string | null;
  metadata: string | null;
  data: string;
}

/** A row of the index of tags. */
export interface TagRow {
  tag: string;
  position: string;
  type: string;
}

/** A row of the snapshots. */
export interface SnapshotRow {
  key: string;
  revision: string;
  shape: string;
  version: number;
  folded: number;
  event_id: string;
  position: string;
  previous: string | null;
  state: string;
  time: string;
}

/** What the index of tags is known to cover. */
export interface TagSourceRow {
  type: string;
  property: string;
  position: string;
}

/** How far a generation of a projection is, and who runs it. */
export interface ProjectionRow {
  projection: string;
  generation: number;
  version: number;
  /** Where its instances are. */
  kind: string;
  /** A role, or in MySQL what a swap of tables that is under way makes of it. */
  role: string;
  checkpoint: string | null;
  token: string;
  owner: string | null;
  /** In milliseconds since 1970, on the clock of the database. */
  lease_until: string | null;
  is_paused: number;
  failure: string | null;
  events_per_second: number;
}

/** An instance of a projection without a table of its own. */
export interface DocumentRow {
  projection: string;
  generation: number;
  key: string;
  ids: string;
  state: string;
}

/** An event that an instance of a projection could not take, or one that waits behind such a one and has no error. */
export interface ParkedRow {
  projection: string;
  generation: number;
  key: string;
  position: string;
  ids: string;
  error: string | null;
  stack: string | null;
  attempts: number | null;
  first_failed_at: string | null;
  last_failed_at: string | null;
  retry_at: string | null;
}

/** The one row that appends lock, where positions are taken under a lock. */
export interface LockRow {
  id: number;
}

/** Columns by name; `column` is what they are called in the database. */
type Columns<Row> = { [K in keyof Row]: EntitySchemaColumnOptions };

interface Definition<Row> {
  readonly table: string;
  readonly columns: Columns<Row>;
  readonly indices?: readonly { readonly columns: readonly (keyof Row & string)[]; readonly isUnique: boolean }[];
  readonly withoutRowid?: boolean;
}

/** All tables of a store, as TypeORM knows them. */
export interface Definitions {
  readonly events: Definition<EventRow>;
  readonly tags: Definition<TagRow>;
  readonly snapshots: Definition<SnapshotRow>;
  readonly tagSources: Definition<TagSourceRow>;
  readonly projections: Definition<ProjectionRow>;
  readonly documents: Definition<DocumentRow>;
  readonly parked: Definition<ParkedRow>;
  readonly locks?: Definition<LockRow>;
}

const dialectByType: Readonly<Record<string, DialectName>> = {
  postgres: 'postgres',
  mysql: 'mysql',
  mariadb: 'mysql',
  'better-sqlite3': 'sqlite',
};

/** @throws {@link UnsupportedDatabaseError} for a type of DataSource that no dialect is for. */
export function dialectNameOf(type: DataSource['options']['type']): DialectName {
  const name = dialectByType[type];
  if (name === undefined) throw new UnsupportedDatabaseError(String(type), Object.keys(dialectByType));
  return name;
}

/**
 * Makes the entities of a store's tables, to be listed among the `entities` of a DataSource.
 *
 * @param type The `type` of the DataSource.
 * @throws {@link UnsupportedDatabaseError} for a type of DataSource that there is no dialect for.
 * @throws {@link InvalidArgumentError} when a schema is given to a database that has none.
 *
 * @example
 * ```ts
 * new DataSource({ type: 'postgres', entities: [User, ...eventStoreEntities('postgres')], synchronize: true });
 * ```
 */
export function eventStoreEntities(type: DataSource['options']['type'], options: TableOptions = {}): EntitySchema[] {
  const definitions = definitionsFor(dialectNameOf(type), options);
  return (Object.values(definitions) as Definition<object>[]).map((definition) => entityOf(definition, options));
}

/** The name of an entity, by which a DataSource finds its metadata. */
function entityName(table: string, { schema }: TableOptions): string {
  return schema === undefined ? table : `${schema}.${table}`;
}

/** @throws {@link InvalidArgumentError} when a schema is given to a database that has none: the tables would lie elsewhere. */
export function definitionsFor(dialect: DialectName, { schema, tablePrefix = defaultPrefix }: TableOptions): Definitions {
  if (schema !== undefined && dialect !== 'postgres')
    throw new InvalidArgumentError(
      `Only PostgreSQL has schemas: give a tablePrefix instead of schema "${schema}" to tell stores apart.`,
    );
  const { key, text, number, count, rate, serial } = columnTypes[dialect];
  const primary = (name: string): EntitySchemaColumnOptions => ({
    type: key,
    primary: true,
    primaryKeyConstraintName: `${tablePrefix}${name}_pkey`,
    ...length(dialect),
  });
  const generationOf = (name: string): EntitySchemaColumnOptions => ({
    type: count,
    primary: true,
    primaryKeyConstraintName: `${tablePrefix}${name}_pkey`,
  });
  const keyColumn: EntitySchemaColumnOptions = { type: key, ...length(dialect) };
  const time = { type: 'varchar', length: 27 } as const;
  const optional = { nullable: true };
  return {
    events: {
      table: `${tablePrefix}events`,
      columns: {
        position: { ...serial, primary: true, primaryKeyConstraintName: `${tablePrefix}events_pkey` },
        stream: keyColumn,
        version: { type: count },
        id: keyColumn,
        type: keyColumn,
        schema_version: { type: count },
        time,
        tags: { ...text, ...optional },
        metadata: { ...text, ...optional },
        data: text,
      },
      indices: [
        { columns: ['stream', 'version'], isUnique: true },
        { columns: ['id'], isUnique: true },
        { columns: ['type', 'position'], isUnique: false },
      ],
    },
    tags: {
      table: `${tablePrefix}tags`,
      columns: {
        tag: primary('tags'),
        position: { type: number, primary: true, primaryKeyConstraintName: `${tablePrefix}tags_pkey` },
        type: keyColumn,
      },
      withoutRowid: true,
    },
    snapshots: {
      table: `${tablePrefix}snapshots`,
      columns: {
        key: primary('snapshots'),
        revision: keyColumn,
        shape: keyColumn,
        version: { type: count },
        folded: { type: count },
        event_id: keyColumn,
        position: { type: number },
        previous: { type: number, ...optional },
        state: text,
        time,
      },
    },
    tagSources: {
      table: `${tablePrefix}tag_sources`,
      columns: { type: primary('tag_sources'), property: primary('tag_sources'), position: { type: number } },
    },
    projections: {
      table: `${tablePrefix}projections`,
      columns: {
        projection: primary('projections'),
        generation: generationOf('projections'),
        version: { type: count },
        kind: { type: 'varchar', length: 10 },
        role: { type: 'varchar', length: 10 },
        checkpoint: { type: number, ...optional },
        token: { type: number },
        owner: { ...keyColumn, ...optional },
        lease_until: { type: number, ...optional },
        is_paused: { type: count },
        failure: { ...text, ...optional },
        events_per_second: { type: rate },
      },
    },
    documents: {
      table: `${tablePrefix}documents`,
      columns: {
        projection: primary('documents'),
        generation: generationOf('documents'),
        key: primary('documents'),
        ids: text,
        state: text,
      },
    },
    parked: {
      table: `${tablePrefix}parked`,
      columns: {
        projection: primary('parked'),
        generation: generationOf('parked'),
        key: primary('parked'),
        position: { type: number, primary: true, primaryKeyConstraintName: `${tablePrefix}parked_pkey` },
        ids: text,
        error: { ...text, ...optional },
        stack: { ...text, ...optional },
        attempts: { type: count, ...optional },
        first_failed_at: { ...time, ...optional },
        last_failed_at: { ...time, ...optional },
        retry_at: { ...time, ...optional },
      },
    },
    ...(dialect === 'mysql' && {
      locks: { table: `${tablePrefix}locks`, columns: { id: { type: count, primary: true } } },
    }),
  };
}

/**
 * Keys are compared byte by byte: MySQL's collations take `a` for `A`, and `a` for `a `. What a text of MySQL can hold
 * is not left to the settings of the database.
 */
const columnTypes = {
  postgres: {
    key: 'text',
    text: { type: 'text' },
    number: 'bigint',
    count: 'integer',
    rate: 'double precision',
    serial: { type: 'bigint', generated: 'increment' },
  },
  mysql: {
    key: 'varbinary',
    text: { type: 'longtext', charset: 'utf8mb4', collation: 'utf8mb4_bin' },
    number: 'bigint',
    count: 'integer',
    rate: 'double',
    serial: { type: 'bigint' },
  },
  sqlite: {
    key: 'text',
    text: { type: 'text' },
    number: 'integer',
    count: 'integer',
    rate: 'real',
    serial: { type: 'integer', generated: 'increment' },
  },
} as const;

/** The longest stream, type, id or tag in MySQL, in bytes. */
export const longestKey = 700;

function length(dialect: DialectName): { length?: number } {
  return dialect === 'mysql' ? { length: longestKey } : {};
}

function entityOf(
  { table, columns, indices = [], withoutRowid = false }: Definition<object>,
  options: TableOptions,
): EntitySchema {
  return new EntitySchema({
    name: entityName(table, options),
    tableName: table,
    ...(options.schema !== undefined && { schema: options.schema }),
    columns: columns as Record<string, EntitySchemaColumnOptions>,
    indices: indices.map(({ columns: names, isUnique }) => ({
      name: `${table}_${names.join('_')}`,
      columns: [...names],
      unique: isUnique,
    })),
    withoutRowid,
  });
}

/** Quoted names, for SQL. */
export type TableNames = {
  readonly [T in keyof Definitions]-?: { readonly table: string } & Readonly<
    Record<keyof NonNullable<Definitions[T]>['columns'], string>
  >;
};

/** @returns the names that the tables and columns have in this DataSource: a naming strategy or a prefix may change them. */
export function tableNames(dataSource: DataSource, options: TableOptions): TableNames {
  const definitions = definitionsFor(dialectNameOf(dataSource.options.type), options);
  const names = Object.entries(definitions as unknown as Record<string, Definition<object>>).map(([key, definition]) => {
    return [key, namesOf(dataSource, definition, options)];
  });
  return Object.fromEntries(names) as TableNames;
}

/** As TypeORM names what is among its entities, so that they need not be: migrations make the tables, too. */
function namesOf(dataSource: DataSource, definition: Definition<object>, options: TableOptions): Record<string, string> {
  const { namingStrategy, driver } = dataSource;
  const { entityPrefix, schema = undefined } = dataSource.options as { entityPrefix?: string; schema?: string };
  const quote = (name: string): string => driver.escape(name);
  const plainName = namingStrategy.tableName(entityName(definition.table, options), definition.table);
  const tableName = entityPrefix ? namingStrategy.prefixTableName(entityPrefix, plainName) : plainName;
  const columns = Object.keys(definition.columns).map((key) => {
    return [key, quote(namingStrategy.columnName(key, undefined, []))];
  });
  const path = driver.options.type === 'postgres' ? [options.schema ?? schema, tableName] : [tableName];
  const table = path.flatMap((part) => (part ? [quote(part)] : [])).join('.');
  return { table, ...Object.fromEntries(columns) };
}
