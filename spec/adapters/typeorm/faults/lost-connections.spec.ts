import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Append, DuplicateEventError, type EventStore, type Guard, type RecordedEvent } from 'eventfold';
import { type TypeOrmEventStore, UnknownOutcomeError } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../../controls/databases';
import { mysqlUrl, postgresUrl } from '../../../controls/servers';
import { type Cut, TcpProxy } from './tcp-proxy';

const guards: Record<string, (stream: string) => Guard> = {
  'no guard': () => ({ version: 'any' }),
  'a version': () => ({ version: 'none' }),
  'a boundary': (stream) => ({ condition: { criteria: [{ tags: [`of:${stream}`] }], after: undefined } }),
};

describeDatabases(
  'A connection that is lost during an append',
  (database) => {
    const isPostgres = database === postgres;
    let place: DatabasePlace;
    let proxy: TcpProxy;
    /** Its connections go through the proxy. */
    let dataSource: DataSource;
    let store: TypeOrmEventStore;
    /** Its connections do not. */
    let direct: TypeOrmEventStore;
    beforeAll(async () => {
      place = await database.make();
      direct = await place.open();
      proxy = await TcpProxy.before(isPostgres ? postgresUrl : mysqlUrl);
      dataSource = await place.connect({ url: proxy.url });
      store = await place.open({}, dataSource);
      await store.append([note('first')]);
    });
    beforeEach(() => place.clear());
    afterAll(async () => {
      await direct?.close();
      await store?.close();
      await place?.drop();
      await proxy?.close();
    });

    for (const cut of ['unsent', 'sent', 'unanswered'] satisfies Cut[]) {
      for (const [name, guard] of Object.entries(guards)) {
        it(`leaves the outcome unknown (the request ${cut}, under ${name}), and to append again is safe`, async () => {
          // The request that commits an event is the one that holds its id in plain text.
          proxy.cutAt('one', cut);
          await expect(store.append([note('one', guard)])).rejects.toBeInstanceOf(UnknownOutcomeError);
          const again = await outcomeOf(store.append([note('one', guard)]));
          if (cut === 'unsent') expect(again).toBe('stored');
          else if (cut === 'unanswered') expect(again).toBe('stored before');
          else expect(['stored', 'stored before']).toContain(again);
          expect((await allOf(direct)).map(({ id }) => id)).toStrictEqual(['one']);
          await store.append([note('two', guard)]);
        });
      }

      it(`leaves the outcome unknown to all that were committed together (the request ${cut}), and to nobody else`, async () => {
        const appendAll = (ids: readonly string[]) =>
          Promise.all(ids.map((id) => outcomeOf(store.append([note(id, guards['a version'])]))));
        const [together, later] = [idsOf('a', 10), idsOf('b', 10)];
        proxy.cutAt('a-7', cut);
        const lost = appendAll(together);
        await nextTurn();
        const stored = appendAll(later);
        expect(new Set(await lost)).toStrictEqual(new Set(['unknown']));
        expect(new Set(await stored)).toStrictEqual(new Set(['stored']));
        const again = await appendAll([...together, ...later]);
        expect(again.slice(10)).toStrictEqual(later.map(() => 'stored before'));
        expect(new Set(again.slice(0, 10)).size).toBe(1);
        expect(['stored', 'stored before']).toContain(again[0]);
        expect((await allOf(direct)).map(({ id }) => id).sort()).toStrictEqual([...together, ...later].sort());
      });
    }

    it('leaves the outcome unknown when it is lost as an append with a hook commits', async () => {
      for (const cut of ['unsent', 'sent', 'unanswered'] satisfies Cut[]) {
        const append = note(`hooked ${cut}`);
        proxy.cutAt(isPostgres ? 'COMMIT\0' : 'COMMIT', cut);
        await expect(store.append([append], () => undefined)).rejects.toBeInstanceOf(UnknownOutcomeError);
        expect(['stored', 'stored before']).toContain(await outcomeOf(store.append([append], () => undefined)));
      }
      expect((await allOf(direct)).map(({ id }) => id)).toStrictEqual(['hooked unsent', 'hooked sent', 'hooked unanswered']);
    });

    it('stores nothing when it is lost while a hook runs', async () => {
      const lost = store.append([note('hooked')], async () => {
        proxy.goAway();
        proxy.comeBack();
      });
      await expect(lost).rejects.toThrow();
      expect(await allOf(direct)).toStrictEqual([]);
      await store.append([note('hooked')]);
    });

    it('is the outcome that the database ended the session of', async () => {
      const holder = await place.dataSource();
      const waiting = await holder.transaction(async (manager) => {
        await direct.within(manager).append([note('held', undefined, 'shared')]);
        const append = outcomeOf(store.append([note('waiting', undefined, 'shared')]));
        await endWaitingSession(holder, place);
        return append;
      });
      expect(waiting).toBe('unknown');
      // The pool may hand out the connection once more before it hears that it is lost.
      let again = waiting;
      while (again === 'unknown') again = await outcomeOf(store.append([note('waiting', undefined, 'shared')]));
      expect(again).toBe('stored');
      expect((await allOf(direct)).map(({ id }) => id)).toStrictEqual(['held', 'waiting']);
    });

    it('is nobody’s loss when it was idle', async () => {
      await Promise.all(['a', 'b', 'c'].map((id) => store.append([note(id)])));
      proxy.goAway();
      proxy.comeBack();
      // That it is lost can be noticed as it is used.
      await outcomeOf(store.append([note('maybe')]));
      await store.append([note('d')]);
      expect((await allOf(store)).length).toBeGreaterThanOrEqual(4);
    });

    it('is an error of the connection, not of the append, when there is none to be had', async () => {
      proxy.goAway();
      await Promise.allSettled(['a', 'b'].map((id) => store.append([note(id)])));
      const failed = await Promise.all(['c', 'd', 'e'].map((id) => outcomeOf(store.append([note(id)]))));
      expect(failed).toStrictEqual(['failed', 'failed', 'failed']);
      proxy.comeBack();
      expect((await allOf(direct)).map(({ id }) => id)).toStrictEqual([]);
      await Promise.all(['c', 'd', 'e'].map((id) => store.append([note(id)])));
    });
  },
  [postgres, mariadb],
);

function idsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index}`);
}

/** An append of one event. */
function note(id: string, guard: (stream: string) => Guard = () => ({ version: 'any' }), stream = `stream of ${id}`): Append {
  return { stream, guard: guard(stream), events: [{ type: 'noted', id, data: { id }, tags: [`of:${stream}`] }] };
}

async function outcomeOf(append: Promise<unknown>): Promise<'stored' | 'stored before' | 'unknown' | 'failed' | Error> {
  try {
    await append;
    return 'stored';
  } catch (error) {
    if (error instanceof DuplicateEventError) return 'stored before';
    if (error instanceof UnknownOutcomeError) return 'unknown';
    return (error as { code?: string }).code === 'OPTIMISTIC_LOCK' ? (error as Error) : 'failed';
  }
}

async function allOf(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.read({})) events.push(event);
  return events;
}

/** Ends the session that waits for a lock of the place's tables. */
async function endWaitingSession(dataSource: DataSource, { tables }: DatabasePlace): Promise<void> {
  const [find, end] =
    dataSource.options.type === 'postgres'
      ? [
          `SELECT pid AS id FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${tables.schema}%'`,
          (id: string) => `SELECT pg_terminate_backend(${id})`,
        ]
      : [
          `SELECT id FROM information_schema.processlist WHERE info LIKE '%${tables.tablePrefix}%FOR UPDATE%' AND info NOT LIKE '%processlist%'`,
          (id: string) => `KILL ${id}`,
        ];
  for (;;) {
    const [found]: { id: string }[] = await dataSource.query(find);
    if (found === undefined) continue;
    await dataSource.query(end(found.id));
    return;
  }
}
