import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Append,
  DuplicateEventError,
  EventSourcing,
  type EventStore,
  InMemoryEventStore,
  type RecordedEvent,
} from 'eventfold';
import {
  eventStoreEntities,
  eventStoreMigrations,
  TypeOrmEventStore,
  type TypeOrmEventStoreOptions,
  UnknownOutcomeError,
} from 'eventfold/typeorm';
import libsql from 'libsql';
import { DataSource } from 'typeorm';
import { Account, AccountBalance } from '../../samples/bank/account';
import {
  type DatabasePlace,
  describeDatabases,
  mariadb,
  mysqlUrl,
  pglite,
  postgres,
  postgresUrl,
  sqlite,
} from '../controls/databases';
import { storeOver } from '../controls/store-over';

// Its types need those of a browser.
const { PGliteDriver } = require('typeorm-pglite') as { PGliteDriver: new (options: object) => { driver: unknown } };

const page = readFileSync(join(__dirname, '../../../docs/databases.md'), 'utf8');
const blocks = [...page.matchAll(/(?<=^```sql\n)[^`]*/gm)].map(([sql]) => sql);

/** @returns the statements on the page that begin so. */
const statements = (beginning: string): string[] =>
  blocks.flatMap((block) => block.split(/;\s*/)).filter((sql) => sql.startsWith(beginning));

const accountId = '8f14e45f-ceea-467f-a0e6-7d1f2b6d9a01';

/** Copies events, with their ids and times, to a store that has none of them. */
async function copyEvents(from: EventStore, to: EventStore): Promise<void> {
  for await (const event of from.read({})) {
    const { stream, version, id, type, schemaVersion, data, metadata, tags, time } = event;
    const guard = { version: version - 1 };
    await to.append([{ stream, guard, events: [{ id, type, schemaVersion, data, metadata, tags, time }] }]);
  }
}

/** Appends; when the outcome is unknown it asks for it, by appending once more. Every event has an id. */
async function appendSurely(store: EventStore, appends: readonly Append[]): Promise<void> {
  try {
    await store.append(appends);
  } catch (unknown) {
    if (!(unknown instanceof UnknownOutcomeError)) throw unknown;
    await store.append(appends).catch((error: unknown) => {
      if (!(error instanceof DuplicateEventError)) throw error; // they are stored
    });
  }
}

async function opened(dataSource: DataSource): Promise<EventSourcing> {
  const store = new TypeOrmEventStore(dataSource);
  const es = await EventSourcing.open({ store, classes: [Account, AccountBalance] });
  return es;
}

