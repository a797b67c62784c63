import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../../controls/databases';
import { mysqlUrl, postgresUrl } from '../../../controls/servers';
import { LiveReader } from './live-reader';
import { TcpProxy } from './tcp-proxy';

describeDatabases(
  'A reader on another connection',
  (database) => {
    const isPostgres = database === postgres;
    let place: DatabasePlace;
    let proxy: TcpProxy;
    let writer: TypeOrmEventStore;
    beforeAll(async () => {
      place = await database.make();
      proxy = await TcpProxy.before(isPostgres ? postgresUrl : mysqlUrl);
      writer = await place.open();
    });
    afterAll(async () => {
      await writer?.close();
      await place?.drop();
      await proxy?.close();
    });

    const note = (id: string) =>
      writer.append([{ stream: 's', guard: { version: 'any' }, events: [{ type: 'n', id, data: {} }] }]);

    if (isPostgres) {
      it('is woken at once, without looking', async () => {
        const polling = { minMs: 60_000, maxMs: 60_000 };
        const store = await place.open({ polling }, await place.connect());
        let seenAt = 0;
        const reader = new LiveReader(store, () => {
          seenAt = performance.now();
        });
        await note('first');
        const before = (await reader.idsOf(1)).length;
        const delays: number[] = [];
        for (let time = 1; time <= 15; time += 1) {
          await note(`at once ${time}`);
          const stored = performance.now();
          await reader.idsOf(before + time);
          delays.push(seenAt - stored);
        }
        await reader.stop();
        await store.close();
        // Who only looked would have found it after a minute.
        expect(delays.sort((a, b) => a - b)[7]).toBeLessThan(5_000);
      });
    }

    it('sends next to nothing while nothing happens', async () => {
      const store = await place.open({}, await place.connect({ url: proxy.url }));
      const reader = new LiveReader(store);
      await note('seen');
      await reader.idsOf(1);
      const before = proxy.requests;
      await delay(2_000);
      const requests = proxy.requests - before;
      await reader.stop();
      await store.close();
      // It looks less and less often: in the end every five seconds, and every second where nobody tells.
      expect(requests).toBeLessThanOrEqual(isPostgres ? 12 : 15);
    });
  },
  [postgres, mariadb],
);
