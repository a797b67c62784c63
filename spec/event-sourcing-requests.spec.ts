import { randomUUID } from 'node:crypto';
import {
  type Appended,
  createEvent,
  EventSourcing,
  type EventStore,
  InMemoryEventStore,
  InvalidArgumentError,
  InvalidPositionError,
} from 'eventfold';
import { waitForOwnWrites } from 'eventfold/http';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { Account, AccountBalance } from '../samples/bank/account';
import { Counted, Counter } from './controls/counter';
import { type DatabasePlace, sqlite } from './controls/databases';

describe('es.trackAppends', () => {
  let place: DatabasePlace;
  let dataSource: DataSource;
  let store: EventStore;
  let es: EventSourcing;

  beforeEach(async () => {
    place = await sqlite.make();
    dataSource = await place.connect();
    store = new TypeOrmEventStore(dataSource);
    es = await EventSourcing.open({ store, classes: [Account, AccountBalance, Counter] });
  });

  afterEach(async () => {
    await es.close();
    await place.drop();
  });

  const deposit = async (amount = 1) => (await es.loadOrCreate(Account, { accountId: randomUUID() })).deposit(amount);

  it('tells what was appended in it, and nothing of what others append meanwhile', async () => {
    const quiet: Appended[] = [];
    const busy = es.trackAppends(async (appended) => {
      expect(appended.position).toBeUndefined();
      await deposit();
      expect(appended.position).toBe(await store.head());
      return appended;
    });
    await es.trackAppends(async (appended) => {
      quiet.push(appended);
      await busy;
      await es.loadOrCreate(Account, { accountId: randomUUID() });
    });
    const { position } = await busy;
    await deposit();
    expect((await busy).position).toBe(position);
    expect(position).not.toBe(await store.head());
    expect(quiet[0]?.position).toBeUndefined();
  });

  it('tells the newest of several, from whatever they come, and tells who tracks the work around it', async () => {
    await es.trackAppends(async (outer) => {
      await es.trackAppends(async (inner) => {
        await Promise.all([
          deposit(),
          es.appendUnguarded('counts', [createEvent(Counted, { counterId: 'a' })]).catch(() => undefined),
          deposit(),
        ]);
        await es.transaction(async () => {
          await deposit();
          await deposit();
          expect(inner.position).not.toBeUndefined();
        });
        expect(inner.position).toBe(await store.head());
      });
      expect(outer.position).toBe(await store.head());
    });
  });

  it('tells of a transaction of yours when that is committed, and not when it is rolled back', async () => {
    await es.trackAppends(async (appended) => {
      await dataSource.transaction(async (manager) => {
        await es.transaction(manager, () => deposit());
        expect(appended.position).toBeUndefined();
      });
      const committed = await store.head();
      expect(appended.position).toBe(committed);
      const failed = dataSource.transaction(async (manager) => {
        await es.transaction(manager, () => deposit());
        throw new Error('mine');
      });
      await expect(failed).rejects.toThrow('mine');
      expect(appended.position).toBe(committed);
    });
  });

  it('tells nothing of what failed', async () => {
    await es.trackAppends(async (appended) => {
      await expect(deposit(-1)).rejects.toThrow('not valid');
      expect(appended.position).toBeUndefined();
    });
  });

  it('takes a function', () => {
    expect(() => es.trackAppends(5 as never)).toThrow(InvalidArgumentError);
  });

  it('gives texts from outside to nobody who could take them for SQL, and waits for what never comes no longer than it may', async () => {
    await deposit();
    expect(es.position(String(await es.head()))).toBe(await store.head());
    const asked: string[] = [];
    const { query } = dataSource;
    dataSource.query = (sql: string, ...rest: never[]) => {
      asked.push(sql);
      return Reflect.apply(query, dataSource, [sql, ...rest]) as never;
    };
    for (const forged of ["1' OR 1=1", '1.5', '0', '-1', ' 1', '1e3', '9'.repeat(19), '1\0'])
      expect(() => es.position(forged)).toThrow(InvalidPositionError);
    expect(asked).toStrictEqual([]);
    const headers = { 'eventfold-position': '999999999999999999' };
    await expect(waitForOwnWrites(es, headers, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'CAUGHT_UP_TIMEOUT' });
  });
});

describe('es.head', () => {
  it('is the newest position of the store, whoever appended it', async () => {
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Account] });
    expect(await es.head()).toBeUndefined();
    const { position } = await store.append([
      { stream: 'other', events: [{ type: 'other', data: {} }], guard: { version: 'any' } },
    ]);
    expect(await es.head()).toBe(position);
    await es.close();
    await expect(es.head()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
