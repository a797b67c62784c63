import { setTimeout as delay } from 'node:timers/promises';
import { EventSourcing } from 'eventfold';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, postgres, sqlite } from '../../../../controls/databases';
import { Child } from '../../faults/child';
import { HeldLines, HeldRows, holderEntities } from './holders';
import { credited, foldOf, linesOf, notesOf, spoiled } from './ledgers';
import { ledgerAddress, ledgerPlace } from './place';

const leaseMs = 300;

/** What a busy machine adds to any wait. */
const slackMs = 4_000;

describeDatabases(
  'Processes that fight for a projection',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    let es: EventSourcing;
    let children: Child[];
    beforeEach(async () => {
      children = [];
      place = await ledgerPlace(database, holderEntities);
      dataSource = await place.dataSource();
      const classes = [HeldRows, HeldLines];
      es = await EventSourcing.open({ store: await place.open(), classes, projections: { run: 'manual' } });
    });
    afterEach(async () => {
      for (const child of children) child.kill();
      await Promise.all(children.map(({ exited }) => exited));
      await es?.close();
      await place?.drop();
    });

    async function begin(names: readonly string[], holder: string, lease = leaseMs): Promise<void> {
      const address = await ledgerAddress(place);
      for (const name of names) {
        const child = new Child('../projections/faults/holding', address, [name, holder, String(lease)]);
        children.push(child);
        await child.says();
      }
    }

    const some = (round: number, part: string) =>
      Array.from({ length: 10 }, (_, index) => credited('a', `${round}.${part}${index}`));
    const append = (...events: object[]) => es.appendUnguarded('s', events);

    /** @returns the process that holds still at a note, of those that may. */
    function holdingOne(note: string, but?: Child): Promise<Child> {
      return Promise.any(
        children.filter((child) => child !== but).map((child) => child.says((line) => line === `held ${note}`).then(() => child)),
      );
    }

    async function check(): Promise<void> {
      const { fussy } = await foldOf(await place.open());
      const target = (await es.projections.status(HeldRows))[0]?.owner === undefined ? HeldLines : HeldRows;
      await es.projections.caughtUp(target, { timeoutMs: 15_000 });
      expect(target === HeldRows ? notesOf(await es.projections.all(HeldRows)) : await linesOf(dataSource)).toStrictEqual(fussy);
      expect(await es.projections.parked()).toStrictEqual([]);
    }

    it('take over from one that stands still, which applies nothing when it goes on', async () => {
      await begin(['one', 'two', 'three'], 'HeldRows');
      for (let round = 1; round <= 3; round += 1) {
        await append(...some(round, 'a'), spoiled('a', `held${round}`), ...some(round, 'b'));
        const first = await holdingOne(`held${round}`);
        // A handler that is slow loses nothing: the process is at work.
        // It is halted between two renewals of its lease: who stands still in a write keeps a file of SQLite locked.
        await delay(leaseMs * 3.5);
        expect(children.map(({ lines }) => lines.includes(`held held${round}`))).toStrictEqual(
          children.map((child) => child === first),
        );
        first.halt();
        const began = performance.now();
        const second = await holdingOne(`held${round}`, first);
        expect(performance.now() - began).toBeLessThan(leaseMs + slackMs);
        second.tell('go on');
        await check();
        first.tell('go on');
        first.goOn();
        await append(...some(round, 'c'));
        await check();
      }
      expect(children.map(({ complaints }) => complaints)).toStrictEqual(['', '', '']);
    });

    it('apply once what one of them stood still at within a transaction', async () => {
      await begin(['one', 'two'], 'HeldLines');
      await append(...some(1, 'a'), spoiled('a', 'held'), ...some(1, 'b'));
      const first = await holdingOne('held');
      first.halt();
      // A file of SQLite stays locked for as long as the process has it.
      if (database !== sqlite) {
        const second = await holdingOne('held', first);
        second.tell('go on');
        await check();
      }
      first.tell('go on');
      first.goOn();
      await check();
      await append(...some(1, 'c'));
      await check();
    });

    it('take over within seconds from one that is killed', async () => {
      await begin(['one', 'two'], 'HeldRows', 1_000);
      await append(...some(1, 'a'), spoiled('a', 'held'), ...some(1, 'b'));
      const first = await holdingOne('held');
      first.kill();
      const began = performance.now();
      const second = await holdingOne('held', first);
      expect(performance.now() - began).toBeLessThan(1_000 + slackMs);
      second.tell('go on');
      await check();
    });

    it('take over at once from one that stops', async () => {
      await begin(['one', 'two'], 'HeldRows', 60_000);
      await append(...some(1, 'a'), spoiled('a', 'held'));
      const first = await holdingOne('held');
      first.tell('go on');
      await check();
      first.tell('stop');
      expect(await first.exited).toStrictEqual({ code: 0, signal: null });
      const began = performance.now();
      await append(spoiled('a', 'next'));
      (await holdingOne('next', first)).tell('go on');
      expect(performance.now() - began).toBeLessThan(slackMs);
      await check();
    });
  },
  [postgres, sqlite],
);
