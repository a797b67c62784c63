import type { Position } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { sideBySide } from '../side-by-side';
import { ifThere, postgresGround } from './grounds';

const sizes = [10_000, 500_000, 5_000_000];
const type = 'student.subscribed';
const students = 100_000;
const courses = 10_000;

/** Appends that a boundary guards, and queries by two tags, in stores that grow. */
export async function boundary(): Promise<void> {
  const ground = await ifThere('PostgreSQL', postgresGround);
  if (ground === undefined) return;
  const store = ground.store();
  try {
    let filled = 0;
    for (const size of sizes) {
      await fill(ground.dataSource, (ground.dataSource.entityMetadatas[0]?.schema as string) ?? 'public', filled, size);
      filled = size;
      await guards(store, size);
      await queries(store, size);
    }
  } finally {
    await store.close();
    await ground.drop();
  }
}

/** Adds the events from one number to another, two tags each, as they would lie there after years. */
async function fill(dataSource: DataSource, schema: string, from: number, to: number): Promise<void> {
  const runner = dataSource.createQueryRunner();
  const events = `${schema}.eventfold_events`;
  const numbers = `(SELECT g::bigint AS n FROM generate_series(${from + 1}, ${to}) AS g) AS numbers`;
  const student = `'studentId:s' || (n * 7919 % ${students})`;
  const course = `'courseId:c' || (n * 104729 / 13 % ${courses})`;
  await runner.query('SET synchronous_commit = off');
  await runner.query(`
    INSERT INTO ${events} (position, stream, version, id, type, schema_version, time, tags, data)
    SELECT nextval(pg_get_serial_sequence('${events}', 'position')), 'old-' || n, 1, 'old-' || to_char(n, 'FM00000000'), '${type}', 1,
      '2026-01-01T00:00:00.000Z', '["' || ${student} || '","' || ${course} || '"]',
      '{"studentId":"s' || (n * 7919 % ${students}) || '","courseId":"c' || (n * 104729 / 13 % ${courses}) || '","note":"enrolled for the winter term"}'
    FROM ${numbers}`);
  await runner.query(`
    INSERT INTO ${schema}.eventfold_tags (tag, position, type)
    SELECT tag, e.position, '${type}' FROM (
      SELECT ${student} AS tag, 'old-' || to_char(n, 'FM00000000') AS id FROM ${numbers} UNION ALL
      SELECT ${course}, 'old-' || to_char(n, 'FM00000000') FROM ${numbers}
    ) t JOIN ${events} e USING (id) ORDER BY 1, 2`);
  await runner.query(`VACUUM ANALYZE ${events}`);
  await runner.query(`VACUUM ANALYZE ${schema}.eventfold_tags`);
  await runner.query('CHECKPOINT');
  await runner.query('RESET synchronous_commit');
  await runner.release();
}

async function guards(store: TypeOrmEventStore, size: number): Promise<void> {
  let count = 0;
  let head = await store.head();
  const event = (student: string, course: string) => ({
    type,
    data: { studentId: student, courseId: course, note: 'enrolled for the winter term' },
    tags: [`studentId:${student}`, `courseId:${course}`],
  });
  const pick = () => {
    count += 1;
    return { student: `s${(count * 6151) % students}`, course: `c${(count * 3557) % courses}` };
  };
  await sideBySide({
    name: `PostgreSQL, ${size.toLocaleString('en')} events: appends guarded by a boundary of two tags`,
    limit: 'ours, of the same tagged events, guarded by the version of a stream',
    aim: 0.7,
    operations: 200,
    rounds: 11,
    ours: async () => {
      const { student, course } = pick();
      const criteria = [{ types: [type], tags: [`studentId:${student}`, `courseId:${course}`] }];
      const condition = { criteria, after: head as Position };
      const { position } = await store.append([
        { stream: `new-${size}-${count}`, events: [event(student, course)], guard: { condition } },
      ]);
      head = position;
    },
    byHand: async () => {
      const { student, course } = pick();
      const { position } = await store.append([
        { stream: `new-${size}-${count}`, events: [event(student, course)], guard: { version: 0 } },
      ]);
      head = position;
    },
  });
}

async function queries(store: TypeOrmEventStore, size: number): Promise<void> {
  let count = 0;
  let found = 0;
  await sideBySide({
    name: `PostgreSQL, ${size.toLocaleString('en')} events: a query by two tags`,
    limit: 'ours, by stream',
    aim: 0,
    operations: 300,
    rounds: 11,
    ours: async () => {
      count += 1;
      const n = (count * 6151) % size;
      const tags = [`studentId:s${(n * 7919) % students}`, `courseId:c${Math.floor((n * 104729) / 13) % courses}`];
      for await (const chunk of store.read({ criteria: [{ types: [type], tags }] }).chunks()) found += chunk.length;
    },
    byHand: async () => {
      count += 1;
      for await (const chunk of store.read({ stream: `old-${1 + ((count * 6151) % size)}` }).chunks()) found += chunk.length;
    },
  });
  if (found === 0) throw new Error('Nothing was found.');
}
