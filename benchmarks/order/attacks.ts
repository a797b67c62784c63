import type { Client } from 'pg';
import { horizon, markerOnce, markers, takeMarker } from './markers';
import { lay } from './round';
import { connect, schema } from './server';
import { layout, type Variant } from './variant';
import { pause } from './writers';

interface Stage {
  readonly a: Client;
  readonly b: Client;
  readonly reader: Client;
}

const append = (stream: string) => `select append('${stream}', 't', '{}', false) as position`;

/** Attempts to break the proof of the markers, each with the sessions in a fixed order. */
export async function attacks(): Promise<void> {
  console.log('\nattacks on the markers: a hole that is passed while it can still be filled is a BREAK');
  for (const [name, attack] of Object.entries(all)) {
    const [a, b, reader] = [await connect(), await connect(), await connect()];
    await lay(a, attack.on ?? markers);
    const found = await attack.run({ a, b, reader });
    console.log(`${found.startsWith('BREAK') ? '✗' : '·'} ${name}: ${found}`);
    for (const client of [a, b, reader]) await client.end();
  }
}

interface Attack {
  readonly on?: Variant;
  readonly run: (stage: Stage) => Promise<string>;
}

/** `a` holds a number that is not committed; `b` commits a higher one. What does the horizon say? */
async function verdict({ a, b, reader }: Stage): Promise<string> {
  await b.query(append('b'));
  const safe = await horizon(reader);
  const below = Number((await reader.query('select count(*) from events where position <= $1', [safe])).rows[0].count);
  await a.query('commit');
  const late = Number((await reader.query('select count(*) from events where position <= $1', [safe])).rows[0].count) - below;
  const end = await horizon(reader);
  return late > 0 ? `BREAK, ${late} events appeared below the horizon ${safe}` : `holds at ${safe}, then ${end}`;
}

