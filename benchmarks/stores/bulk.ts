import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { sideBySide } from '../side-by-side';
import { deposit } from './accounts';
import type { Ground } from './grounds';
import type { PostgresByHand } from './postgres-by-hand';

const count = 100_000;
const chunk = 1_000;

/** 100,000 events, a thousand with each append, against the fastest statement that `pg` has for it: `unnest` of arrays. */
export async function bulk(ground: Ground<PostgresByHand>): Promise<void> {
  const store = ground.store();
  const hand = ground.byHand(1);
  let round = 0;
  const inputs = Array.from({ length: chunk }, (_, index) => deposit('bulk', index));
  const insert = `INSERT INTO ${ground.handTables}events (stream, version, id, type, schema_version, time, data)
    SELECT u.stream, u.version, u.id, u.type, 1, u.time, u.data
    FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[]) AS u(stream, version, id, type, time, data)`;
  await sideBySide({
    name: `${ground.name}: 100,000 events in appends of a thousand`,
    limit: 'a prepared INSERT from unnest of six arrays',
    aim: 0.7,
    operations: count / chunk,
    rounds: 5,
    longestTurn: 60_000,
    counted: chunk,
    prepare: () => {
      round += 1;
    },
    ours: async (worker) => {
      const stream = `bulk-${round}-${worker}`;
      await store.append([
        { stream, events: inputs.map((data) => ({ type: 'account.deposited', data })), guard: { version: 'any' } },
      ]);
    },
    byHand: async () => {
      const stream = `bulk-${round}-${performance.now()}`;
      const columns: unknown[][] = [[], [], [], [], [], []];
      for (const [index, data] of inputs.entries()) {
        const row = [stream, index + 1, randomUUID(), 'account.deposited', new Date().toISOString(), JSON.stringify(data)];
        for (const [column, value] of row.entries()) columns[column]?.push(value);
      }
      await hand.pool.query({ name: 'bulk', text: insert, values: columns });
    },
  });
  await store.close();
  await hand.close();
}
