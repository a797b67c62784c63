import { complete, pageSize, toRow } from './pages';
import { ask } from './server';
import type { Follow, Variant } from './variant';

interface Raw {
  position: string;
  stream: string;
  version: number;
  oldest: string;
  next: string;
}

/**
 * Orders by position; holds at a hole until every transaction that may have taken the number is over. The fence is a
 * transaction id that is above all of theirs: `fenceOf` says where it comes from.
 */
function followHoles(fenceSql: string | undefined): Follow {
  return (client) => {
    let last = 0;
    let fence: { upTo: number; xid: bigint } | undefined;
    return async () => {
      const raw = await ask<Raw>(
        client,
        `select position, stream, version, pg_snapshot_xmin(pg_current_snapshot())::text as oldest,
           pg_snapshot_xmax(pg_current_snapshot())::text as next
         from events where position > $1 order by position limit $2`,
        [last, pageSize],
      );
      const rows = raw.map(toRow);
      let safe = 0;
      if (fence && raw[0] && BigInt(raw[0].oldest) >= fence.xid) {
        safe = fence.upTo;
        fence = undefined;
      }
      const taken = complete(rows, last, safe);
      last = Math.max(last, taken.at(-1)?.position ?? 0, safe);
      const end = rows.at(-1);
      if (end && raw[0] && taken.length < rows.length && !fence) {
        const xid = fenceSql ? (await ask<{ xid: string }>(client, fenceSql))[0]?.xid : raw[0].next;
        fence = { upTo: end.position, xid: BigInt(xid ?? 0) };
      }
      return { rows: taken, again: taken.length > 0 };
    };
  };
}

const before = 'perform pg_current_xact_id();';

export const holes: Variant = { name: 'holes by xid8', before, follow: followHoles('select pg_current_xact_id()::text as xid') };

/** `pg_snapshot_xmax` is one above the last *completed* transaction, not above all that have begun. */
export const holesBelowXmax: Variant = { name: 'holes, fence at xmax', before, follow: followHoles(undefined), control: true };
