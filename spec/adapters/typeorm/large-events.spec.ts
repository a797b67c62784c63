import { type Append, type EventStore, InvalidAppendError } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import { type DatabasePlace, describeDatabases, mariadb } from '../../controls/databases';

const megabyte = 2 ** 20;

const event = (megabytes: number, letter = 'y') => ({ type: 'large', data: { text: letter.repeat(megabytes * megabyte) } });

const to = (stream: string, ...events: Append['events']): Append[] => [{ stream, guard: { version: 'none' }, events }];

async function lengths(store: EventStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { stream, data } of store.read({}))
    found.push(`${stream} ${(data as { text: string }).text.length / megabyte}`);
  return found.sort();
}

describeDatabases(
  'Events of many megabytes',
  (database) => {
    let place: DatabasePlace;
    let store: TypeOrmEventStore;
    beforeAll(async () => {
      place = await database.make();
    });
    beforeEach(async () => {
      await place.clear();
      store = await place.open();
    });
    afterEach(() => store.close());
    afterAll(() => place?.drop());

    it('are stored by one append, though they take more than a packet together', async () => {
      await store.append(to('a', event(6), event(3, '"'), event(6)));
      expect(await lengths(store)).toStrictEqual(['a 3', 'a 6', 'a 6']);
    });

    it('are stored in a transaction of the user’s, though they take more than a packet together', async () => {
      const dataSource = await place.dataSource();
      await dataSource.transaction((manager) => store.within(manager).append(to('a', event(6), event(6), event(6))));
      expect(await lengths(store)).toHaveLength(3);
    });

    it('are stored by appends at once, though they take more than a packet together', async () => {
      await Promise.all(['a', 'b', 'c', 'd'].map((stream) => store.append(to(stream, event(5)))));
      expect(await lengths(store)).toStrictEqual(['a 5', 'b 5', 'c 5', 'd 5']);
    });

    it('are refused when one alone is more than a packet; appends beside them are stored', async () => {
      const appends = [to('a', event(1)), to('b', event(17)), to('c', event(1)), to('d', event(1), event(40)), to('e', event(1))];
      const outcomes = await Promise.allSettled(appends.map((append) => store.append(append)));
      expect(outcomes.map(({ status }) => status)).toStrictEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
      for (const index of [1, 3]) expect((outcomes[index] as PromiseRejectedResult).reason).toBeInstanceOf(InvalidAppendError);
      expect(await lengths(store)).toStrictEqual(['a 1', 'c 1', 'e 1']);
    });
  },
  [mariadb],
);
