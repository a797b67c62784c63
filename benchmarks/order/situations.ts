import type { Client } from 'pg';
import { holes, holesBelowXmax } from './holes';
import { tableLockers } from './lockers';
import { markerOnce, markers } from './markers';
import { counterRow, naive, serialised } from './naive';
import { lay } from './round';
import { connect } from './server';
import { transactionHorizon } from './transaction-horizon';
import type { Row, Variant } from './variant';
import { pause } from './writers';

const all = [naive, transactionHorizon, holes, markers, markerOnce, tableLockers, serialised, counterRow];

/** Three situations that every service meets, one variant after another. */
export async function situations(): Promise<void> {
  console.log('\n(i) 5 events, 1 rolled back, 5 events while a transaction that wrote to another table idles: seen');
  for (const variant of all) await inSituation(variant, unrelated);
  console.log('\n(ii) 5 events, an append that idles in its transaction, 5 events: seen, and seen once it has ended');
  for (const variant of all) await inSituation(variant, idle);
  console.log('\n(iii) an append in a transaction that had written before, beside one to the same stream that commits first');
  for (const variant of all) await inSituation(variant, wroteBefore);
  console.log('\n(iv) a transaction that wrote first appends last and commits, while the number before it is open');
  for (const variant of [...all, holesBelowXmax]) await inSituation(variant, olderCommits);
}

interface Stage {
  readonly variant: Variant;
  readonly a: Client;
  readonly b: Client;
  readonly read: () => Promise<Row[]>;
}

async function inSituation(variant: Variant, situation: (stage: Stage) => Promise<string>): Promise<void> {
  const [a, b, reader] = [await connect(), await connect('-c lock_timeout=300ms'), await connect()];
  await lay(a, variant);
  const step = variant.follow(reader);
  const seen: Row[] = [];
  const read = async () => {
    for (let quiet = 0; quiet < 30; ) {
      const { rows, again } = await step();
      seen.push(...rows);
      if (again) quiet = 0;
      else {
        quiet += 1;
        await pause(2);
      }
    }
    return seen;
  };
  console.log(`${variant.name.padEnd(28)} ${await situation({ variant, a, b, read })}`);
  for (const client of [a, b, reader]) await client.end();
}

async function unrelated({ a, b, read }: Stage): Promise<string> {
  await a.query(`begin; insert into notes (body) values ('mine')`);
  await appendAll(b, 5);
  await b.query(`select append('s', 't', '{}', true)`).catch(() => undefined);
  await appendAll(b, 5);
  const before = (await read()).length;
  await a.query('commit');
  return `${before} of 10; after it has ended ${(await read()).length}`;
}

async function idle({ variant, a, b, read }: Stage): Promise<string> {
  await appendAll(b, 5);
  await a.query(`begin; select append('lingering', 't', '{}', false)`);
  const refusals = await appendAll(b, 5);
  const before = (await read()).length;
  const held = variant.follow === markers.follow ? await lag(b) : '';
  await a.query('commit');
  return `${before}${refusals ? `, ${refusals} appends of others waited in vain` : ''}; after ${(await read()).length}${held}`;
}

async function wroteBefore({ a, b, read }: Stage): Promise<string> {
  await a.query(`begin; insert into notes (body) values ('mine'); select pg_current_xact_id()`);
  await appendAll(b, 5);
  await a.query(`select append('s', 't', '{}', false); commit`);
  const rows = await read();
  const versions = rows.map((row) => row.version).join(' ');
  return `${versions}${versions === '1 2 3 4 5 6' ? '' : '  TURNED'}`;
}

async function olderCommits({ a, b, read }: Stage): Promise<string> {
  await a.query(`begin; insert into notes (body) values ('mine')`);
  await b.query(`begin; select append('late', 't', '{}', false)`);
  const blocked = a.query(`select append('s', 't', '{}', false); commit`);
  const waited = await Promise.race([blocked.then(() => false), pause(100).then(() => true)]);
  const before = (await read()).length;
  await b.query('commit');
  await blocked;
  const after = (await read()).length;
  return `${before}, then ${after} of 2${waited ? ', one append waited' : ''}${after < 2 ? '  MISSED' : ''}`;
}

async function appendAll(client: Client, count: number): Promise<number> {
  let refused = 0;
  for (let index = 0; index < count; index += 1)
    await client.query(`select append('s', 't', '{}', false)`).catch(() => {
      refused += 1;
    });
  return refused;
}

/** Who holds the readers back: from the markers, joined with what the sessions do. */
async function lag(client: Client): Promise<string> {
  const { rows } = await client.query(`
    select ((l.classid::bigint & 65535) << 32) | l.objid::bigint as after, l.pid, a.state, a.application_name,
      clock_timestamp() - a.xact_start as open_for, clock_timestamp() - a.state_change as idle_for, a.query, p.gid
    from pg_locks l left join pg_stat_activity a using (pid)
      left join pg_prepared_xacts p on l.virtualtransaction = '-1/' || p.transaction::text
    where l.locktype = 'advisory' and l.objsubid = 1 and l.classid::bigint >> 16 = ${0x4f52}
      and l.database = (select oid from pg_database where datname = current_database())
    order by 1`);
  return rows
    .map(
      (row) =>
        `\n    lag: after ${row.after} pid ${row.pid}, ${row.state}, open for ${row.open_for.milliseconds} ms, query ${row.query}`,
    )
    .join('');
}
