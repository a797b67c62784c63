import { complete, pageAfter } from './pages';
import { ask } from './server';
import type { Variant } from './variant';

const holders = `array(select virtualtransaction from pg_locks where locktype = 'relation' and mode = 'RowExclusiveLock'
    and relation = 'events'::regclass and database = (select oid from pg_database where datname = current_database()))`;

/**
 * Orders by position; at a hole waits for every transaction that then held a lock on the table for writing, as
 * `create index concurrently` does. Costs an append nothing. A prepared transaction's virtual id
 * changes when the server restarts, so a fence must not outlive the server.
 */
export const tableLockers: Variant = {
  name: 'table lockers',
  before: 'lock table events in row exclusive mode;',
  follow: (client) => {
    let last = 0;
    let safe = 0;
    let fence: { upTo: number; holders: string[] } | undefined;
    return async () => {
      const rows = await pageAfter(client, last);
      const taken = complete(rows, last, safe);
      last = Math.max(taken.at(-1)?.position ?? last, rows.length > 0 ? Math.min(safe, rows.at(-1)?.position ?? 0) : 0);
      if (taken.length === rows.length) return { rows: taken, again: rows.length > 0 };
      const [now] = await ask<{ most: string | null; holders: string[] }>(
        client,
        `select (select max(position) from events) as most, ${holders} as holders`,
      );
      const open = new Set(now?.holders);
      fence ??= { upTo: Number(now?.most ?? 0), holders: now?.holders ?? [] };
      const settled = fence.holders.every((holder) => !open.has(holder));
      if (settled) {
        safe = fence.upTo;
        fence = undefined;
      }
      return { rows: taken, again: taken.length > 0 || settled };
    };
  },
};
