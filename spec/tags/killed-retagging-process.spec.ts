import { setTimeout as delay } from 'node:timers/promises';
import { createEvent, EventSourcing } from 'eventfold';
import { addressOf } from '../adapters/typeorm/faults/address';
import { Child } from '../adapters/typeorm/faults/child';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../controls/databases';
import { Credited, Moved, Tally, Wallet } from '../controls/wallets';
import { range } from '../promises/stores';

const many = 6_000;

describeDatabases(
  'Tagging that is killed',
  (database) => {
    let place: DatabasePlace;
    beforeAll(async () => {
      place = await database.make();
    });
    afterAll(() => place?.drop());

    it('leaves what a later run completes, and every tag in the index and with its event', async () => {
      const dataSource = await place.dataSource();
      const before = await EventSourcing.open({ store: await place.open(), classes: [Credited, Moved] });
      for (const from of range(4)) {
        const events = range(many / 4, from * (many / 4)).map((n) =>
          n % 2
            ? createEvent(Credited, { walletId: 'a', amount: 2 })
            : createEvent(Moved, { from: 'a', to: `w${n % 10}`, amount: 1 }),
        );
        await before.appendUnguarded('s', events);
      }
      const address = addressOf(dataSource, place.tables);
      for (const pages of [1, 2, 4, 3]) {
        const child = new Child('../../../tags/retagging', address);
        await child.says(() => child.lines.length >= pages);
        await delay(Math.random() * 20); // Killed anywhere in the page, not always at its beginning.
        child.kill();
        expect((await child.exited).signal).toBe('SIGKILL');
        await before.appendUnguarded('s', [createEvent(Credited, { walletId: 'a', amount: 2 })]);
      }
      const last = new Child('../../../tags/retagging', address);
      const [, rest = ''] = /^over (\d+)$/.exec(await last.says((line) => line.startsWith('over'))) ?? [];
      await last.exited;
      expect(Number(rest)).toBeLessThanOrEqual(many - 500 * 3);
      const store = await place.open();
      const es = await EventSourcing.open({ store, classes: [Wallet, Tally] });
      expect((await es.load(Wallet, { walletId: 'a' })).balance).toBe((many / 2) * 2 + 4 * 2 - many / 2);
      const tagged = new Map<string, number>();
      for await (const { tags } of store.read({})) for (const tag of tags) tagged.set(tag, (tagged.get(tag) ?? 0) + 1);
      expect(tagged.get('walletId:a')).toBe(many / 2 + 4);
      for (const [tag, count] of tagged) {
        let found = 0;
        for await (const _ of store.read({ criteria: [{ tags: [tag] }] })) found += 1;
        expect([tag, found]).toStrictEqual([tag, count]);
      }
      await es.close();
      await before.close();
    });
  },
  [postgres, mariadb, sqlite],
);
