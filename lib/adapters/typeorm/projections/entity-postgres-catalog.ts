import type { QueryRunner } from 'typeorm';

/** Something of a table that has a name of its own; what it is says which one of another table is its like. */
export interface Named {
  readonly name: string;
  readonly definition: string;
}

/** @returns what belongs to a table and would not follow when another takes its name. */
export async function obstaclesOf(runner: QueryRunner, table: string): Promise<string[]> {
  const sql = `
    SELECT 'the table ' || conrelid::regclass || ' refers to it by the foreign key ' || conname AS problem
      FROM pg_constraint WHERE contype = 'f' AND confrelid = $1::regclass AND conrelid <> confrelid
    UNION SELECT 'it refers to itself by the foreign key ' || conname
      FROM pg_constraint WHERE contype = 'f' AND confrelid = $1::regclass AND conrelid = confrelid
    UNION SELECT 'the view ' || r.ev_class::regclass || ' reads it'
      FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
      WHERE d.refobjid = $1::regclass AND d.refclassid = 'pg_class'::regclass AND r.ev_class <> $1::regclass
    UNION SELECT 'it has the rule ' || rulename FROM pg_rewrite WHERE ev_class = $1::regclass
    UNION SELECT 'it has the trigger ' || tgname FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal
    UNION SELECT 'it has the policy ' || polname FROM pg_policy WHERE polrelid = $1::regclass
    UNION SELECT 'it is partitioned, or inherits' FROM pg_class WHERE oid = $1::regclass
      AND (relkind <> 'r' OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = $1::regclass OR inhparent = $1::regclass))
    UNION SELECT 'it belongs to the publication ' || p.pubname
      FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1::regclass
    ORDER BY 1`;
  const rows: { problem: string }[] = await runner.query(sql, [table]);
  return rows.map(({ problem }) => problem);
}

export function indexesOf(runner: QueryRunner, table: string): Promise<Named[]> {
  // The definition without the names of the index and of the table.
  const sql = `SELECT c.relname AS name, concat_ws(' ', k.contype, i.indisunique, i.indisprimary,
      regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', '')) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = i.indrelid
    WHERE i.indrelid = $1::regclass ORDER BY c.oid`;
  return runner.query(sql, [table]);
}

/** The sequences of identity columns, which each table has for itself. */
export function sequencesOf(runner: QueryRunner, table: string): Promise<Named[]> {
  const sql = `SELECT s.relname AS name, d.refobjsubid::text AS definition FROM pg_depend d
      JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.refobjid = $1::regclass AND d.classid = 'pg_class'::regclass AND d.deptype = 'i' ORDER BY s.oid`;
  return runner.query(sql, [table]);
}

/** @returns the names of what is alike in two tables. */
export function paired(olds: readonly Named[], nexts: readonly Named[]): { old: string; next: string }[] {
  const left = [...nexts];
  return olds.flatMap(({ name, definition }) => {
    const index = left.findIndex((next) => next.definition === definition);
    const [next] = index < 0 ? [] : left.splice(index, 1);
    return next === undefined ? [] : [{ old: name, next: next.name }];
  });
}

/** @returns the statements that let everybody do with `to` what they may do with `from`, and that describe it likewise. */
export async function grantsOf(runner: QueryRunner, from: string, to: string): Promise<string[]> {
  const sql = `SELECT format('GRANT %s ON TABLE %s TO %s%s', a.privilege_type, $2::text,
      CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS sql
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::regclass AND a.grantee <> c.relowner
    UNION ALL SELECT format('COMMENT ON TABLE %s IS %L', $2::text, obj_description($1::regclass, 'pg_class'))
    WHERE obj_description($1::regclass, 'pg_class') IS NOT NULL`;
  const rows: { sql: string }[] = await runner.query(sql, [from, to]);
  return rows.map((row) => row.sql);
}
