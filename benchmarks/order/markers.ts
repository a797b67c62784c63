import type { Client } from 'pg';
import { complete, pageAfter } from './pages';
import { ask } from './server';
import type { Follow, Variant } from './variant';

/** The upper 16 bits of the advisory keys that this experiment takes; the lower 48 are the marker. */
const namespace = 0x4f52;

/** Takes the shared lock whose key is the last number that was given out. */
export const takeMarker = `perform pg_advisory_xact_lock_shared((${namespace}::bigint << 48)
        | (select case when is_called then last_value else last_value - 1 end from numbers));`;

const leastMarker = `(select min(((classid::bigint & 65535) << 32) | objid::bigint) from pg_locks
      where locktype = 'advisory' and objsubid = 1 and classid::bigint >> 16 = ${namespace}
        and database = (select oid from pg_database where datname = current_database()))`;

/** Up to where the log is complete for every statement that begins after this one has ended. */
export const horizonSql = `select least((select max(position) from events), ${leastMarker}) as horizon`;

export async function horizon(client: Client): Promise<number> {
  return Number((await ask<{ horizon: string | null }>(client, horizonSql))[0]?.horizon ?? 0);
}

/** Orders by position; asks for the horizon only at a hole, and reads again after it. */
export const byMarkers: Follow = (client) => {
  let last = 0;
  let safe = 0;
  return async () => {
    const rows = await pageAfter(client, last);
    const taken = complete(rows, last, safe);
    const end = taken.at(-1)?.position ?? last;
    if (rows.length > 0) last = Math.max(end, Math.min(safe, rows.at(-1)?.position ?? 0));
    if (taken.length === rows.length) return { rows: taken, again: rows.length > 0 };
    const known = safe;
    safe = await horizon(client);
    return { rows: taken, again: taken.length > 0 || safe > known };
  };
};

export const markers: Variant = { name: 'markers', before: takeMarker, follow: byMarkers };

/**
 * The marker once a transaction, or ten thousand appends in one would fill the server's lock table. The setting that says
 * so is rolled back to a savepoint exactly as the lock is; it names the transaction, so that no other value passes for it.
 */
export const markerOnce: Variant = {
  name: 'markers, one a transaction',
  before: `if current_setting('eventfold.marker', true) is distinct from pg_current_xact_id()::text then
        ${takeMarker}
        perform set_config('eventfold.marker', pg_current_xact_id()::text, true);
      end if;`,
  follow: byMarkers,
};

/** Wrong: the rows were read before the horizon. */
export const rowsBeforeHorizon: Variant = {
  name: 'markers, rows before the horizon',
  before: takeMarker,
  control: true,
  follow: (client) => {
    let last = 0;
    return async () => {
      const rows = await pageAfter(client, last);
      let taken = complete(rows, last, 0);
      if (taken.length < rows.length) taken = complete(rows, last, await horizon(client));
      last = taken.at(-1)?.position ?? last;
      return { rows: taken, again: taken.length > 0 };
    };
  },
};

/** Wrong: the locks were read before the snapshot that finds the greatest position. */
export const locksBeforeSnapshot: Variant = {
  name: 'markers, locks before max(position)',
  before: takeMarker,
  control: true,
  follow: (client) => {
    let last = 0;
    let safe = 0;
    return async () => {
      const rows = await pageAfter(client, last);
      const taken = complete(rows, last, safe);
      last = Math.max(taken.at(-1)?.position ?? last, rows.length > 0 ? Math.min(safe, rows.at(-1)?.position ?? 0) : 0);
      if (taken.length === rows.length) return { rows: taken, again: rows.length > 0 };
      const least = (await ask<{ m: string | null }>(client, `select ${leastMarker} as m`))[0]?.m;
      const most = (await ask<{ m: string | null }>(client, 'select max(position) as m from events'))[0]?.m;
      safe = Math.min(Number(most ?? 0), least === null || least === undefined ? Number.POSITIVE_INFINITY : Number(least));
      return { rows: taken, again: taken.length > 0 };
    };
  },
};

/** Wrong: the marker is read and locked after the number was taken. */
export const markerAfterNumber: Variant = {
  name: 'markers taken after the number',
  after: takeMarker,
  follow: byMarkers,
  control: true,
};
