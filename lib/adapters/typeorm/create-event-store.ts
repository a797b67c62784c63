import type { QueryRunner } from 'typeorm';
import { appendFunctions, createAppendFunctions } from './postgres-functions';
import type { SchemaChange } from './schema-change';
import { type DialectName, defaultPrefix, type TableNames, type TableOptions } from './tables';

/** The first tables of a store. */
export function createEventStore(dialect: DialectName, { schema, tablePrefix = defaultPrefix }: TableOptions): SchemaChange {
  return {
    name: 'CreateEventStore',
    timestamp: 1_763_683_200_000,
    async up(runner, names) {
      if (schema !== undefined) await createSchema(runner, schema);
      for (const sql of createTables[dialect](names, tablePrefix)) await runner.query(sql);
      if (dialect === 'postgres') await createFunctions(runner, names);
    },
    async down(runner, names) {
      if (dialect === 'postgres')
        for (const name of Object.values(appendFunctions(names))) await runner.query(`DROP FUNCTION IF EXISTS ${name}`);
      for (const { table } of tablesOf(dialect, names).reverse()) await runner.query(`DROP TABLE IF EXISTS ${table}`);
    },
  };
}

function tablesOf(dialect: DialectName, { events, tags, snapshots, tagSources, locks }: TableNames): { table: string }[] {
  return [events, tags, snapshots, tagSources, ...(dialect === 'mysql' ? [locks] : [])];
}