async function collect(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const collected: RecordedEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

async function asAdmin(type: 'postgres' | 'mysql', sql: string): Promise<void> {
  const admin = await new DataSource({ type, url: type === 'postgres' ? postgresUrl : mysqlUrl }).initialize();
  await admin.query(sql);
  await admin.destroy();
}

const unique = () => `ef_${randomBytes(5).toString('hex')}`;

async function tries(es: EventSourcing): Promise<void> {
  const account = await es.create(Account, { accountId });
  await account.open('Ada');
  await account.deposit(90);
  await es.projections.caughtUp();
  expect(await es.projections.get(AccountBalance, { accountId })).toMatchObject({ balance: 90 });
}

async function stopped(es: EventSourcing, dataSource: DataSource): Promise<void> {
  await es.close(); // closes the store
  await dataSource.destroy(); // yours to close, after it
}

describeDatabases('docs/databases.md', () => {
  const [schema, others] = [unique(), unique()];
  const address = new URL(postgresUrl);
  address.searchParams.set('options', `-c search_path=${others}`);
  const url = address.href;
  beforeAll(() => asAdmin('postgres', `CREATE SCHEMA ${others}`));
  afterAll(() => asAdmin('postgres', `DROP SCHEMA IF EXISTS ${others}, ${schema} CASCADE`));

  it('runs on tables that migrations made, for a role that owns nothing', async () => {
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      entities: eventStoreEntities('postgres'),
      migrations: eventStoreMigrations('postgres'), // beside your own
      migrationsRun: true,
    }).initialize();
    const role = unique();
    await dataSource.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
    await dataSource.query(`GRANT USAGE ON SCHEMA ${others} TO ${role}`);
    try {
      expect(statements('GRANT')).toHaveLength(5);
      for (const grant of statements('GRANT')) await dataSource.query(grant.replace(/TO app$/, `TO ${role}`));
      const own = Object.assign(new URL(url), { username: role, password: role });
      const application = await new DataSource({ type: 'postgres', url: own.href }).initialize();
      const es = await opened(application);
      await tries(es);
      const store = new TypeOrmEventStore(application);
      expect(await store.retag(['account.deposited'], () => ['more:1'])).toBe(1);
      await expect(application.query(`UPDATE eventfold_events SET data = '{}'`)).rejects.toThrow('permission denied');
      await stopped(es, application);
      await dataSource.query(`DROP OWNED BY ${role}`);
    } finally {
      await dataSource.query(`DROP ROLE ${role}`);
      await dataSource.query('TRUNCATE eventfold_events, eventfold_tags, eventfold_snapshots, eventfold_tag_sources');
      await dataSource.query('TRUNCATE eventfold_projections, eventfold_documents, eventfold_parked');
      await dataSource.destroy();
    }
  });

  it('starts, and answers the queries of the page', async () => {
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      entities: eventStoreEntities('postgres'), // and your own
      synchronize: true, // makes the tables; in production use migrations
    }).initialize();
    const store = new TypeOrmEventStore(dataSource);
    const es = await EventSourcing.open({ store, classes: [Account, AccountBalance] });
    await tries(es);
    expect(statements('SELECT')).toHaveLength(4);
    await dataSource.transaction(async (manager) => {
      await store.within(manager).append([{ stream: 's', guard: { version: 'none' }, events: [{ type: 't', data: {} }] }]);
      for (const sql of statements('SELECT')) expect([sql, (await dataSource.query(sql)).length]).not.toContain(0);
    });
    await stopped(es, dataSource);
  });

  it('takes its options', async () => {
    const options: TypeOrmEventStoreOptions = { preparedStatements: false, polling: { minMs: 20, maxMs: 1_000 } };
    const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
    const store = new TypeOrmEventStore(dataSource, options);
    expect(await store.head()).toBeDefined();
    await dataSource.query(`SELECT setval(pg_get_serial_sequence('eventfold_events', 'position'), 1, false)`);
    await dataSource.query(statements('SELECT setval')[0] ?? '');
    const { position } = await store.append([{ stream: 's', guard: { version: 'any' }, events: [{ type: 't', data: {} }] }]);
    expect(Number(position)).toBeGreaterThan(3);
    await store.close();
    await dataSource.destroy();
  });

  it('tells who holds readers back', async () => {
    const dataSource = await new DataSource({ type: 'postgres', url, applicationName: 'forgetful' }).initialize();
    const store = new TypeOrmEventStore(dataSource);
    const event = { type: 't', data: {} };
    const warnings: string[] = [];
    const warn = (text: string) => warnings.push(text);
    await dataSource.transaction(async (manager) => {
      await store.within(manager).append([{ stream: 'a', guard: { version: 'any' }, events: [event] }]);
      await store.append([{ stream: 'b', guard: { version: 'any' }, events: [{ ...event, type: 'other' }] }]);
      const [lag] = await store.lag(); // who does so most; nobody, as a rule
      if (lag !== undefined) warn(`${lag.application} (${lag.pid}) is ${lag.state}, for ${lag.forMs} ms: ${lag.query}`);
    });
    expect(warnings).toStrictEqual([
      expect.stringMatching(/^forgetful \(\d+\) is idle in transaction, for \d+.* ms: .*append_one/),
    ]);
    await store.close();
    await dataSource.destroy();
  });

  it('has tables in a schema, with names of their own', async () => {
    const tables = { schema, tablePrefix: 'ledger_' };
    const dataSource = new DataSource({ type: 'postgres', url, migrations: eventStoreMigrations('postgres', tables) });
    await dataSource.initialize();
    await dataSource.runMigrations();
    const store = new TypeOrmEventStore(dataSource, tables);
    expect(await store.head()).toBeUndefined();
    expect(await dataSource.query(`SELECT * FROM ${schema}.ledger_events`)).toStrictEqual([]);
    await store.close();
    await dataSource.destroy();
  });
}, [postgres]);

describeDatabases('docs/databases.md', () => {
  it('starts', async () => {
    const dataSource = await new DataSource({
      type: 'postgres',
      driver: new PGliteDriver({ dataDir: 'memory://' }).driver, // or a folder
      entities: eventStoreEntities('postgres'),
      synchronize: true,
    }).initialize();
    const es = await opened(dataSource);
    await tries(es);
    await stopped(es, dataSource);
  });
}, [pglite]);

describeDatabases('docs/databases.md', () => {
  it('starts', async () => {
    const name = unique();
    await asAdmin('mysql', `CREATE DATABASE ${name}`);
    const url = Object.assign(new URL(mysqlUrl), { pathname: `/${name}` }).href;
    const dataSource = await new DataSource({
      type: 'mariadb', // or 'mysql'
      url,
      entities: eventStoreEntities('mariadb'),
      synchronize: true,
    }).initialize();
    const es = await opened(dataSource);
    await tries(es);
    await stopped(es, dataSource);
    await asAdmin('mysql', `DROP DATABASE ${name}`);
  });
}, [mariadb]);

