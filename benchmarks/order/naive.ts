import { pageAfter } from './pages';
import type { Follow, Variant } from './variant';

/** Goes by `position > last` and trusts it. */
export const byPosition: Follow = (client) => {
  let last = 0;
  return async () => {
    const rows = await pageAfter(client, last);
    last = rows.at(-1)?.position ?? last;
    return { rows, again: rows.length > 0 };
  };
};

export const naive: Variant = { name: 'naive', follow: byPosition };

/** One exclusive lock from the number to the end of the transaction: appends go one by one. */
export const serialised: Variant = {
  name: 'exclusive lock',
  before: 'perform pg_advisory_xact_lock(7001);',
  follow: byPosition,
};

/** A row that counts: as serial as the lock, without holes. */
export const counterRow: Variant = {
  name: 'counter row',
  tables: 'create table counter (value bigint not null); insert into counter values (0);',
  before: 'update counter set value = value + 1 returning value into l;',
  number: 'l',
  follow: byPosition,
};
