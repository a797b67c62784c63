import type { Position } from '../../../events/recorded-event';
import type { ProjectionAccess } from './projection-access';
import { Values } from './sql-words';

/** @returns how many events of `types` follow a position, and when the first of them was recorded. */
export async function eventsBehind(
  access: ProjectionAccess,
  types: readonly string[],
  after: Position | undefined,
): Promise<{ events: number; since: string | undefined }> {
  if (types.length === 0) return { events: 0, since: undefined };
  const { words, names } = access;
  const { events: e } = names;
  const values = new Values(words);
  const listed = types.map((type) => values.key(type)).join(', ');
  const from = `FROM ${e.table} WHERE ${e.type} IN (${listed}) AND ${e.position} > ${values.bind(Number(after ?? 0))}`;
  const counting = `SELECT COUNT(*) AS events, MIN(${e.position}) AS first ${from}`;
  const [row] = await access.select({ sql: counting, parameters: values.list, isFrequent: false });
  if (row?.['first'] == null) return { events: 0, since: undefined };
  const time = new Values(words);
  const sql = `SELECT ${e.time} AS time FROM ${e.table} WHERE ${e.position} = ${time.bind(Number(row['first']))}`;
  const [first] = await access.select({ sql, parameters: time.list, isFrequent: false });
  return { events: Number(row['events']), since: first && String(first['time']) };
}