describeDatabases('docs/databases.md', () => {
  it('starts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'eventfold-'));
    const database = join(folder, 'events.sqlite');
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      driver: libsql, // import libsql from 'libsql'; leave it out with better-sqlite3
      database,
      enableWAL: true,
      prepareDatabase: (file) => file.pragma('synchronous = FULL'), // or the last events may be lost with the power
      entities: eventStoreEntities('better-sqlite3'),
      synchronize: true,
    }).initialize();
    expect(await dataSource.query('PRAGMA synchronous')).toStrictEqual([{ synchronous: 2 }]);
    expect(await dataSource.query('PRAGMA journal_mode')).toStrictEqual([{ journal_mode: 'wal' }]);
    const es = await opened(dataSource);
    await tries(es);
    await stopped(es, dataSource);
    rmSync(folder, { recursive: true });
  });
}, [sqlite]);

it('README.md shows the start of the guide', () => {
  const readme = readFileSync(join(__dirname, '../../../README.md'), 'utf8');
  const [, block = 'none'] = /^```typescript\n(.*?)^```$/ms.exec(readme) ?? [];
  expect(page).toContain(block);
});

describeDatabases('docs/databases.md', (database) => {
  let place: DatabasePlace;
  let store: TypeOrmEventStore;

  beforeAll(async () => {
    place = await database.make();
  });
  beforeEach(async () => {
    store = await place.open();
  });
  afterEach(async () => {
    await store.close();
    await place.clear();
  });
  afterAll(() => place?.drop());

  const deposit = (amount: number, time?: string) => ({
    stream: 's',
    guard: { version: 'any' as const },
    events: [{ id: randomUUID(), type: 'account.deposited', data: { accountId, amount }, ...(time && { time }) }],
  });

  it('lists every table and column', async () => {
    const { entityMetadatas } = await place.dataSource();
    const { tablePrefix = 'eventfold_' } = place.tables;
    for (const { tableName, columns } of entityMetadatas) {
      const title = `### \`eventfold_${tableName.slice(tablePrefix.length)}\``;
      const section = page.split(/(?=^### )/m).find((part) => part.startsWith(title)) ?? '';
      const listed = [...section.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => cell.match(/\w+/g) ?? []);
      expect([tableName, listed]).toStrictEqual([tableName, columns.map(({ propertyName }) => propertyName)]);
    }
  });

  it('reads pages, from the end and by time', async () => {
    for (let day = 10; day < 20; day += 1) await store.append([deposit(day, `2026-11-${day}T12:00:00Z`)]);
    const deposits = { criteria: [{ types: ['account.deposited'] }] };
    const newest = await store.page(deposits, { last: 3 });
    const older = await store.page(deposits, { last: 3, before: newest.startCursor as string });
    const amounts = (events: readonly RecordedEvent[]) => events.map(({ data }) => (data as { amount: number }).amount);
    expect([amounts(newest.items), amounts(older.items)]).toStrictEqual([
      [17, 18, 19],
      [14, 15, 16],
    ]);
    const lately = store.read({ afterTime: '2026-11-15', beforeTime: new Date('2026-11-18'), direction: 'backward' });
    expect(amounts(await collect(lately))).toStrictEqual([17, 16, 15]);
  });

  it('copies events out of another store, and of this one', async () => {
    const from = new InMemoryEventStore();
    const es = await EventSourcing.open({ store: from, classes: [Account, AccountBalance] });
    await tries(es);
    const there = await collect(from.read({}));
    await copyEvents(from, store);
    const here = await collect(store.read({}));
    const facts = (events: RecordedEvent[]) => events.map(({ position: _, data, ...event }) => ({ ...event, data: { ...data } }));
    expect(facts(here)).toStrictEqual(facts(there));
    const back = new InMemoryEventStore();
    await copyEvents(store, back);
    expect(facts(await collect(back.read({})))).toStrictEqual(facts(there));
    await es.close();
  });

  it('appends once, whether the first append was stored or not', async () => {
    for (const isStored of [true, false]) {
      let isFirst = true;
      const lossy = storeOver(store, {
        append: async (appends: readonly Append[]) => {
          if (isStored || !isFirst) await store.append(appends);
          if (isFirst) {
            isFirst = false;
            throw new UnknownOutcomeError({ cause: new Error('lost') });
          }
          return { events: [], position: undefined };
        },
      });
      await appendSurely(lossy, [deposit(1)]);
    }
    expect(await collect(store.read({}))).toHaveLength(2);
  });
});
