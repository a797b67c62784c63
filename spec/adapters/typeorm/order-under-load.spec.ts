import { setTimeout as delay } from 'node:timers/promises';
import { EventSourcing, type EventStore, type Position } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, sqlite, sqliteInMemory } from '../../controls/databases';
import { OpenTransactions } from '../../controls/open-transactions';
import { Added, AsyncTally } from '../../controls/tally';

/** How long the writers write. */
const seconds = Number(process.env['EVENTFOLD_LOAD_SECONDS'] ?? 3);

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const random = (below: number) => Math.floor(Math.random() * below);

/** Reads on from where it was, again and again. */
class Poller {
  readonly ids: string[] = [];
  readonly versions = new Map<string, number>();
  private after: Position | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly types?: readonly string[],
  ) {}

  async readOn(): Promise<void> {
    const query = {
      ...(this.after !== undefined && { after: this.after }),
      ...(this.types !== undefined && { criteria: [{ types: this.types }] }),
    };
    for await (const { id, position, stream, version } of this.store.read(query)) {
      if (this.after !== undefined) expect(this.store.compare(this.after, position)).toBeLessThan(0);
      if (this.types === undefined) expect(version).toBe((this.versions.get(stream) ?? 0) + 1);
      this.versions.set(stream, version);
      this.after = position;
      this.ids.push(id);
    }
  }

  async readUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.readOn();
      await delay(random(5));
    }
    await this.readOn();
  }
}

describeDatabases('Order under load', (database) => {
  const transactions = new OpenTransactions();
  const dataSources: DataSource[] = [];
  const stores: TypeOrmEventStore[] = [];
  // On SQLite TypeORM has one query runner for all, on which a second transaction would be a savepoint in the first.
  const sharesRunner = database === sqlite || database === sqliteInMemory;
  let turn = Promise.resolve();
  let place: DatabasePlace;
  // On SQLite the last one only reads: two connections of one process would stop it by waiting for each other.
  const [connections, writing] = database === sqlite ? [1, 2] : [3, 3];

  beforeAll(async () => {
    place = await database.make();
    for (const index of range(3)) {
      const isOwn = index === 0 || (database.isShared && index >= 3 - connections);
      const dataSource = isOwn ? await place.connect() : await place.dataSource();
      dataSources.push(dataSource);
      stores.push(await place.open({ gather: index !== 1 }, dataSource));
    }
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await transactions.rollbackAll();
    await place?.drop();
  });

  it(
    'shows every reader each event once and in one order, while 16 write, some slowly, some in vain',
    async () => {
      const stored = new Set<string>();
      const lost = new Set<string>();
      const end = Date.now() + seconds * 1_000;
      let isOver = false;
      const eventsOf = (writer: number) =>
        range(1 + random(3)).map(() => ({
          type: random(2) === 0 ? 'tally.added' : 'tally.other',
          id: crypto.randomUUID(),
          data: { id: `t${writer}`, amount: 1 },
          tags: random(2) === 0 ? [] : [`id:t${writer}`],
        }));
      const appendsOf = (writer: number, events: ReturnType<typeof eventsOf>) => [
        { stream: `s${random(4) === 0 ? 'hared' : writer}`, guard: { version: 'any' as const }, events },
      ];

      const write = async (writer: number) => {
        const [store, dataSource] = [stores[writer % writing] as TypeOrmEventStore, dataSources[writer % writing] as DataSource];
        while (Date.now() < end) {
          const events = eventsOf(writer);
          if (random(3) > 0) {
            await store.append(appendsOf(writer, events));
            for (const { id } of events) stored.add(id);
            continue;
          }
          const inTransaction = async () => {
            const transaction = await transactions.begin(dataSource, store);
            if (random(2) === 0) await transaction.runner.query('SELECT 1');
            await transaction.store.append(appendsOf(writer, events));
            if (random(2) === 0) await delay(random(20));
            const isKept = random(10) > 0;
            for (const { id } of events) (isKept ? stored : lost).add(id);
            await (isKept ? transaction.commit() : transaction.rollback());
          };
          if (sharesRunner) turn = turn.then(inTransaction);
          await (sharesRunner ? turn : inTransaction());
        }
      };

      const readers = [0, 1, 2].map(
        (index) => new Poller(stores[index] as TypeOrmEventStore, index === 2 ? ['tally.added'] : undefined),
      );
      const es = await EventSourcing.open({ store: stores[0] as TypeOrmEventStore, classes: [AsyncTally] });
      const followed: string[] = [];
      es.events({ types: [Added] }).subscribe(({ id }) => followed.push(id));
      const reading = readers.map((reader) => reader.readUntil(() => isOver));
      const written = await Promise.allSettled(range(16).map(write));
      isOver = true;
      await Promise.all(reading);
      expect(written.filter(({ status }) => status === 'rejected')).toStrictEqual([]);

      const all = new Poller(stores[1] as TypeOrmEventStore);
      await all.readOn();
      expect(all.ids.filter((id) => lost.has(id))).toStrictEqual([]);
      expect(new Set(all.ids)).toStrictEqual(stored);
      expect(readers[0]?.ids).toStrictEqual(all.ids);
      expect(readers[1]?.ids).toStrictEqual(all.ids);
      const added = new Poller(stores[1] as TypeOrmEventStore, ['tally.added']);
      await added.readOn();
      expect(readers[2]?.ids).toStrictEqual(added.ids);
      while (followed.length < added.ids.length) await delay(5);
      expect(followed).toStrictEqual(added.ids);
      await es.close();
    },
    (seconds + 15) * 1_000,
  );
});
