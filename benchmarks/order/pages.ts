import type { Client } from 'pg';
import { ask } from './server';
import type { Row } from './variant';

/** The most rows that a reader takes at once. */
export const pageSize = 500;

interface Raw {
  position: string;
  stream: string;
  version: number;
}

/** The next page of the log by position. */
export async function pageAfter(client: Client, position: number, limit: number = pageSize): Promise<Row[]> {
  const rows = await ask<Raw>(
    client,
    'select position, stream, version from events where position > $1 order by position limit $2',
    [position, limit],
  );
  return rows.map(toRow);
}

export function toRow({ position, stream, version }: Raw): Row {
  return { position: Number(position), stream, version };
}

/** The rows that a reader may hand on: those up to `safe`, and those that follow the last without a hole. */
export function complete(rows: readonly Row[], last: number, safe: number): Row[] {
  const taken: Row[] = [];
  let next = Math.max(last, 0) + 1;
  for (const row of rows) {
    if (row.position > safe && row.position !== next) break;
    taken.push(row);
    next = row.position + 1;
  }
  return taken;
}
