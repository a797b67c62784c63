import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventStore, RecordedEvent } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, pglite, postgres, sqlite } from '../../../controls/databases';
import { type Address, addressOf, connectTo } from './address';
import { Child } from './child';
import { LiveReader } from './live-reader';

interface Noted {
  readonly id: string;
  readonly of: number;
  readonly way: string;
}

/** What the processes said of their appends before they were killed. */
interface Said {
  readonly stored: Set<string>;
  readonly refused: Set<string>;
}

describeDatabases(
  'Writing processes that are killed',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    let store: TypeOrmEventStore;
    let ledger: string;
    beforeAll(async () => {
      place = await database.make();
      dataSource = await place.dataSource();
      store = await place.open();
      ledger = await makeLedger(dataSource, place.tables);
    });
    afterAll(async () => {
      await store?.close();
      await dataSource?.query(`DROP TABLE ${ledger}`);
      await place?.drop();
    });

    const times = database === mariadb ? 5 : 15;
    it(`leave no half append, lose no acknowledged one, and hide nothing from a reader, ${2 * times} times`, async () => {
      const address = addressOf(dataSource, place.tables);
      const reader = new LiveReader(store);
      // Two at once, so that one is killed while another appends.
      const said = await Promise.all(['a', 'b'].map((lane) => killWriters(address, { lane, times, ledger })));
      const events = await check(store, said, await rowsOf(dataSource, ledger));
      expect(await reader.idsOf(events.length)).toStrictEqual(events.map(({ id }) => id));
      await reader.stop();
    }, 180_000);
  },
  [postgres, mariadb, sqlite],
);

describeDatabases('A writing process that is killed', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'eventfold-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('leaves no half append in a folder, and loses no acknowledged one, 3 times', async () => {
    const address: Address = { type: 'postgres', folder, tables: {} };
    const first = await connectTo(address, { synchronize: true });
    const ledger = await makeLedger(first.dataSource, {});
    await first.dataSource.destroy();
    const said = await killWriters(address, { lane: 'a', times: 3, ledger });
    const { dataSource, store } = await connectTo(address);
    await check(store, [said], await rowsOf(dataSource, ledger));
    await store.close();
    await dataSource.destroy();
  }, 180_000);
}, [pglite]);

async function killWriters(
  address: Address,
  { lane, times, ledger }: { readonly lane: string; readonly times: number; readonly ledger: string },
): Promise<Said> {
  const said: Said = { stored: new Set(), refused: new Set() };
  for (let time = 1; time <= times; time += 1) {
    const child = new Child('appending', address, [`${lane}${time}`, ledger]);
    await child.says();
    await delay(20 + Math.random() * 130);
    child.kill();
    const { signal } = await child.exited;
    expect([signal, child.complaints]).toStrictEqual(['SIGKILL', '']);
    for (const line of child.lines) {
      const [outcome, id] = line.split(' ') as [keyof Said, string];
      said[outcome].add(id);
    }
  }
  return said;
}

/** @returns all events, which are just as they should be. */
async function check(store: EventStore, said: readonly Said[], rows: readonly string[]): Promise<RecordedEvent[]> {
  const events = await settled(store);
  const appends = groupedBy(events, ({ data }) => (data as Noted).id);
  const half = [...appends].filter(([, parts]) => parts.length !== (parts[0]?.data as Noted | undefined)?.of).map(([id]) => id);
  expect(half).toStrictEqual([]);

  const acknowledged = said.flatMap(({ stored }) => [...stored]);
  expect(acknowledged.length).toBeGreaterThanOrEqual(said.length * 3);
  expect(acknowledged.filter((id) => !appends.has(id))).toStrictEqual([]);
  expect(said.flatMap(({ refused }) => [...refused]).filter((id) => appends.has(id))).toStrictEqual([]);

  for (const ofStream of groupedBy(events, ({ stream }) => stream).values())
    expect(ofStream.map(({ version }) => version)).toStrictEqual(ofStream.map((_, index) => index + 1));

  for (const tag of new Set(events.flatMap(({ tags }) => tags))) {
    const tagged = await allOf(store, tag);
    expect(tagged.map(({ id }) => id)).toStrictEqual(events.filter(({ tags }) => tags.includes(tag)).map(({ id }) => id));
  }

  const joined = [...appends]
    .filter(([, [event]]) => (event?.data as Noted | undefined)?.way === 'in a transaction')
    .map(([id]) => id);
  expect(rows.toSorted()).toStrictEqual(joined.toSorted());
  return events;
}

/** @returns all events, when no server is at work any more for a process that is gone. */
async function settled(store: EventStore): Promise<RecordedEvent[]> {
  let events = await allOf(store);
  for (let time = 1; ; time += 1) {
    const count = events.length;
    const data = { id: `settled ${time}`, of: 1, way: 'hooked' };
    // An append with a hook waits for all that are under way.
    await store.append([{ stream: 'settled', guard: { version: 'any' }, events: [{ type: 'noted', data }] }], () => undefined);
    events = await allOf(store);
    if (events.length === count + 1) return events;
  }
}

async function allOf(store: EventStore, tag?: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.read(tag === undefined ? {} : { criteria: [{ tags: [tag] }] })) events.push(event);
  return events;
}

function groupedBy(events: readonly RecordedEvent[], keyOf: (event: RecordedEvent) => string): Map<string, RecordedEvent[]> {
  const groups = new Map<string, RecordedEvent[]>();
  for (const event of events) {
    const key = keyOf(event);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return groups;
}

/** A table of the user's own. @returns its name. */
async function makeLedger(dataSource: DataSource, { schema, tablePrefix = '' }: DatabasePlace['tables']): Promise<string> {
  const ledger = schema === undefined ? `${tablePrefix}ledger` : `"${schema}".ledger`;
  await dataSource.query(`CREATE TABLE ${ledger} (id varchar(100) PRIMARY KEY)`);
  return ledger;
}

async function rowsOf(dataSource: DataSource, ledger: string): Promise<string[]> {
  const rows: { id: string }[] = await dataSource.query(`SELECT id FROM ${ledger}`);
  return rows.map(({ id }) => id);
}
