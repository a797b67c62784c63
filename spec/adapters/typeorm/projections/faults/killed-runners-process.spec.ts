import { setTimeout as delay } from 'node:timers/promises';
import { EventSourcing } from 'eventfold';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, postgres, sqlite } from '../../../../controls/databases';
import { Child } from '../../faults/child';
import {
  allLedgers,
  credited,
  cure,
  DocumentLedger,
  FussyLedger,
  foldOf,
  InlineLedger,
  linesOf,
  notesOf,
  RowLedger,
  spoiled,
} from './ledgers';
import { ledgerAddress, ledgerPlace } from './place';

describeDatabases(
  'Processes that run projections and are killed',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    beforeAll(async () => {
      place = await ledgerPlace(database);
      dataSource = await place.dataSource();
    });
    afterAll(() => place?.drop());

    it('apply each event exactly once, 30 times', async () => {
      // It appends for as long as others are killed, and runs no projection but the inline one.
      const es = await EventSourcing.open({ store: await place.open(), classes: allLedgers, projections: { run: 'manual' } });
      es.projections.errors().subscribe();
      const isOver = new AbortController();
      const appending = appendUntil(es, isOver.signal);
      // Two at once: one takes over from the other.
      const stored = await Promise.all(['a', 'b'].map((lane) => killRunners(place, lane, 15)));
      isOver.abort();
      await appending;

      await es.projections.start();
      await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      const store = await place.open();
      const { all, fussy, count } = await foldOf(store);
      expect(count).toBeGreaterThan(stored.flat().length);
      expect(notesOf(await es.projections.all(RowLedger))).toStrictEqual(all);
      expect(notesOf(await es.projections.all(DocumentLedger))).toStrictEqual(all);
      expect(notesOf(await es.projections.all(InlineLedger))).toStrictEqual(all);
      expect(await linesOf(dataSource)).toStrictEqual(all);

      expect((await es.projections.parked(FussyLedger)).length).toBeGreaterThan(0);
      cure.isFound = true;
      await es.projections.retry(FussyLedger);
      expect(notesOf(await es.projections.all(FussyLedger))).toStrictEqual(fussy);
      expect(await es.projections.parked()).toStrictEqual([]);
      await es.close();
    });
  },
  [postgres, sqlite],
);

async function appendUntil(es: EventSourcing, isOver: AbortSignal): Promise<void> {
  for (let turn = 1; !isOver.aborted; turn += 1) {
    await es.appendUnguarded(`main ${turn % 3}`, [
      turn % 10 === 3 ? spoiled(`i${turn % 6}`, `m.${turn}`) : credited(`i${turn % 6}`, `m.${turn}`),
    ]);
    await delay(20);
  }
}

/** @returns the notes of what was stored, as far as was said. */
async function killRunners(place: DatabasePlace, lane: string, times: number): Promise<string[]> {
  const address = await ledgerAddress(place);
  const stored: string[] = [];
  for (let time = 1; time <= times; time += 1) {
    const child = new Child('../projections/faults/running', address, [`${lane}${time}`]);
    await child.says();
    await delay(Math.random() * 250);
    child.kill();
    const { signal } = await child.exited;
    expect([signal, child.complaints]).toStrictEqual(['SIGKILL', '']);
    stored.push(...child.lines);
  }
  return stored;
}
