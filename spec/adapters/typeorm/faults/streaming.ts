import { createEvent, Event, EventSourcing } from 'eventfold';
import { type Address, connectTo } from './address';

/** A process that reads a long history with little memory, and prints how many events and megabytes there were. */
const [address, way, count] = [JSON.parse(process.argv[2] as string) as Address, process.argv[3], Number(process.argv[4])];

@Event('noted')
class Noted {
  text!: string;
}

async function main(): Promise<void> {
  const { dataSource, store } = await connectTo(address);
  const es = await EventSourcing.open({ store, classes: [Noted] });
  await es.appendUnguarded('last', [createEvent(Noted, { text: 'last' })]);
  const readings: Record<string, () => AsyncIterable<unknown>> = {
    'store.read': () => store.read({}),
    'by tag': () => store.read({ criteria: [{ tags: ['of:all'] }] }),
    backward: () => store.read({ direction: 'backward' }),
    'es.events': () => es.events({ types: [Noted] }),
  };
  globalThis.gc?.();
  const before = process.memoryUsage();
  let most = 0;
  let read = 0;
  for await (const _ of (readings[way as string] as () => AsyncIterable<unknown>)()) {
    read += 1;
    if (read % 5_000 === 0) most = Math.max(most, process.memoryUsage().rss);
    if (read === count) break;
  }
  console.log(`${read} events, ${Math.round((most - before.rss) / 1_048_576)} MB`);
  await es.close();
  await dataSource.destroy();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
  process.exit();
});
