import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../../../controls/databases';
import { type Address, addressOf } from './address';
import { Child } from './child';

const count = 200_000;

describeDatabases(
  'Reading 200,000 events',
  (database) => {
    let place: DatabasePlace;
    let address: Address;
    beforeAll(async () => {
      place = await database.make();
      const dataSource = await place.dataSource();
      await fill(dataSource, place);
      address = addressOf(dataSource, place.tables);
    });
    afterAll(() => place?.drop());

    const ways = database === postgres ? ['store.read', 'by tag', 'backward', 'es.events'] : ['es.events'];
    for (const way of ways) {
      it(`takes a few tens of megabytes (${way})`, async () => {
        // All of them at once would take some hundred megabytes.
        const child = new Child('streaming', address, [way, String(count)], ['--max-old-space-size=64', '--expose-gc']);
        const said = await child.says();
        expect(said).toMatch(/^200000 events/);
        expect(Number(/(\d+) MB/.exec(said)?.[1])).toBeLessThan(100);
        expect(await child.exited).toStrictEqual({ code: 0, signal: null });
      });
    }
  },
  [postgres, mariadb, sqlite],
);

/** Fills the tables with a statement each. */
async function fill(dataSource: DataSource, { tables: { schema, tablePrefix = 'eventfold_' } }: DatabasePlace): Promise<void> {
  const table = (name: string) => (schema === undefined ? tablePrefix + name : `"${schema}".${tablePrefix}${name}`);
  const isMySql = dataSource.options.type === 'mysql';
  const joined = (...parts: string[]) => (isMySql ? `concat(${parts.join(', ')})` : parts.join(' || '));
  const streams = 100;
  const text = 'x'.repeat(200);
  const values: Record<string, string> = {
    position: 'n',
    stream: joined("'stream '", `(n % ${streams})`),
    version: isMySql ? `(n - 1) DIV ${streams} + 1` : `(n - 1) / ${streams} + 1`,
    id: joined("'id '", 'n'),
    type: "'noted'",
    schema_version: '1',
    time: "'2026-01-01T00:00:00.000Z'",
    tags: `'["of:all"]'`,
    data: `'{"text":"${text}"}'`,
  };
  await dataSource.query(insertion(dataSource, table('events'), values));
  await dataSource.query(insertion(dataSource, table('tags'), { tag: "'of:all'", position: 'n', type: "'noted'" }));
  if (dataSource.options.type === 'postgres')
    await dataSource.query(`SELECT setval(pg_get_serial_sequence('${table('events')}', 'position'), ${count})`);
}

/** SQL that inserts a row for each `n` from 1 to `count`. */
function insertion({ driver }: DataSource, table: string, values: Record<string, string>): string {
  const names = Object.keys(values).map((name) => driver.escape(name));
  const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(' UNION ALL ');
  const number = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => `${name}.d * ${10 ** index}`).join(' + ');
  return `INSERT INTO ${table} (${names.join(', ')})
    SELECT ${Object.values(values).join(', ')} FROM (
      WITH digits AS (${digits})
      SELECT 1 + ${number} AS n FROM digits a, digits b, digits c, digits d, digits e, digits f WHERE f.d < ${count / 100_000}
    ) AS numbers ORDER BY n`;
}
