import type { Append, NewEvent } from 'eventfold';
import { type Address, connectTo } from './address';

/** A process that appends without end, in every way there is, and prints the ids of what was acknowledged. */
const [address, name, ledger] = [JSON.parse(process.argv[2] as string) as Address, process.argv[3], process.argv[4]];

type Way = 'gathered' | 'hooked' | 'in a transaction';

async function main(): Promise<void> {
  const { dataSource, store } = await connectTo(address);

  const appendIn: Record<Way, (appends: Append[], id: string) => Promise<unknown>> = {
    gathered: (appends) => store.append(appends),
    hooked: (appends, id) =>
      store.append(appends, async (events, transaction) => {
        if (events[0]?.stream === 'hooks') return;
        await transaction.append([append('hooks', [eventOf(id, events.length, events.length + 1, 'hooked')])]);
      }),
    'in a transaction': (appends, id) =>
      dataSource.transaction(async (manager) => {
        await store.within(manager).append(appends);
        await manager.query(`INSERT INTO ${ledger} VALUES ('${id}')`);
      }),
  };

  const appendOn = async (appender: number, way: Way): Promise<void> => {
    for (let turn = 1; ; turn += 1) {
      const id = `${name}.${appender}.${turn}`;
      const size = 1 + ((appender + turn) % 4);
      const events = Array.from({ length: size }, (_, index) => eventOf(id, index, size + (way === 'hooked' ? 1 : 0), way));
      const appends = [append(`stream ${turn % 5}`, events.slice(0, 2)), append(`stream ${appender}`, events.slice(2))].filter(
        (part) => part.events.length > 0,
      );
      try {
        await appendIn[way](appends, id);
        console.log(`stored ${id}`);
      } catch (error) {
        // Another process came first, within a transaction that had read already.
        if (!String((error as { code?: string }).code).startsWith('SQLITE_BUSY')) throw error;
        console.log(`refused ${id}`);
      }
    }
  };

  const ways: Way[] = [...Array(6).fill('gathered'), 'hooked', 'in a transaction'];
  await Promise.all(ways.map((way, appender) => appendOn(appender, way)));
}

function append(stream: string, events: NewEvent[]): Append {
  return { stream, guard: { version: 'any' }, events };
}

function eventOf(id: string, index: number, of: number, way: Way): NewEvent {
  return { type: 'noted', id: `${id}.${index}`, data: { id, index, of, way }, tags: [`index:${index}`, `way:${way}`] };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
  process.exit();
});