/** SQL, as TypeORM writes it for the entities. */
const createTables: Readonly<Record<DialectName, (names: TableNames, prefix: string) => string[]>> = {
  postgres: ({ events: e, tags: t, snapshots: s, tagSources: o }, prefix) => [
    `CREATE TABLE IF NOT EXISTS ${e.table} (${e.position} BIGSERIAL NOT NULL, ${e.stream} text NOT NULL, ${e.version} integer NOT NULL, ${e.id} text NOT NULL, ${e.type} text NOT NULL, ${e.schema_version} integer NOT NULL, ${e.time} character varying(27) NOT NULL, ${e.tags} text, ${e.metadata} text, ${e.data} text NOT NULL, CONSTRAINT "${prefix}events_pkey" PRIMARY KEY (${e.position}))`,
    ...createIndexes(e, prefix),
    `CREATE TABLE IF NOT EXISTS ${t.table} (${t.tag} text NOT NULL, ${t.position} bigint NOT NULL, ${t.type} text NOT NULL, CONSTRAINT "${prefix}tags_pkey" PRIMARY KEY (${t.tag}, ${t.position}))`,
    `CREATE TABLE IF NOT EXISTS ${s.table} (${s.key} text NOT NULL, ${s.revision} text NOT NULL, ${s.shape} text NOT NULL, ${s.version} integer NOT NULL, ${s.folded} integer NOT NULL, ${s.event_id} text NOT NULL, ${s.position} bigint NOT NULL, ${s.previous} bigint, ${s.state} text NOT NULL, ${s.time} character varying(27) NOT NULL, CONSTRAINT "${prefix}snapshots_pkey" PRIMARY KEY (${s.key}))`,
    `CREATE TABLE IF NOT EXISTS ${o.table} (${o.type} text NOT NULL, ${o.property} text NOT NULL, ${o.position} bigint NOT NULL, CONSTRAINT "${prefix}tag_sources_pkey" PRIMARY KEY (${o.type}, ${o.property}))`,
  ],
  mysql: ({ events: e, tags: t, snapshots: s, tagSources: o, locks: l }, prefix) => [
    `CREATE TABLE IF NOT EXISTS ${e.table} (${e.position} bigint NOT NULL, ${e.stream} varbinary(700) NOT NULL, ${e.version} int NOT NULL, ${e.id} varbinary(700) NOT NULL, ${e.type} varbinary(700) NOT NULL, ${e.schema_version} int NOT NULL, ${e.time} varchar(27) NOT NULL, ${e.tags} ${longText} NULL, ${e.metadata} ${longText} NULL, ${e.data} ${longText} NOT NULL, UNIQUE INDEX \`${prefix}events_stream_version\` (${e.stream}, ${e.version}), UNIQUE INDEX \`${prefix}events_id\` (${e.id}), INDEX \`${prefix}events_type_position\` (${e.type}, ${e.position}), PRIMARY KEY (${e.position})) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${t.table} (${t.tag} varbinary(700) NOT NULL, ${t.position} bigint NOT NULL, ${t.type} varbinary(700) NOT NULL, PRIMARY KEY (${t.tag}, ${t.position})) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${s.table} (${s.key} varbinary(700) NOT NULL, ${s.revision} varbinary(700) NOT NULL, ${s.shape} varbinary(700) NOT NULL, ${s.version} int NOT NULL, ${s.folded} int NOT NULL, ${s.event_id} varbinary(700) NOT NULL, ${s.position} bigint NOT NULL, ${s.previous} bigint NULL, ${s.state} ${longText} NOT NULL, ${s.time} varchar(27) NOT NULL, PRIMARY KEY (${s.key})) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${o.table} (${o.type} varbinary(700) NOT NULL, ${o.property} varbinary(700) NOT NULL, ${o.position} bigint NOT NULL, PRIMARY KEY (${o.type}, ${o.property})) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${l.table} (${l.id} int NOT NULL, PRIMARY KEY (${l.id})) ENGINE=InnoDB`,
    `INSERT IGNORE INTO ${l.table} (${l.id}) VALUES (1)`,
  ],
  sqlite: ({ events: e, tags: t, snapshots: s, tagSources: o }, prefix) => [
    `CREATE TABLE IF NOT EXISTS ${e.table} (${e.position} integer PRIMARY KEY AUTOINCREMENT NOT NULL, ${e.stream} text NOT NULL, ${e.version} integer NOT NULL, ${e.id} text NOT NULL, ${e.type} text NOT NULL, ${e.schema_version} integer NOT NULL, ${e.time} varchar(27) NOT NULL, ${e.tags} text, ${e.metadata} text, ${e.data} text NOT NULL)`,
    ...createIndexes(e, prefix),
    `CREATE TABLE IF NOT EXISTS ${t.table} (${t.tag} text NOT NULL, ${t.position} integer NOT NULL, ${t.type} text NOT NULL, PRIMARY KEY (${t.tag}, ${t.position})) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS ${s.table} (${s.key} text PRIMARY KEY NOT NULL, ${s.revision} text NOT NULL, ${s.shape} text NOT NULL, ${s.version} integer NOT NULL, ${s.folded} integer NOT NULL, ${s.event_id} text NOT NULL, ${s.position} integer NOT NULL, ${s.previous} integer, ${s.state} text NOT NULL, ${s.time} varchar(27) NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS ${o.table} (${o.type} text NOT NULL, ${o.property} text NOT NULL, ${o.position} integer NOT NULL, PRIMARY KEY (${o.type}, ${o.property}))`,
  ],
};

const longText = 'longtext CHARACTER SET "utf8mb4" COLLATE "utf8mb4_bin"';

function createIndexes(e: TableNames['events'], prefix: string): string[] {
  return [
    `CREATE UNIQUE INDEX IF NOT EXISTS "${prefix}events_stream_version" ON ${e.table} (${e.stream}, ${e.version})`,
    `CREATE UNIQUE INDEX IF NOT EXISTS "${prefix}events_id" ON ${e.table} (${e.id})`,
    `CREATE INDEX IF NOT EXISTS "${prefix}events_type_position" ON ${e.table} (${e.type}, ${e.position})`,
  ];
}

async function createSchema(runner: QueryRunner, schema: string): Promise<void> {
  // Asked first: `IF NOT EXISTS` wants the right to create one also where it is there.
  const [found] = await runner.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (found === undefined) await runner.createSchema(schema);
}

/** For a role that may create tables: the role of the application need not be allowed to create functions. */
async function createFunctions(runner: QueryRunner, names: TableNames): Promise<void> {
  const { table, position } = names.events;
  const [row] = await runner.query('SELECT pg_get_serial_sequence($1, $2) AS sequence', [table, position.slice(1, -1)]);
  for (const sql of createAppendFunctions(names, row.sequence)) await runner.query(sql);
}
