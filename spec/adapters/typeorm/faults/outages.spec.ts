import type { EventSourcing, Position } from 'eventfold';
import { type TypeOrmEventStore, UnknownOutcomeError } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../../controls/databases';
import { mysqlUrl, postgresUrl } from '../../../controls/servers';
import { Added, AsyncTally, added, openTally } from '../../../controls/tally';
import { TcpProxy } from './tcp-proxy';

describeDatabases(
  'While the database is away',
  (database) => {
    const isPostgres = database === postgres;
    let place: DatabasePlace;
    let proxy: TcpProxy;
    let es: EventSourcing;
    /** As another process, whose connections are not lost. */
    let far: EventSourcing;
    let farSource: DataSource;
    let wakeUps: Position[];
    let seen: Seen;
    beforeEach(async () => {
      place = await database.make();
      farSource = await place.dataSource();
      far = await openTally([Added], (await place.open()) as never);
      proxy = await TcpProxy.before(isPostgres ? postgresUrl : mysqlUrl);
      const dataSource = await place.connect({ url: proxy.url });
      // Where there are notifications, nothing else wakes.
      const polling = isPostgres ? { minMs: 60_000, maxMs: 60_000 } : { minMs: 20, maxMs: 200 };
      const store: TypeOrmEventStore = await place.open({ polling }, dataSource);
      es = await openTally([Added, AsyncTally], store as never);
      wakeUps = [];
      store.appended().subscribe((position) => wakeUps.push(position));
      seen = new Seen(es);
      await add(far, 1, 20);
      await seen.count(20);
    });
    afterEach(async () => {
      await es?.close();
      await far?.close();
      await place?.drop();
      await proxy?.close();
    });

    it('readers wait, and then go on by themselves: each event once and in order', async () => {
      for (let time = 1; time <= 2; time += 1) {
        const last = 20 * time;
        proxy.goAway();
        await add(far, last + 1, last + 10);
        await proxy.refuses(proxy.refused + 3);
        await add(far, last + 11, last + 20);
        proxy.comeBack();
        await seen.count(last + 20);
      }
      await es.projections.caughtUp(AsyncTally);
      const amounts = Array.from({ length: 60 }, (_, index) => index + 1);
      expect(seen.amounts).toStrictEqual(amounts);
      expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual(amounts);
    });

    it('wake-ups end, and come again afterwards', async () => {
      proxy.goAway();
      await proxy.refuses(3);
      proxy.comeBack();
      await add(far, 21, 21);
      await seen.count(21);
      if (isPostgres) await listening(farSource, place);
      const before = wakeUps.length;
      await add(far, 22, 22);
      await seen.count(22);
      expect(wakeUps.length).toBeGreaterThan(before);
    });

    it('appends fail, store nothing, and work afterwards', async () => {
      proxy.goAway();
      // Connections that were idle are found out to be lost.
      await Promise.allSettled([add(es, 100, 105)]);
      await proxy.refuses(2);
      const failures = await Promise.all([1, 2, 3].map(() => add(es, 666, 666).catch((error: unknown) => error)));
      for (const failure of failures) {
        // It may be of Node.js itself, whose errors are not those of the specs.
        expect(String(failure)).toMatch(/Error/);
        expect(failure).not.toBeInstanceOf(UnknownOutcomeError);
      }
      proxy.comeBack();
      await add(es, 21, 30);
      await seen.count(30);
      expect(seen.amounts.filter((amount) => amount === 666)).toStrictEqual([]);
      expect(seen.amounts.filter((amount) => amount < 100)).toStrictEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    });

    if (isPostgres) {
      it('a listening session that the server ends is replaced', async () => {
        for (let time = 1; time <= 3; time += 1) {
          const pid = await listening(farSource, place);
          await farSource.query('SELECT pg_terminate_backend($1)', [pid]);
          expect(await listening(farSource, place, pid)).not.toBe(pid);
          await add(far, 20 + time, 20 + time);
          await seen.count(20 + time);
        }
      });
    }
  },
  [postgres, mariadb],
);

/** What comes out of `es.events`. */
class Seen {
  readonly amounts: number[] = [];
  private wake: (() => void) | undefined;

  constructor(es: EventSourcing) {
    es.events({ types: [Added] }).subscribe({
      next: ({ data }) => {
        this.amounts.push(data.amount);
        this.wake?.();
      },
    });
  }

  async count(count: number): Promise<void> {
    while (this.amounts.length < count) await new Promise<void>((wake) => (this.wake = wake));
  }
}

async function add(es: EventSourcing, from: number, to: number): Promise<void> {
  for (let amount = from; amount <= to; amount += 1) await es.appendUnguarded('s', [added('a', amount)]);
}

/** Waits until a session listens that is not `other`. @returns its number. */
async function listening(dataSource: DataSource, { tables }: DatabasePlace, other = 0): Promise<number> {
  for (;;) {
    const [found]: { pid: number }[] = await dataSource.query(
      'SELECT pid FROM pg_stat_activity WHERE query LIKE $1 AND pid <> $2',
      [`LISTEN%${tables.schema}%`, other],
    );
    if (found !== undefined) return found.pid;
  }
}
