import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { EventStore, RecordedEvent } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type Address, connectTo } from './address';
import { Child } from './child';

describe('A file of SQLite', () => {
  let folder: string;
  let address: Address & { readonly file: string };
  let dataSource: DataSource;
  let store: TypeOrmEventStore;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eventfold-'));
    address = { type: 'better-sqlite3', file: join(folder, 'events.sqlite'), tables: {} };
    ({ dataSource, store } = await connectTo(address, { synchronize: true }));
  });
  afterEach(async () => {
    await store.close();
    if (dataSource.isInitialized) await dataSource.destroy();
    rmSync(folder, { recursive: true });
  });

  const note = (id: string, size = 10, to: EventStore = store) =>
    to.append([
      {
        stream: 's',
        guard: { version: 'any' },
        events: [1, 2].map((index) => ({ type: 'noted', id: `${id}.${index}`, data: { text: 'x'.repeat(size) } })),
      },
    ]);

  it('that has grown to its limit refuses appends, loses none, and takes more when there is room', async () => {
    await note('first');
    const [{ page_count: pages }] = await dataSource.query('PRAGMA page_count');
    await dataSource.query(`PRAGMA max_page_count = ${pages + 40}`);
    const stored = ['first'];
    const refused: unknown[] = [];
    for (let time = 1; refused.length < 3; time += 1) {
      const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => note(`${name}${time}`, 3_000)));
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') stored.push(`${'abc'[index]}${time}`);
        else refused.push(outcome.reason);
      }
    }
    expect(refused.map((error) => (error as { code: string }).code)).toStrictEqual(refused.map(() => 'SQLITE_FULL'));
    const events = await check(store);
    expect(events.map(({ id }) => id)).toStrictEqual(stored.flatMap((id) => [`${id}.1`, `${id}.2`]));
    await dataSource.query('PRAGMA max_page_count = 1000000');
    await note('last', 3_000);
    expect(await check(store)).toHaveLength(events.length + 2);
  });

  it('that may only be read can be read, and refuses appends', async () => {
    await note('first');
    await dataSource.query('PRAGMA query_only = ON');
    await expect(note('second')).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
    expect(await check(store)).toHaveLength(2);
    await dataSource.query('PRAGMA query_only = OFF');
    await note('second');
    expect(await check(store)).toHaveLength(4);
  });

  it('in a folder that is missing is made with it, and where it cannot be made that is an error', async () => {
    const made = await connectTo({ ...address, file: join(folder, 'not', 'there', 'yet.sqlite') }, { synchronize: true });
    await note('first', 10, made.store);
    await made.store.close();
    await made.dataSource.destroy();
    writeFileSync(join(folder, 'file'), '');
    await expect(connectTo({ ...address, file: join(folder, 'file', 'events.sqlite') })).rejects.toThrow();
    await expect(connectTo({ ...address, file: folder })).rejects.toThrow();
  });

  it('that another process holds locked is waited for, and the process goes on meanwhile', async () => {
    await note('first');
    const child = new Child('locking', address, ['1200']);
    await child.says();
    const pauses = new Pauses();
    const appends = ['second', 'third', 'fourth'].map((id) => note(id));
    expect(await check(store)).toHaveLength(2);
    await Promise.all(appends);
    expect(pauses.end()).toBeLessThan(600);
    expect(await child.says((line) => line === 'free')).toBe('free');
    expect((await check(store)).map(({ id }) => id)).toStrictEqual(
      ['first', 'second', 'third', 'fourth'].flatMap((id) => [`${id}.1`, `${id}.2`]),
    );
    await child.exited;
  });

  it('that stays locked for longer than the connection waits refuses appends, and takes them afterwards', async () => {
    await note('first');
    const impatient = await connectTo(address, { timeout: 200 });
    const child = new Child('locking', address, ['1500']);
    await child.says();
    const began = performance.now();
    const refused = await Promise.allSettled(['second', 'third'].map((id) => note(id, 10, impatient.store)));
    const hooked = impatient.store.append(
      [{ stream: 's', guard: { version: 'any' }, events: [{ type: 'noted', data: {} }] }],
      () => undefined,
    );
    await expect(hooked).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
    expect(performance.now() - began).toBeLessThan(1_400);
    for (const outcome of refused) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SQLITE_BUSY' } });
    expect(child.lines).toStrictEqual(['locked']);
    await child.exited;
    await note('second', 10, impatient.store);
    expect(await check(store)).toHaveLength(4);
    await impatient.store.close();
    await impatient.dataSource.destroy();
  });

  it('is written and followed by two processes at once: each sees every event once, and all in one order', async () => {
    const children = ['a', 'b'].map((name) => new Child('meeting', address, [name, '200']));
    const seen = await Promise.all(children.map(async (child) => JSON.parse(await child.says()) as string[]));
    for (const child of children) expect([await child.exited, child.complaints]).toStrictEqual([{ code: 0, signal: null }, '']);
    const ids = (await check(store)).map(({ id }) => id);
    expect(ids).toHaveLength(400);
    expect(seen).toStrictEqual([ids, ids]);
  });
});

/** @returns all events, whose versions have no gap. */
async function check(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.read({})) events.push(event);
  expect(events.map(({ version }) => version)).toStrictEqual(events.map((_, index) => index + 1));
  return events;
}

/** Measures for how long the process stood still at the most. */
class Pauses {
  private last = performance.now();
  private longest = 0;
  private readonly timer = setInterval(() => this.tick(), 5);

  /** @returns milliseconds. */
  end(): number {
    clearInterval(this.timer);
    this.tick();
    return this.longest;
  }

  private tick(): void {
    const now = performance.now();
    this.longest = Math.max(this.longest, now - this.last);
    this.last = now;
  }
}
