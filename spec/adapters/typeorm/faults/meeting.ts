import { type Address, connectTo } from './address';
import { LiveReader } from './live-reader';

/** A process that appends as another does, on the same file, and prints what it saw of both. */
const [address, name, count] = [JSON.parse(process.argv[2] as string) as Address, process.argv[3], Number(process.argv[4])];

async function main(): Promise<void> {
  const { dataSource, store } = await connectTo(address);
  const reader = new LiveReader(store);
  for (let turn = 1; turn <= count; turn += 4) {
    const ids = [0, 1, 2, 3].map((index) => `${name}-${turn + index}`);
    await Promise.all(
      ids.map((id) => store.append([{ stream: 's', guard: { version: 'any' }, events: [{ type: 'noted', id, data: {} }] }])),
    );
  }
  console.log(JSON.stringify(await reader.idsOf(count * 2)));
  await reader.stop();
  await store.close();
  await dataSource.destroy();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
