import type { ProjectionStore } from 'eventfold';
import type { DataSource } from 'typeorm';
import { type Database, type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../../../controls/databases';
import { ownPlace } from '../../../controls/own-place';
import { openStore } from './projection-place';

/** What is about a value, by what it does: SQL that fails on a table `{t}` with a row 1. */
const refused: readonly [string, string, readonly Database[]][] = [
  ['a key that is there', `INSERT INTO {t} (id, name, amount) VALUES (1, 'a', 1)`, [postgres, mariadb, sqlite]],
  ['a value where there has to be one', 'INSERT INTO {t} (id, name, amount) VALUES (2, NULL, 1)', [postgres, mariadb, sqlite]],
  ['a text that is too long', `INSERT INTO {t} (id, name, amount) VALUES (2, 'abcdefghijkl', 1)`, [postgres, mariadb]],
  ['a number that is too large', `INSERT INTO {t} (id, name, amount) VALUES (2, 'a', 99999999999)`, [postgres, mariadb]],
  ['a text for a number', `INSERT INTO {t} (id, name, amount) VALUES ('x', 'a', 1)`, [postgres, mariadb, sqlite]],
  ['a rule of the table', `INSERT INTO {t} (id, name, amount) VALUES (2, 'a', -1)`, [postgres, mariadb, sqlite]],
  ['a row that others belong to', `INSERT INTO {u} (id, t) VALUES (1, 7)`, [postgres, mariadb, sqlite]],
];

const databases = [postgres, mariadb, sqlite];

describeDatabases(
  'failures',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    let projections: ProjectionStore;

    beforeAll(async () => {
      place = await ownPlace(database);
      const store = await openStore(place);
      projections = store.projections;
      dataSource = await place.dataSource();
      await dataSource.query(
        on('CREATE TABLE {t} (id integer PRIMARY KEY, name varchar(10) NOT NULL, amount integer NOT NULL CHECK (amount >= 0))'),
      );
      await dataSource.query(on('CREATE TABLE {u} (id integer PRIMARY KEY, t integer, FOREIGN KEY (t) REFERENCES {t} (id))'));
      await dataSource.query(on(`INSERT INTO {t} (id, name, amount) VALUES (1, 'a', 1)`));
    });
    afterAll(() => place?.drop());

    it.each(refused.filter(([, , kinds]) => kinds.includes(database)))('about %s are refusals', async (_what, sql) => {
      const error = await errorOf(() => dataSource.query(on(sql)));
      expect([projections.isRefusal(error), projections.isTransient(error)]).toStrictEqual([true, false]);
      const wrapped = new Error('It failed.', { cause: error });
      expect(projections.isRefusal(wrapped)).toBe(true);
    });

    it.each([
      ['what is not there', 'SELECT * FROM not_there'],
      ['what nobody understands', 'SELEKT 1'],
    ])('about %s are neither', async (_what, sql) => {
      const error = await errorOf(() => dataSource.query(sql));
      expect([projections.isRefusal(error), projections.isTransient(error)]).toStrictEqual([false, false]);
    });

    if (database !== sqlite)
      it('of a connection that was lost pass by themselves', async () => {
        const runner = dataSource.createQueryRunner();
        await runner.connect();
        const [{ id }] = await runner.query(`SELECT ${database === postgres ? 'pg_backend_pid()' : 'CONNECTION_ID()'} AS id`);
        await dataSource.query(database === postgres ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`);
        const error = await errorOf(() => runner.query('SELECT 1'));
        await runner.release().catch(() => undefined);
        expect([projections.isRefusal(error), projections.isTransient(error)]).toStrictEqual([false, true]);
      });

    it('of a connection that was lost pass by themselves also where TypeORM knows of it already', async () => {
      if (database !== postgres) return;
      const other = await place.connect();
      const runner = other.createQueryRunner();
      const [{ id }] = await runner.query('SELECT pg_backend_pid() AS id');
      await other.query(`SELECT pg_terminate_backend(${id})`);
      while (!runner.isReleased) await new Promise((turn) => setTimeout(turn, 5));
      const error = await errorOf(() => runner.query('SELECT 1'));
      expect([projections.isRefusal(error), projections.isTransient(error)]).toStrictEqual([false, true]);
    });

    it('of locks that are not to be had pass by themselves', async () => {
      const holder = await place.connect();
      const update = on('UPDATE {t} SET amount = 2 WHERE id = 1');
      const error = await lockedOut(database, { holder, other: dataSource, update });
      expect([projections.isRefusal(error), projections.isTransient(error)]).toStrictEqual([false, true]);
    });

    if (database !== sqlite)
      it('of a server that is away pass by themselves', async () => {
        const url = new URL(database === postgres ? 'postgres://postgres@127.0.0.1:1/test' : 'mysql://root@127.0.0.1:1/test');
        const error = await errorOf(() => place.connect({ url: url.href, synchronize: false } as never));
        expect(projections.isTransient(error)).toBe(true);
      });

    /** With the tables in the schema of the store, where there are schemas. */
    function on(sql: string): string {
      const { schema } = place.tables;
      return sql.replaceAll(/\{(.)\}/g, (_match, table: string) => (schema === undefined ? table : `"${schema}".${table}`));
    }
  },
  databases,
);

/** Holds a row, and has another wait for it for a moment. */
async function lockedOut(
  database: Database,
  { holder, other, update }: { readonly holder: DataSource; readonly other: DataSource; readonly update: string },
): Promise<unknown> {
  const holding = holder.createQueryRunner();
  const waiting = other.createQueryRunner();
  await holding.startTransaction();
  await holding.query(update);
  const limit = {
    PostgreSQL: `SET lock_timeout = '10ms'`,
    MariaDB: 'SET innodb_lock_wait_timeout = 0',
    SQLite: 'PRAGMA busy_timeout = 1',
  };
  await waiting.query(limit[database.name as keyof typeof limit]);
  const error = await errorOf(() => waiting.query(update));
  await holding.rollbackTransaction();
  for (const runner of [holding, waiting]) await runner.release();
  return error;
}

async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}
