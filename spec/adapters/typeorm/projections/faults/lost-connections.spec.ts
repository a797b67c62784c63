import { setTimeout as delay } from 'node:timers/promises';
import { EventSourcing } from 'eventfold';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../../../controls/databases';
import { type Cut, TcpProxy } from '../../faults/tcp-proxy';
import { asyncLedgers, credited, cure, DocumentLedger, FussyLedger, foldOf, linesOf, notesOf, RowLedger } from './ledgers';
import { connectAgain, ledgerPlace } from './place';

describeDatabases(
  'A process that runs projections',
  (database) => {
    let place: DatabasePlace;
    let proxy: TcpProxy;
    /** Runs the projections, on connections that are lost. */
    let es: EventSourcing;
    /** Appends, as another process, whose connection stays. */
    let far: EventSourcing;
    let farSource: DataSource;
    let turn = 0;
    beforeAll(async () => {
      cure.isFound = true;
      place = await ledgerPlace(database);
      farSource = await connectAgain(place, { poolSize: 1 });
      const url = (farSource.options as { url: string }).url;
      proxy = await TcpProxy.before(url);
      const nearSource = await connectAgain(place, { url: proxy.url });
      const polling = { minMs: 20, maxMs: 200 };
      far = await EventSourcing.open({
        store: await place.open({ polling }, farSource),
        classes: asyncLedgers,
        projections: { run: 'manual' },
      });
      es = await EventSourcing.open({
        store: await place.open({ polling }, nearSource),
        classes: asyncLedgers,
        projections: { leaseMs: 500 },
      });
    });
    afterAll(async () => {
      cure.isFound = false;
      await es?.close();
      await far?.close();
      await place?.drop();
      await proxy?.close();
    });

    async function append(count: number): Promise<void> {
      turn += 1;
      const events = Array.from({ length: count }, (_, index) => credited(`i${index % 7}`, `${turn}.${index}`));
      await far.appendUnguarded('s', events);
    }

    /** Every ledger shows each event once, and nothing is parked. */
    async function check(): Promise<void> {
      await far.projections.caughtUp(undefined, { timeoutMs: 45_000 });
      const { all } = await foldOf(await place.open({}, farSource));
      for (const target of [RowLedger, DocumentLedger, FussyLedger])
        expect(notesOf(await far.projections.all(target))).toStrictEqual(all);
      expect(await linesOf(farSource)).toStrictEqual(all);
      expect(await far.projections.parked()).toStrictEqual([]);
    }

    for (const cut of ['unsent', 'sent', 'unanswered'] satisfies Cut[]) {
      it(`applies each event once when connections are cut in its transactions (the request ${cut})`, async () => {
        let cuts = 0;
        for (const text of ['COMMIT', 'fault_rows', 'fault_lines', 'projections', 'COMMIT']) {
          proxy.cutAt(text, cut);
          await append(20);
          await check();
          if (!proxy.isToCut) cuts += 1;
        }
        expect(cuts).toBeGreaterThanOrEqual(3);
      });
    }

    it('applies each event once when the server ends its sessions at random moments', async () => {
      for (let time = 1; time <= 10; time += 1) {
        await append(200);
        await delay(Math.random() * 40);
        await endOthers(farSource);
      }
      await check();
    });

    it('goes on by itself when the database was away, and whoever waits for it is told in time', async () => {
      proxy.goAway();
      await append(50);
      await expectLate(es, 300);
      expect(await outcomeOf(es.projections.status())).toBe('failed');
      await proxy.refuses(proxy.refused + 5);
      proxy.comeBack();
      await check();
      await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      expect((await es.projections.status()).map(({ state }) => state)).toStrictEqual(asyncLedgers.map(() => 'live'));
    });

    it('goes on by itself when nothing came through for a while, and whoever waits for it is told in time', async () => {
      proxy.fallSilent();
      await append(50);
      await expectLate(es, 300);
      proxy.speakAgain();
      await check();
    });
  },
  [postgres, mariadb],
);

async function expectLate(es: EventSourcing, timeoutMs: number): Promise<void> {
  const began = performance.now();
  await expect(es.projections.caughtUp(undefined, { timeoutMs })).rejects.toMatchObject({ code: 'CAUGHT_UP_TIMEOUT' });
  expect(performance.now() - began).toBeLessThan(timeoutMs + 4_000);
}

function outcomeOf(work: Promise<unknown>): Promise<'done' | 'failed'> {
  return work.then(
    () => 'done' as const,
    () => 'failed' as const,
  );
}

/** Ends every other session on the same tables. */
async function endOthers(source: DataSource): Promise<void> {
  if (source.options.type === 'postgres') {
    const { schema } = source.options as { schema?: string };
    await source.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $1`, [
      `%${schema}%`,
    ]);
    return;
  }
  const sql = 'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()';
  const rows: { id: string }[] = await source.query(sql);
  for (const { id } of rows) await source.query(`KILL ${id}`).catch(() => undefined);
}
