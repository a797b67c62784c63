import type { QueryRunner } from 'typeorm';

export interface ForeignKey {
  readonly name: string;
  readonly definition: string;
}

/** @param schema The database; the connection's own when undefined. */
export async function isTable(runner: QueryRunner, schema: string | undefined, table: string): Promise<boolean> {
  const sql = 'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?';
  const [row] = await runner.query(sql, [schema ?? null, table]);
  return row !== undefined;
}

/** @param table Its quoted name. */
export async function foreignKeysOf(runner: QueryRunner, table: string): Promise<ForeignKey[]> {
  const [row] = await runner.query(`SHOW CREATE TABLE ${table}`);
  const lines = (row['Create Table'] as string).matchAll(/^\s*CONSTRAINT `((?:[^`]|``)+)` (FOREIGN KEY .*?),?$/gm);
  return [...lines].map(([, name = '', definition = '']) => ({ name: name.replaceAll('``', '`'), definition }));
}

/** @returns what belongs to a table and would not follow when another takes its name. Views go by the name. */
export async function obstaclesOf(runner: QueryRunner, schema: string | undefined, table: string): Promise<string[]> {
  const sql = `
    SELECT IF(TABLE_NAME = REFERENCED_TABLE_NAME, CONCAT('it refers to itself by the foreign key ', CONSTRAINT_NAME),
      CONCAT('the table ', TABLE_NAME, ' refers to it by the foreign key ', CONSTRAINT_NAME)) AS problem
    FROM information_schema.REFERENTIAL_CONSTRAINTS
    WHERE UNIQUE_CONSTRAINT_SCHEMA = COALESCE(?, DATABASE()) AND REFERENCED_TABLE_NAME = ?
    UNION SELECT CONCAT('it has the trigger ', TRIGGER_NAME) FROM information_schema.TRIGGERS
    WHERE EVENT_OBJECT_SCHEMA = COALESCE(?, DATABASE()) AND EVENT_OBJECT_TABLE = ? ORDER BY 1`;
  const rows: { problem: string }[] = await runner.query(sql, [schema ?? null, table, schema ?? null, table]);
  return rows.map(({ problem }) => problem);
}
