import type { Client } from 'pg';
import { horizonSql, markerOnce, markers } from './markers';
import { naive } from './naive';
import { lay } from './round';
import { ask, connect } from './server';
import type { Variant } from './variant';
import { pause } from './writers';

const rounds = 7;
const payload = JSON.stringify({ accountId: 'b6a7a8f0-6b1c-4f0e-9d0e-0f5a1f6f7a11', amount: 42, note: 'x'.repeat(60) });

const byFunction: Variant = {
  ...markers,
  name: 'marker by pg_sequence_last_value',
  before: `perform pg_advisory_xact_lock_shared((${0x4f52}::bigint << 48) | coalesce(pg_sequence_last_value('numbers'::regclass), 0));`,
};
const notified: Variant = { ...naive, name: 'plain, pg_notify', after: `perform pg_notify('order_experiment', '');` };
const withXid: Variant = { ...naive, name: 'plain, pg_current_xact_id', before: 'perform pg_current_xact_id();' };

interface Contender {
  readonly variant: Variant;
  readonly listeners: number;
  /** Whether one connection announces all commits of the process, after them. */
  readonly announces?: boolean;
}

/** What markers and notifications cost an append, and what the horizon costs a reader. */
export async function costs(): Promise<void> {
  const plain: Contender = { variant: naive, listeners: 0 };
  const contenders: Contender[] = [
    plain,
    { variant: withXid, listeners: 0 },
    { variant: markers, listeners: 0 },
    { variant: byFunction, listeners: 0 },
    { variant: markerOnce, listeners: 0 },
    { variant: notified, listeners: 0 },
    { variant: notified, listeners: 1 },
    { variant: notified, listeners: 4 },
    { variant: { ...naive, name: 'plain, one announcer' }, listeners: 1, announces: true },
  ];
  for (const clients of [1, 8, 32]) {
    const rates = new Map(contenders.map((contender) => [contender, [] as number[]]));
    for (let round = -1; round < rounds; round += 1)
      for (const [contender, list] of rates) {
        const rate = await appendsPerSecond(contender, clients);
        if (round >= 0) list.push(rate);
      }
    console.log(`\nappends of one event, ${clients} connections, medians of ${rounds} rounds`);
    const base = rates.get(plain) ?? [];
    for (const [{ variant, listeners }, list] of rates) {
      const ratio = median(list.map((rate, index) => rate / (base[index] ?? Number.NaN)));
      const name = `${variant.name}${variant === notified ? `, ${listeners} listening` : ''}`;
      console.log(`${name.padEnd(38)} ${median(list).toFixed(0).padStart(6)}/s  ${ratio.toFixed(2)} of plain`);
    }
  }
  await onTheServer([naive, withXid, markers, byFunction, markerOnce]);
  for (const writers of [0, 8, 32]) await horizonUnder(writers);
}

async function appendsPerSecond({ variant, listeners, announces }: Contender, count: number): Promise<number> {
  const control = await connect();
  await lay(control, variant);
  const listening = await Promise.all(Array.from({ length: listeners }, () => connect()));
  for (const client of listening) await client.query('listen order_experiment');
  const clients = await Promise.all(Array.from({ length: count }, () => connect()));
  const announcer = await connect();
  const start = performance.now();
  let done = 0;
  const announcing = announces ? announceAll(announcer, () => done, start) : undefined;
  await Promise.all(
    clients.map(async (client, index) => {
      while (performance.now() - start < 700) {
        await appendOne(client, `own-${index}`);
        done += 1;
      }
    }),
  );
  const rate = (done * 1000) / (performance.now() - start);
  await announcing;
  await Promise.all([control, announcer, ...listening, ...clients].map((client) => client.end()));
  return rate;
}

/** Announces after the commits, from a connection of its own: never more than one announcement under way. */
async function announceAll(client: Client, done: () => number, start: number): Promise<void> {
  for (let announced = 0; performance.now() - start < 700; ) {
    if (done() === announced) await pause(1);
    else {
      announced = done();
      await ask(client, `select pg_notify('order_experiment', '')`);
    }
  }
}

/** The same without network and commit: 2,000 appends in one statement. */
async function onTheServer(variants: readonly Variant[]): Promise<void> {
  const client = await connect();
  const times = new Map(variants.map((variant) => [variant, [] as number[]]));
  for (let round = -1; round < rounds; round += 1)
    for (const [variant, list] of times) {
      await lay(client, variant);
      const start = performance.now();
      await client.query(`select count(append('s' || n % 10, 't', '{}', false)) from generate_series(1, 2000) n`);
      if (round >= 0) list.push(((performance.now() - start) * 1000) / 2000);
    }
  console.log('\nserver time of an append, without round trip and commit');
  for (const [variant, list] of times) console.log(`${variant.name.padEnd(38)} ${median(list).toFixed(1)} µs`);
  await client.end();
}

async function horizonUnder(writers: number): Promise<void> {
  const reader = await connect();
  await lay(reader, markers);
  const clients = await Promise.all(Array.from({ length: writers }, () => connect()));
  let over = false;
  const writing = clients.map(async (client, index) => {
    while (!over) await appendOne(client, `own-${index}`);
  });
  for (const sql of ['select max(position) from events', horizonSql, 'select 1']) {
    const times: number[] = [];
    for (let index = 0; index < 1000; index += 1) {
      const start = performance.now();
      await ask(reader, sql);
      times.push(performance.now() - start);
      if (writers > 0) await pause(1);
    }
    times.sort((a, b) => a - b);
    console.log(
      `${writers} writers, ${sql.startsWith('select least') ? 'the horizon' : sql}: p50 ${times[500]?.toFixed(2)} p99 ${times[990]?.toFixed(2)} ms`,
    );
  }
  over = true;
  await Promise.all(writing);
  await Promise.all([reader, ...clients].map((client) => client.end()));
}

function appendOne(client: Client, stream: string): Promise<unknown> {
  return ask(client, 'select append($1, $2, $3, false)', [stream, 'deposited', payload]);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