const all: Record<string, Attack> = {
  'the first number of all': {
    run: async (stage) => {
      await stage.a.query(`begin; ${append('a')}`);
      return verdict(stage);
    },
  },
  'marker in a savepoint that is rolled back, then another append': {
    run: async (stage) => {
      await stage.a.query(`begin; savepoint s; ${append('a')}; rollback to savepoint s`);
      await stage.b.query(append('b'));
      await stage.a.query(append('a'));
      return verdict(stage);
    },
  },
  'the same with one marker a transaction': {
    on: markerOnce,
    run: async (stage) => {
      await stage.a.query(`begin; savepoint s; ${append('a')}; rollback to savepoint s`);
      await stage.b.query(append('b'));
      await stage.a.query(append('a'));
      return verdict(stage);
    },
  },
  'one marker a transaction, taken within a savepoint that is released, a second append after it': {
    on: markerOnce,
    run: async (stage) => {
      await stage.a.query(`begin; savepoint s; savepoint t; ${append('a')}; release savepoint t; release savepoint s`);
      await stage.b.query(append('b'));
      await stage.a.query(append('a'));
      return verdict(stage);
    },
  },
  'one marker a transaction, the released savepoint lies in one that is rolled back': {
    on: markerOnce,
    run: async (stage) => {
      await stage.a.query(`begin; savepoint s; savepoint t; ${append('a')}; release savepoint t; rollback to savepoint s`);
      await stage.b.query(append('b'));
      await stage.a.query(append('a'));
      return verdict(stage);
    },
  },
  'one marker a transaction, and reset all / discard within it': {
    on: markerOnce,
    run: async (stage) => {
      await stage.a.query(`begin; ${append('a')}; reset all; set search_path = ${schema}; discard plans`);
      await stage.b.query(append('b'));
      await stage.a.query(append('a'));
      return verdict(stage);
    },
  },
  'one marker a transaction, the next transaction of the session': {
    on: markerOnce,
    run: async (stage) => {
      await stage.a.query(`begin; ${append('a')}; commit`);
      await stage.a.query(`begin; ${append('a')}; rollback`);
      await stage.b.query(append('b'));
      await stage.a.query(`begin; ${append('a')}`);
      return verdict(stage);
    },
  },
  'a number before the savepoint, another in it, rolled back': {
    run: async (stage) => {
      await stage.a.query(`begin; ${append('a')}; savepoint s; ${append('a')}; rollback to savepoint s`);
      return verdict(stage);
    },
  },
  'an exception block in plpgsql around the append': {
    run: async (stage) => {
      await stage.a.query(`begin; do $$ begin perform append('a', 't', '{}', true); exception when others then null; end $$`);
      await stage.b.query(append('b'));
      await stage.a.query(`do $$ begin perform append('a', 't', '{}', false); exception when others then null; end $$`);
      return verdict(stage);
    },
  },
  'unlocking by the user: pg_advisory_unlock_all, unlock_shared': {
    run: async (stage) => {
      await stage.a.query(`begin; ${append('a')}; select pg_advisory_unlock_all();
        select pg_advisory_unlock_shared(((classid::bigint) << 32) | objid::bigint) from pg_locks where locktype = 'advisory'`);
      return verdict(stage);
    },
  },
  'a writer in REPEATABLE READ whose snapshot is older than the log': {
    run: async (stage) => {
      await stage.a.query('begin isolation level repeatable read; select count(*) from events');
      for (let index = 0; index < 20; index += 1) await stage.b.query(append('b'));
      await stage.a.query(append('a'));
      return verdict(stage);
    },
  },
  'last_value read, then others commit, then the lock and the number': {
    run: async (stage) => {
      const { a, b, reader } = stage;
      await a.query('begin');
      const last = (await a.query('select last_value - 1 as l from numbers')).rows[0].l;
      for (let index = 0; index < 5; index += 1) await b.query(append('b'));
      const early = await horizon(reader);
      await a.query(`select pg_advisory_xact_lock_shared((${0x4f52}::bigint << 48) | ${last})`);
      await a.query(`insert into events select nextval('numbers'), 'a', 1, 't', '{}'`);
      return `horizon before the lock ${early}; ${await verdict(stage)}`;
    },
  },
  'the session is terminated': {
    run: async (stage) => {
      stage.a.on('error', () => undefined);
      const pid = (await stage.a.query('select pg_backend_pid() as pid')).rows[0].pid;
      await stage.a.query(`begin; ${append('a')}`);
      await stage.b.query(append('b'));
      const before = await horizon(stage.reader);
      await stage.b.query('select pg_terminate_backend($1)', [pid]);
      while ((await horizon(stage.reader)) === before) await pause(1);
      return `holds at ${before}, then ${await horizon(stage.reader)}`;
    },
  },
  'one statement, the locks read long after its snapshot': { run: (stage) => slowly(stage, 'locks late') },
  'one statement, the locks read long before max(position)': { run: (stage) => slowly(stage, 'max late') },
  'a reader in REPEATABLE READ: horizon and rows under one snapshot': {
    run: async ({ a, b, reader }) => {
      await a.query(`begin; ${append('a')}`);
      await b.query(append('b'));
      await reader.query('begin isolation level repeatable read; select count(*) from events');
      await a.query('commit');
      const safe = await horizon(reader);
      const rows = (await reader.query('select count(*) from events where position <= $1', [safe])).rows[0].count;
      await reader.query('commit');
      return rows === '2' ? 'complete' : `BREAK, horizon ${safe} but ${rows} row of 2 below it`;
    },
  },
  'the same, the horizon asked by another session before': {
    run: async ({ a, b, reader }) => {
      await a.query(`begin; ${append('a')}`);
      await b.query(append('b'));
      const safe = await horizon(b);
      await reader.query('begin isolation level repeatable read; select count(*) from events');
      await a.query('commit');
      const rows = (await reader.query('select count(*) from events where position <= $1', [safe])).rows[0].count;
      await reader.query('commit');
      return `horizon ${safe}, ${rows} rows below it`;
    },
  },
  'a cursor opened before the horizon was asked': {
    run: async ({ a, b, reader }) => {
      await a.query(`begin; ${append('a')}`);
      await b.query(append('b'));
      await reader.query('begin; declare c cursor for select position from events order by position');
      await a.query('commit');
      const safe = await horizon(reader);
      const rows = (await reader.query('fetch all from c')).rows.length;
      await reader.query('commit');
      return rows === 2 ? 'complete' : `BREAK, horizon ${safe} but the cursor gives ${rows} row of 2`;
    },
  },
  'the horizon as a plpgsql function, called in the statement that reads the rows': {
    run: async ({ a, b, reader }) => {
      await reader.query(`create function horizon() returns bigint language plpgsql volatile as $$ begin
        perform pg_sleep(0.3);
        return (select least((select max(position) from events), (select min(((classid::bigint & 65535) << 32) | objid::bigint)
          from pg_locks where locktype = 'advisory' and objsubid = 1 and classid::bigint >> 16 = ${0x4f52}))); end $$`);
      await a.query(`begin; ${append('a')}`);
      await b.query(append('b'));
      const reading = reader.query('select position from events where position <= (select horizon()) order by position');
      await pause(100);
      await a.query('commit');
      const rows = (await reading).rows.length;
      return rows === 2 ? 'complete' : `BREAK, ${rows} row of 2`;
    },
  },
  'a sequence with CACHE 20': {
    run: async (stage) => {
      await stage.a.query('alter sequence numbers cache 20');
      await stage.a.query(append('a'));
      await stage.b.query(append('b'));
      await stage.a.query(`begin; ${append('a')}`);
      return verdict(stage);
    },
  },
  'CACHE 20, with the check that the number is above the marker': {
    on: {
      ...markers,
      before: `select case when is_called then last_value else last_value - 1 end into l from numbers;
        perform pg_advisory_xact_lock_shared((${0x4f52}::bigint << 48) | l);`,
      after: 'if p <= l then raise exception $$number % of a cache, marker %$$, p, l; end if;',
    },
    run: async (stage) => {
      await stage.a.query('alter sequence numbers cache 20');
      await stage.a.query(append('a'));
      return stage.a.query(append('a')).then(
        () => 'not refused',
        (error: Error) => `refused: ${error.message}`,
      );
    },
  },
  'a client that believes its marker is still held after a rolled back savepoint': {
    run: async (stage) => {
      const mark = takeMarker.replace('perform', 'select');
      await stage.a.query(`begin; savepoint s; ${mark} rollback to savepoint s`);
      await stage.a.query(`insert into events select nextval('numbers'), 'a', 1, 't', '{}'`);
      return verdict(stage);
    },
  },
  'an insert past the function (a restore, a hand-written COPY)': {
    run: async (stage) => {
      await stage.a.query(`begin; insert into events select nextval('numbers'), 'a', 1, 't', '{}'`);
      return verdict(stage);
    },
  },
  'the same, with the marker in a BEFORE INSERT ... FOR EACH STATEMENT trigger': {
    run: async (stage) => {
      await stage.a.query(`create function mark() returns trigger language plpgsql as $$ begin ${takeMarker} return null; end $$;
        create trigger mark before insert on events for each statement execute function mark();
        alter table events alter position set default nextval('numbers')`);
      await stage.a.query(
        `begin; insert into events (stream, version, type, data) values ('a', 1, 't', '{}'), ('a', 2, 't', '{}')`,
      );
      return verdict(stage);
    },
  },
  'marker and number in one INSERT ... SELECT, number first in the target list': {
    run: async (stage) => {
      await stage.a.query(`begin; insert into events select nextval('numbers'), 'a', 1, 't', '{}'
        from (${takeMarker.replace('perform', 'select').replace(';', '')} as marked offset 0) m where m.marked is not null`);
      return verdict(stage);
    },
  },
  'a key of another store or program in the same namespace': {
    run: async ({ a, b, reader }) => {
      for (let index = 0; index < 5; index += 1) await b.query(append('b'));
      await a.query(`select pg_advisory_lock((${0x4f52}::bigint << 48) | 2)`);
      return `the horizon is held at ${await horizon(reader)} of 5: late, not wrong`;
    },
  },
  '20,000 appends in one transaction': { run: (stage) => many(stage.a) },
  '20,000 appends in one transaction, one marker a transaction': { on: markerOnce, run: (stage) => many(stage.a) },
  '20,000 appends beside 20,000 others, one transaction': {
    run: async ({ a, b }) => {
      await a.query('begin');
      let taken = 0;
      try {
        for (; taken < 20_000; taken += 1) await a.query(append('a'));
      } catch (error) {
        const other = await b.query(append('b')).then(
          () => 'others go on',
          () => 'others fail too',
        );
        await a.query('rollback');
        return `fails after ${taken}: ${(error as Error).message}; ${other}`;
      }
      await a.query('rollback');
      return 'passes';
    },
  },
};

