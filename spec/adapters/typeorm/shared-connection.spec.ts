import type { RecordedEvent } from 'eventfold';
import { ConnectionBusyError, type TypeOrmEventStore, UnfitTransactionError } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, pglite, sqlite, sqliteInMemory } from '../../controls/databases';
import { connectWithNotes, Note, note, notesIn, storeOn } from '../../controls/notes';
import { type Counted, Refused, rejection, signal } from '../../controls/wallets';

const event = (by: number) => ({ type: 'tally.counted', data: { tallyId: 't', by } });
const append = (by: number) => [{ stream: `s${by}`, guard: { version: 'none' as const }, events: [event(by)] }];

describeDatabases(
  'One connection for all',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    let store: TypeOrmEventStore;

    beforeAll(async () => {
      place = await database.make();
      dataSource = await connectWithNotes(place, true);
    });
    afterAll(() => place?.drop());
    beforeEach(async () => {
      await place.clear();
      store = storeOn(place, dataSource);
    });
    afterEach(() => store.close());

    async function stored(): Promise<number[]> {
      const numbers: number[] = [];
      for await (const { data } of store.read({})) numbers.push((data as Counted).by);
      return numbers;
    }

    it.each(['commits', 'rolls back'])('keeps an append apart from a transaction of the user’s that %s', async (end) => {
      const [begun, go] = [signal(), signal()];
      const transaction = dataSource.transaction(async (manager) => {
        await note(manager, 'a');
        begun.give();
        await go.promise;
        await note(manager, 'b');
        if (end === 'rolls back') throw new Refused('no');
      });
      await begun.promise;
      let isStored = false;
      const appending = store.append(append(1)).then(() => (isStored = true));
      const hooked = store.append(append(2), () => undefined);
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      expect(isStored).toBe(false);
      go.give();
      await Promise.allSettled([transaction, appending, hooked]);
      expect((await stored()).sort()).toStrictEqual([1, 2]);
      expect(await notesIn(dataSource)).toStrictEqual(end === 'commits' ? ['a', 'b'] : []);
    });

    it('keeps two transactions of the user’s apart, and appends in each', async () => {
      const [begun, go] = [signal(), signal()];
      const first = dataSource.transaction(async (manager) => {
        await store.within(manager).append(append(1));
        await note(manager, '1');
        begun.give();
        await go.promise;
        throw new Refused('no');
      });
      await begun.promise;
      const second = dataSource.transaction(async (manager) => {
        await store.within(manager).append(append(2));
        await note(manager, '2');
      });
      const third = dataSource.transaction((manager) => note(manager, '3'));
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      go.give();
      await expect(first).rejects.toBeInstanceOf(Refused);
      await Promise.all([second, third]);
      expect(await stored()).toStrictEqual([2]);
      expect(await notesIn(dataSource)).toStrictEqual(['2', '3']);
    });

    it('gives everybody his own of many transactions and appends at once', async () => {
      const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
      await Promise.allSettled(
        numbers.map((by) => {
          if (by % 3 === 0) return store.append(append(by));
          if (by % 3 === 1) return store.append(append(by), () => (by % 2 ? undefined : Promise.reject(new Refused('no'))));
          return dataSource.transaction(async (manager) => {
            await note(manager, String(by));
            await store.within(manager).append(append(by));
            if (by % 2 === 0) throw new Refused('no');
          });
        }),
      );
      const wanted = numbers.filter((by) => by % 3 === 0 || by % 2 === 1);
      expect((await stored()).sort((a, b) => a - b)).toStrictEqual(wanted);
      expect(await notesIn(dataSource)).toStrictEqual(
        wanted
          .filter((by) => by % 3 === 2)
          .map(String)
          .sort(),
      );
    });

    it('shows a reader and a follower nothing of a transaction that is open, nor after it was rolled back', async () => {
      await store.append(append(1));
      const heard: string[] = [];
      const subscription = store.appended().subscribe((position) => heard.push(position));
      const [begun, go] = [signal(), signal()];
      const transaction = dataSource.transaction(async (manager) => {
        await store.within(manager).append(append(2));
        begun.give();
        await go.promise;
        throw new Refused('no');
      });
      await begun.promise;
      const head = await store.head();
      expect(await stored()).toStrictEqual([1]);
      expect((await store.page({}, { last: 5 })).items).toHaveLength(1);
      const bounded: RecordedEvent[] = [];
      for await (const found of store.read({ stream: 's2' })) bounded.push(found);
      expect(bounded).toStrictEqual([]);
      go.give();
      await expect(transaction).rejects.toBeInstanceOf(Refused);
      expect(await store.head()).toBe(head);
      await store.append(append(3));
      expect(await stored()).toStrictEqual([1, 3]);
      expect(heard).toHaveLength(1);
      subscription.unsubscribe();
    });

    it('hides what is open from another store on the same tables, and not what lies in other tables', async () => {
      const twin = storeOn(place, dataSource);
      await dataSource.transaction(async (manager) => {
        await store.within(manager).append(append(1));
        expect(await twin.head()).toBeUndefined();
      });
      expect(await twin.head()).toBeDefined();
    });

    it('lets a transaction and queries of the user’s wait while an append with a hook is open', async () => {
      const [begun, go] = [signal(), signal()];
      const hooked = store.append(append(1), async () => {
        begun.give();
        await go.promise;
        throw new Refused('no');
      });
      await begun.promise;
      const written = [
        dataSource.transaction((manager) => note(manager, 'transaction')),
        note(dataSource.manager, 'insert'),
        dataSource.getRepository(Note).save({ text: 'save' }),
        dataSource.getRepository(Note).save({ text: 'second save' }),
      ];
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      go.give();
      await expect(hooked).rejects.toBeInstanceOf(Refused);
      await Promise.all(written);
      expect(await stored()).toStrictEqual([]);
      expect(await notesIn(dataSource)).toStrictEqual(['insert', 'save', 'second save', 'transaction']);
    });

    it('makes what it needs anew when that was made in a transaction that was rolled back', async () => {
      const transaction = dataSource.transaction(async (manager) => {
        await store.within(manager).append(append(1));
        throw new Refused('no');
      });
      await expect(transaction).rejects.toBeInstanceOf(Refused);
      await store.append(append(2));
      expect(await stored()).toStrictEqual([2]);
    });

    it('goes on so when the DataSource is closed and initialised again', async () => {
      if (database !== sqlite) return; // What is in memory is gone then.
      const again = await place.connect({ entities: dataSource.options.entities ?? [] });
      await storeOn(place, again).append(append(1));
      await again.destroy();
      await again.initialize();
      const other = storeOn(place, again);
      const both = [1, 2].map((by) =>
        again.transaction(async (manager) => {
          await other.within(manager).append(append(by + 1));
          await new Promise(setImmediate);
          if (by === 1) throw new Refused('no');
        }),
      );
      await Promise.allSettled([...both, other.append(append(4), () => undefined)]);
      expect((await stored()).sort()).toStrictEqual([1, 3, 4]);
    });

    it('lets a hook query, and refuses it a transaction of its own', async () => {
      await note(dataSource.manager, 'a');
      await store.append(append(1), async () => {
        expect(await notesIn(dataSource)).toStrictEqual(['a']);
      });
      const begin = () => dataSource.transaction((manager) => note(manager, 'b')).then(() => undefined);
      expect(await rejection(store.append(append(2), begin))).toBeInstanceOf(UnfitTransactionError);
      expect(await stored()).toStrictEqual([1]);
      expect(await notesIn(dataSource)).toStrictEqual(['a']);
    });

    it('takes a transaction within a transaction for a savepoint', async () => {
      await dataSource.transaction(async (manager) => {
        await note(manager, 'a');
        const error = await rejection(
          manager.transaction(async (nested) => {
            await note(nested, 'b');
            throw new Refused('no');
          }),
        );
        expect(error).toBeInstanceOf(Refused);
      });
      expect(await notesIn(dataSource)).toStrictEqual(['a']);
    });
  },
  [pglite, sqlite, sqliteInMemory],
);

describeDatabases(
  'One connection for all, kept for too long',
  (database) => {
    let place: DatabasePlace;
    afterEach(() => place?.drop());

    it('is an error that says what to do, and is free again afterwards', async () => {
      place = await database.make();
      const dataSource = await connectWithNotes(place, true);
      const store = storeOn(place, dataSource);
      const waiting = dataSource.transaction(() => store.append(append(1)).then(() => undefined));
      const error = await rejection(waiting);
      expect(error).toBeInstanceOf(ConnectionBusyError);
      expect((error as Error).message).toContain('es.transaction(manager');
      await store.append(append(2));
      expect(await store.head()).toBeDefined();
    });
  },
  [pglite, sqliteInMemory],
);
