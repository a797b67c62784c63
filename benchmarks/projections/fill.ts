import type { DataSource } from 'typeorm';

/** As many accounts as the events of one place belong to. */
export const accounts = 10_000;

/** Primes, so that the accounts come in no order, each now and then. */
const account = (n: string) => `'account-' || ((${n} * 7919 + ${n} / ${accounts} * 104729 + ${n} * ${n} / 31) % ${accounts})`;

/** Stores events as they would lie there after appends, faster than these would be: each tenth is a withdrawal. */
export async function fill(dataSource: DataSource, count: number): Promise<void> {
  const columns = 'position, stream, version, id, type, schema_version, time, metadata, data';
  const row = (n: string, position: string) => `${position}, 'old-' || ${n}, 1, 'old-' || ${n},
    CASE WHEN ${n} % 10 = 0 THEN 'account.withdrawn' ELSE 'account.deposited' END, 1, '2026-01-01T00:00:00.000Z',
    '{"correlationId":"0a1b2c3d-0000-4000-8000-' || (100000000000 + ${n}) || '","causationId":"0a1b2c3d-0000-4000-8000-' || (100000000000 + ${n}) || '"}',
    '{"accountId":"' || ${account(n)} || '","amount":' || (${n} % 100) || ',"currency":"EUR","note":"salary of the month"}'`;
  if (dataSource.options.type === 'postgres') {
    const next = `nextval(pg_get_serial_sequence('${dataSource.options.schema}.eventfold_events', 'position'))`;
    await dataSource.query(
      `INSERT INTO ${dataSource.options.schema}.eventfold_events (${columns})
      SELECT ${row('n', next)} FROM generate_series(1::bigint, ${count}) AS n`,
    );
    await dataSource.query(`VACUUM ANALYZE ${dataSource.options.schema}.eventfold_events`);
    await dataSource.query('CHECKPOINT');
  } else {
    await dataSource.query(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
      INSERT INTO eventfold_events (${columns}) SELECT ${row('n', 'n')} FROM numbers`,
    );
  }
}