async function many(client: Client): Promise<string> {
  return client.query(`begin; select count(append('a', 't', '{}', false)) from generate_series(1, 20000); commit`).then(
    () => 'passes',
    async (error: Error) => {
      await client.query('rollback');
      return `BREAK of liveness: ${error.message}`;
    },
  );
}

/** Stretches the horizon's statement by a sleep before one of its two halves, while others commit and begin. */
async function slowly({ a, b, reader }: Stage, late: 'locks late' | 'max late'): Promise<string> {
  await b.query(append('b'));
  await a.query(`begin; ${append('a')}`);
  const locks = `(select min(((classid::bigint & 65535) << 32) | objid::bigint) from pg_locks, waits
    where locktype = 'advisory' and objsubid = 1 and classid::bigint >> 16 = ${0x4f52})`;
  const plain = locks.replace(', waits', '');
  const asked =
    late === 'locks late'
      ? reader.query(
          `with waits as materialized (select pg_sleep(0.4)) select (select max(position) from events) as most, ${locks} as least`,
        )
      : reader.query(`with locks as materialized (select ${plain} as least), waits as materialized (select pg_sleep(0.4) from locks)
          select (select max(position) from events, waits) as most, (select least from locks) as least`);
  await pause(150);
  if (late === 'max late') {
    await a.query('commit');
    await a.query(`begin; ${append('a')}`);
  }
  await b.query(append('b'));
  if (late === 'locks late') await a.query('commit');
  const [{ most, least }] = (await asked).rows;
  const safe = Math.min(Number(most), least === null ? Number.POSITIVE_INFINITY : Number(least));
  const count = async () => (await reader.query('select count(*) from events where position <= $1', [safe])).rows[0].count;
  const before = await count();
  await a.query('commit');
  const after = await count();
  return `${before === after ? 'holds' : 'BREAK'}: max ${most}, least marker ${least}, horizon ${safe}`;
}

/** The layout of the markers, for other servers than this. */
export const markerLayout = layout(markers);
