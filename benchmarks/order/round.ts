import type { Client } from 'pg';
import { follow, Seen } from './readers';
import { connect, schema } from './server';
import { layout, type Variant } from './variant';
import { autocommit, pause, unhurried, Written } from './writers';

export interface Load {
  readonly name: string;
  readonly writers: number;
  /** How many of the writers are users' transactions that linger. */
  readonly unhurried: number;
  readonly readers: number;
  readonly seconds: number;
  /** Settings of the writers' sessions. */
  readonly settings?: string;
}

export interface Outcome {
  readonly perSecond: number;
  readonly committed: number;
  readonly rolledBack: number;
  readonly conflicts: number;
  /** Events that some reader never saw, summed over readers. */
  readonly missed: number;
  readonly repeated: number;
  readonly ordersDiffer: boolean;
  /** Neighbours of one stream that a reader saw the wrong way round, or whose positions run against their versions. */
  readonly turned: number;
  readonly p50: number;
  readonly p99: number;
}

/** Lays the tables of a variant anew. */
export async function lay(client: Client, variant: Variant): Promise<void> {
  await client.query(`drop schema if exists ${schema} cascade; create schema ${schema}`);
  await client.query(layout(variant));
}

/** Runs writers and readers for some seconds and holds what was read against what was stored. */
export async function round(variant: Variant, load: Load): Promise<Outcome> {
  const control = await connect();
  await lay(control, variant);
  const clients = await Promise.all(
    Array.from({ length: load.writers + load.readers }, (_, index) => connect(index < load.writers ? load.settings : '')),
  );
  const written = new Written();
  const seen = Array.from({ length: load.readers }, () => new Seen());
  let stopWriting = false;
  let stopReading = false;
  const readers = seen.map((one, index) => follow(clients[load.writers + index] as Client, variant, one, () => stopReading));
  const start = performance.now();
  const writers = clients
    .slice(0, load.writers)
    .map((client, index) =>
      (index < load.unhurried ? unhurried : autocommit)(client, `own-${index}`, written, () => stopWriting),
    );
  await pause(load.seconds * 1000);
  stopWriting = true;
  await Promise.all(writers);
  const elapsed = (performance.now() - start) / 1000;
  stopReading = true;
  await Promise.all(readers);
  const outcome = await judge(control, written, seen, elapsed);
  await Promise.all([control, ...clients].map((client) => client.end()));
  return outcome;
}

async function judge(control: Client, written: Written, seen: readonly Seen[], elapsed: number): Promise<Outcome> {
  const stored = (await control.query('select position, stream, version from events order by position')).rows.map((row) => ({
    position: Number(row.position),
    stream: String(row.stream),
    version: Number(row.version),
  }));
  const latencies: number[] = [];
  let missed = 0;
  let repeated = 0;
  for (const reader of seen) {
    repeated += reader.rows.length - reader.at.size;
    for (const { position } of stored) if (!reader.at.has(position)) missed += 1;
    for (const [position, at] of written.at) {
      const arrived = reader.at.get(position);
      if (arrived !== undefined) latencies.push(Math.max(0, arrived - at));
    }
  }
  latencies.sort((a, b) => a - b);
  const orders = seen.map((reader) => reader.rows.map((row) => row.position).join());
  return {
    perSecond: stored.length / elapsed,
    committed: stored.length,
    rolledBack: written.rolledBack,
    conflicts: written.conflicts,
    missed,
    repeated,
    ordersDiffer: new Set(orders).size > 1,
    turned: [stored, ...seen.map((reader) => reader.rows)].reduce((sum, rows) => sum + turned(rows), 0),
    p50: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN,
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  };
}

function turned(rows: readonly { stream: string; version: number }[]): number {
  const versions = new Map<string, number>();
  let count = 0;
  for (const { stream, version } of rows) {
    if (version < (versions.get(stream) ?? 0)) count += 1;
    versions.set(stream, version);
  }
  return count;
}
