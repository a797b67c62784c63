import type { EventStore } from 'eventfold';
import { UnfitTransactionError } from 'eventfold/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, pglite, postgres } from '../../controls/databases';

const append = (store: EventStore, stream: string) =>
  store.append([{ stream, events: [{ type: 'noted', data: { stream } }], guard: { version: 'any' } }]);

async function streamsIn(store: EventStore): Promise<string[]> {
  const streams: string[] = [];
  for await (const { stream } of store.read({})) streams.push(stream);
  return streams;
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );

describeDatabases(
  'A transaction that PostgreSQL has ended because of an error',
  (database) => {
    let place: DatabasePlace;
    beforeAll(async () => {
      place = await database.make();
    });
    afterAll(() => place?.drop());

    it('is refused at its commit, though the error was caught, and tells nobody', async () => {
      const dataSource = await place.dataSource();
      const store = await place.open({}, dataSource);
      const endings: string[] = [];
      const heard: unknown[] = [];
      store.appended().subscribe((position) => heard.push(position));
      const transaction = dataSource.transaction(async (manager) => {
        const joined = store.within(manager);
        await append(joined, 'lost');
        joined.onEnd((how) => void endings.push(how));
        await manager.query('SELECT 1 / 0').catch(() => undefined);
      });
      expect(await rejection(transaction)).toBeInstanceOf(UnfitTransactionError);
      expect([endings, heard, await streamsIn(store)]).toStrictEqual([['rolledBack'], [], []]);
      await append(store, 'kept');
      expect(await streamsIn(store)).toStrictEqual(['kept']);
      await store.close();
    });
  },
  [postgres, pglite],
);

describeDatabases(
  'A transaction that MariaDB has rolled back after a deadlock',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    const table = `deadlocked_${process.pid}`;
    beforeAll(async () => {
      place = await database.make();
      dataSource = await place.dataSource();
      await dataSource.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, n INT)`);
      await dataSource.query(`INSERT INTO ${table} VALUES (1, 0), (2, 0)`);
    });
    afterAll(async () => {
      await dataSource.query(`DROP TABLE ${table}`);
      await place.drop();
    });

    it('takes no more appends, and is refused at its commit', async () => {
      const store = await place.open({}, dataSource);
      const endings: string[] = [];
      let ready = 0;
      let bothReady!: () => void;
      const both = new Promise<void>((resolve) => {
        bothReady = resolve;
      });
      const cross = async (manager: EntityManager, first: number, second: number): Promise<boolean> => {
        await manager.query(`UPDATE ${table} SET n = n + 1 WHERE id = ${first}`);
        ready += 1;
        if (ready === 2) bothReady();
        await both;
        return manager.query(`UPDATE ${table} SET n = n + 1 WHERE id = ${second}`).then(
          () => false,
          () => true,
        );
      };
      const run = (first: number, second: number) =>
        rejection(
          dataSource.transaction(async (manager) => {
            if (!(await cross(manager, first, second))) return;
            const joined = store.within(manager);
            endings.push(String((await rejection(append(joined, 'after'))) instanceof UnfitTransactionError));
            joined.onEnd((how) => void endings.push(how));
          }),
        );
      const outcomes = await Promise.all([run(1, 2), run(2, 1)]);
      expect(outcomes.filter((outcome) => outcome instanceof UnfitTransactionError)).toHaveLength(1);
      expect(endings).toStrictEqual(['true', 'rolledBack']);
      expect(await streamsIn(store)).toStrictEqual([]);
      await store.close();
    });
  },
  [mariadb],
);

describeDatabases(
  'A DataSource that parses bigints',
  (database) => {
    it('gives positions as texts all the same', async () => {
      const place = await database.make();
      try {
        const store = await place.open({}, await place.connect({ parseInt8: true } as object));
        const { position } = await append(store, 'a');
        for await (const event of store.read({ stream: 'a' })) expect(event.position).toBe(position);
        for await (const event of store.read({})) expect(event.position).toBe(position);
        await store.close();
      } finally {
        await place.drop();
      }
    });
  },
  [postgres],
);
