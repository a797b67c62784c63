import type { SchemaChange } from './schema-change';
import { type DialectName, defaultPrefix, type TableNames, type TableOptions } from './tables';

/** The tables of projections: how far each is, what it keeps, and what has failed. */
export function addProjections(dialect: DialectName, { tablePrefix = defaultPrefix }: TableOptions): SchemaChange {
  return {
    name: 'AddProjections',
    timestamp: 1_795_219_200_000,
    async up(runner, names) {
      for (const sql of createTables[dialect](names, tablePrefix)) await runner.query(sql);
    },
    async down(runner, { parked, documents, projections }) {
      for (const { table } of [parked, documents, projections]) await runner.query(`DROP TABLE IF EXISTS ${table}`);
    },
  };
}

/** SQL, as TypeORM writes it for the entities. */
const createTables: Readonly<Record<DialectName, (names: TableNames, prefix: string) => string[]>> = {
  postgres: ({ projections: p, documents: d, parked: q }, prefix) => [
    `CREATE TABLE IF NOT EXISTS ${p.table} (${p.projection} text NOT NULL, ${p.generation} integer NOT NULL, ${p.version} integer NOT NULL, ${p.kind} character varying(10) NOT NULL, ${p.role} character varying(10) NOT NULL, ${p.checkpoint} bigint, ${p.token} bigint NOT NULL, ${p.owner} text, ${p.lease_until} bigint, ${p.is_paused} integer NOT NULL, ${p.failure} text, ${p.events_per_second} double precision NOT NULL, CONSTRAINT "${prefix}projections_pkey" PRIMARY KEY (${p.projection}, ${p.generation}))`,
    `CREATE TABLE IF NOT EXISTS ${d.table} (${d.projection} text NOT NULL, ${d.generation} integer NOT NULL, ${d.key} text NOT NULL, ${d.ids} text NOT NULL, ${d.state} text NOT NULL, CONSTRAINT "${prefix}documents_pkey" PRIMARY KEY (${d.projection}, ${d.generation}, ${d.key}))`,
    `CREATE TABLE IF NOT EXISTS ${q.table} (${q.projection} text NOT NULL, ${q.generation} integer NOT NULL, ${q.key} text NOT NULL, ${q.position} bigint NOT NULL, ${q.ids} text NOT NULL, ${q.error} text, ${q.stack} text, ${q.attempts} integer, ${q.first_failed_at} character varying(27), ${q.last_failed_at} character varying(27), ${q.retry_at} character varying(27), CONSTRAINT "${prefix}parked_pkey" PRIMARY KEY (${q.projection}, ${q.generation}, ${q.key}, ${q.position}))`,
  ],
  mysql: ({ projections: p, documents: d, parked: q }) => [
    `CREATE TABLE IF NOT EXISTS ${p.table} (${p.projection} varbinary(700) NOT NULL, ${p.generation} int NOT NULL, ${p.version} int NOT NULL, ${p.kind} varchar(10) NOT NULL, ${p.role} varchar(10) NOT NULL, ${p.checkpoint} bigint NULL, ${p.token} bigint NOT NULL, ${p.owner} varbinary(700) NULL, ${p.lease_until} bigint NULL, ${p.is_paused} int NOT NULL, ${p.failure} ${longText} NULL, ${p.events_per_second} double NOT NULL, PRIMARY KEY (${p.projection}, ${p.generation})) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${d.table} (${d.projection} varbinary(700) NOT NULL, ${d.generation} int NOT NULL, ${d.key} varbinary(700) NOT NULL, ${d.ids} ${longText} NOT NULL, ${d.state} ${longText} NOT NULL, PRIMARY KEY (${d.projection}, ${d.generation}, ${d.key})) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${q.table} (${q.projection} varbinary(700) NOT NULL, ${q.generation} int NOT NULL, ${q.key} varbinary(700) NOT NULL, ${q.position} bigint NOT NULL, ${q.ids} ${longText} NOT NULL, ${q.error} ${longText} NULL, ${q.stack} ${longText} NULL, ${q.attempts} int NULL, ${q.first_failed_at} varchar(27) NULL, ${q.last_failed_at} varchar(27) NULL, ${q.retry_at} varchar(27) NULL, PRIMARY KEY (${q.projection}, ${q.generation}, ${q.key}, ${q.position})) ENGINE=InnoDB`,
  ],
  sqlite: ({ projections: p, documents: d, parked: q }) => [
    `CREATE TABLE IF NOT EXISTS ${p.table} (${p.projection} text NOT NULL, ${p.generation} integer NOT NULL, ${p.version} integer NOT NULL, ${p.kind} varchar(10) NOT NULL, ${p.role} varchar(10) NOT NULL, ${p.checkpoint} integer, ${p.token} integer NOT NULL, ${p.owner} text, ${p.lease_until} integer, ${p.is_paused} integer NOT NULL, ${p.failure} text, ${p.events_per_second} real NOT NULL, PRIMARY KEY (${p.projection}, ${p.generation}))`,
    `CREATE TABLE IF NOT EXISTS ${d.table} (${d.projection} text NOT NULL, ${d.generation} integer NOT NULL, ${d.key} text NOT NULL, ${d.ids} text NOT NULL, ${d.state} text NOT NULL, PRIMARY KEY (${d.projection}, ${d.generation}, ${d.key}))`,
    `CREATE TABLE IF NOT EXISTS ${q.table} (${q.projection} text NOT NULL, ${q.generation} integer NOT NULL, ${q.key} text NOT NULL, ${q.position} integer NOT NULL, ${q.ids} text NOT NULL, ${q.error} text, ${q.stack} text, ${q.attempts} integer, ${q.first_failed_at} varchar(27), ${q.last_failed_at} varchar(27), ${q.retry_at} varchar(27), PRIMARY KEY (${q.projection}, ${q.generation}, ${q.key}, ${q.position}))`,
  ],
};

const longText = 'longtext CHARACTER SET "utf8mb4" COLLATE "utf8mb4_bin"';
