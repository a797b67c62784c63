import type { StoredType, StoredTypesScan } from '../../store/stored-type';
import type { Connections } from './connections';
import type { DialectName, TableNames } from './tables';

type Row = Readonly<Record<string, unknown>>;

/**
 * @returns which names and versions are stored. The ends of each type are found by the index of types: it is entered once for
 * each type, and a row is read for the first and the newest event.
 */
export async function storedTypes(
  connections: Connections,
  names: TableNames,
  dialect: DialectName,
  scan: StoredTypesScan,
): Promise<readonly StoredType[]> {
  const { table, type, schema_version: version } = names.events;
  const all = `SELECT ${type} AS type, ${version} AS version, COUNT(*) AS count FROM ${table} GROUP BY ${type}, ${version}`;
  const sql = scan === 'all' ? all : endsOf(names, dialect);
  const rows = await connections.use((runner) => runner.query(sql) as Promise<Row[]>);
  const found = scan === 'all' ? rows.map(countedOf) : rows.flatMap(endsIn);
  return found.sort((a, b) => (a.type === b.type ? a.schemaVersion - b.schemaVersion : a.type < b.type ? -1 : 1));
}

function endsOf({ events: e }: TableNames, dialect: DialectName): string {
  const end = (order: string) =>
    `(SELECT x.${e.schema_version} FROM ${e.table} x WHERE x.${e.type} = t.type ORDER BY x.${e.position} ${order} LIMIT 1)`;
  const ends = `SELECT t.type AS type, ${end('ASC')} AS first, ${end('DESC')} AS newest`;
  // This database skips along the index by itself.
  if (dialect === 'mysql')
    return `${ends.replaceAll(' AS first', ' AS `first`')} FROM (SELECT DISTINCT ${e.type} AS type FROM ${e.table}) t`;
  const types = `SELECT MIN(${e.type}) FROM ${e.table}
    UNION ALL SELECT (SELECT MIN(x.${e.type}) FROM ${e.table} x WHERE x.${e.type} > t.type) FROM t WHERE t.type IS NOT NULL`;
  return `WITH RECURSIVE t(type) AS (${types}) ${ends} FROM t WHERE t.type IS NOT NULL`;
}

function countedOf({ type, version, count }: Row): StoredType {
  return { type: textOf(type), schemaVersion: Number(version), count: Number(count) };
}

function endsIn({ type, first, newest }: Row): StoredType[] {
  return [...new Set([Number(first), Number(newest)])].map((schemaVersion) => ({ type: textOf(type), schemaVersion }));
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString() : String(value);
}
