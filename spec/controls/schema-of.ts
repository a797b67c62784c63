import type { DataSource } from 'typeorm';

/** Everything that a database says about its tables, but those of TypeORM's own: a line for each thing. */
export async function schemaOf(dataSource: DataSource, schemas: readonly string[] = []): Promise<string[]> {
  const { type } = dataSource.options;
  const questions = type === 'postgres' ? ofPostgres(schemas) : type === 'better-sqlite3' ? ofSqlite : ofMySql;
  const lines: string[] = [];
  for (const question of questions) for (const row of await answerOf(dataSource, question)) lines.push(lineOf(row, schemas));
  return lines.filter((line) => !/"table":"(migrations|typeorm_metadata)/.test(line)).sort();
}

/** Asks again where PostgreSQL came upon a table that another spec was just dropping. */
async function answerOf(dataSource: DataSource, question: string, attempts = 5): Promise<object[]> {
  try {
    return await dataSource.query(question);
  } catch (error) {
    if (attempts === 1 || !/could not open relation with OID/.test(String(error))) throw error;
    return answerOf(dataSource, question, attempts - 1);
  }
}

/** Names of schemas differ by place. */
function lineOf(row: object, schemas: readonly string[]): string {
  let line = JSON.stringify(row).replaceAll(/\s+/g, ' ');
  for (const [index, schema] of schemas.entries()) line = line.replaceAll(schema, `schema ${index + 1}`);
  return line;
}

function ofPostgres(schemas: readonly string[]): readonly string[] {
  const list = schemas.length === 0 ? 'current_schema()' : schemas.map((schema) => `'${schema}'`).join(', ');
  return [
    `SELECT table_schema AS schema, table_name AS table, column_name, ordinal_position, column_default, is_nullable, data_type,
       character_maximum_length, collation_name, is_identity, is_generated
     FROM information_schema.columns WHERE table_schema IN (${list})`,
    `SELECT schemaname AS schema, tablename AS table, indexname, indexdef FROM pg_indexes WHERE schemaname IN (${list})`,
    `SELECT n.nspname AS schema, c.relname AS table, k.conname, pg_get_constraintdef(k.oid) AS definition
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN (${list})`,
    `SELECT n.nspname AS schema, c.relname AS table, s.relname AS sequence, q.data_type::text, q.start_value::text, q.increment_by::text,
       q.cache_size::text, q.cycle, d.deptype
     FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')
       JOIN pg_class c ON c.oid = d.refobjid JOIN pg_sequences q ON q.schemaname = n.nspname AND q.sequencename = s.relname
     WHERE s.relkind = 'S' AND n.nspname IN (${list})`,
    `SELECT n.nspname AS schema, p.proname, pg_get_functiondef(p.oid) AS definition
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN (${list})`,
  ];
}

const ofMySql: readonly string[] = [
  `SELECT TABLE_NAME AS \`table\`, ENGINE, ROW_FORMAT, TABLE_COLLATION, CREATE_OPTIONS, TABLE_COMMENT
   FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()`,
  `SELECT TABLE_NAME AS \`table\`, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE, COLUMN_TYPE, CHARACTER_SET_NAME,
     COLLATION_NAME, COLUMN_KEY, EXTRA, COLUMN_COMMENT
   FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()`,
  `SELECT TABLE_NAME AS \`table\`, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE
   FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()`,
  `SELECT TABLE_NAME AS \`table\`, CONSTRAINT_NAME, CONSTRAINT_TYPE
   FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = DATABASE()`,
];

const ofSqlite: readonly string[] = [
  `SELECT tbl_name AS "table", type, name, rtrim(sql) AS sql FROM sqlite_master WHERE tbl_name <> 'sqlite_sequence'`,
  `SELECT m.name AS "table", c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name <> 'sqlite_sequence'`,
];
