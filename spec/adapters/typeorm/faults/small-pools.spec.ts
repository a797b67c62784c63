import { EventSourcing } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../../controls/databases';
import { added, InlineTally } from '../../../controls/tally';
import { LiveReader } from './live-reader';

describeDatabases(
  'A store with few connections',
  (database) => {
    let place: DatabasePlace;
    beforeEach(async () => {
      place = await database.make();
      await place.dataSource();
    });
    afterEach(() => place?.drop());

    for (const poolSize of [1, 2]) {
      describe(`a pool of ${poolSize}`, () => {
        let dataSource: DataSource;
        let store: TypeOrmEventStore;
        beforeEach(async () => {
          dataSource = await place.connect({ poolSize } as object);
          store = await place.open({}, dataSource);
        });
        afterEach(() => store?.close());

        const note = (id: string, stream = 's') =>
          store.append([{ stream, guard: { version: 'any' }, events: [{ type: 'noted', id, data: {}, tags: ['a:1'] }] }]);
        const count = async () => {
          let read = 0;
          for await (const _ of store.read({})) read += 1;
          return read;
        };

        it('appends, reads, pages, follows and wakes, all at once', async () => {
          const readers = [1, 2, 3].map(() => new LiveReader(store));
          await Promise.all(
            Array.from({ length: 30 }, async (_, index) => {
              await note(`id-${index}`);
              await Promise.all([count(), store.page({}, { first: 5 }), store.head()]);
              await store.append(
                [{ stream: 'hooked', guard: { version: 'any' }, events: [{ type: 'noted', id: `hooked-${index}`, data: {} }] }],
                () => undefined,
              );
            }),
          );
          for (const reader of readers) {
            expect(new Set(await reader.idsOf(60)).size).toBe(60);
            await reader.stop();
          }
        });

        it('gets a connection back from a reader that leaves early', async () => {
          const events = Array.from({ length: 2_500 }, (_, index) => ({ type: 'noted', data: { index } }));
          await store.append([{ stream: 's', guard: { version: 'any' }, events }]);
          for (let time = 1; time <= 20; time += 1) {
            for await (const event of store.read({})) {
              expect(event.version).toBe(1);
              break;
            }
            for await (const chunk of store.read({ stream: 's' }).chunks()) {
              expect(chunk.length).toBeLessThan(2_500);
              break;
            }
          }
          await note('after');
          expect(await count()).toBe(2_501);
        });

        it('keeps inline projections up to date with what other processes appended', async () => {
          const es = await EventSourcing.open({ store, classes: [InlineTally] });
          const far = await place.open();
          for (const id of ['a', 'b', 'c']) {
            const data = { id, amount: 1 };
            await far.append([{ stream: 'far', guard: { version: 'any' }, events: [{ type: 'tally.added', data }] }]);
            await es.appendUnguarded('near', [added(id, 2)]);
            expect(await es.projections.get(InlineTally, { id })).toMatchObject({ seen: [1, 2] });
          }
          await es.close();
          await far.close();
        });

        it('appends and reads on when those that waited for others’ locks have got them', async () => {
          const holder = await place.dataSource();
          const far = await place.open();
          const waiting = await holder.transaction(async (manager) => {
            await far.within(manager).append([{ stream: 's', guard: { version: 'any' }, events: [{ type: 'noted', data: {} }] }]);
            return Promise.allSettled([1, 2, 3, 4].map((index) => Promise.race([note(`waiting-${index}`), count()])));
          });
          expect(waiting).toHaveLength(4);
          await far.close();
        });
      });
    }
  },
  [postgres, mariadb],
);
