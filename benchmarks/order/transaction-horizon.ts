import { pageSize, toRow } from './pages';
import { ask } from './server';
import type { Variant } from './variant';

interface Raw {
  position: string;
  stream: string;
  version: number;
  xid: string;
}

/** Orders by (transaction, position), below the oldest transaction in progress anywhere in the cluster. */
export const transactionHorizon: Variant = {
  name: 'xid8 horizon',
  columns: ', xid xid8 not null default pg_current_xact_id()',
  tables: 'create index on events (xid, position);',
  follow: (client) => {
    let xid = '0';
    let last = 0;
    return async () => {
      const rows = await ask<Raw>(
        client,
        `select position, stream, version, xid::text from events
         where (xid, position) > ($1::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
         order by xid, position limit $3`,
        [xid, last, pageSize],
      );
      const end = rows.at(-1);
      if (end) [xid, last] = [end.xid, Number(end.position)];
      return { rows: rows.map(toRow), again: rows.length > 0 };
    };
  },
};
