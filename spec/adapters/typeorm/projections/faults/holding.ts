import { createInterface } from 'node:readline';
import { type Class, EventSourcing } from 'eventfold';
import { eventStoreEntities } from 'eventfold/typeorm';
import { type Address, connectTo } from '../../faults/address';
import { holderEntities, holders, holding } from './holders';

/** A process that runs a projection whose handler holds still, says so, and goes on when it is told to. */
const [address, name, holder, leaseMs] = [JSON.parse(process.argv[2] as string) as Address, ...process.argv.slice(3)];

async function main(): Promise<void> {
  const { schema } = address.tables;
  const entities = [...eventStoreEntities(address.type, address.tables), ...holderEntities];
  const { dataSource, store } = await connectTo(address, { entities, ...(schema !== undefined && { schema }) });
  const es = await EventSourcing.open({
    store,
    classes: [holders[holder as string] as Class],
    projections: { leaseMs: Number(leaseMs), owner: name as string },
  });
  const told = createInterface({ input: process.stdin });
  holding.hold = (note) =>
    new Promise((goOn) => {
      told.once('line', () => goOn());
      console.log(`held ${note}`);
    });
  console.log('running');
  told.on('line', async (line) => {
    if (line !== 'stop') return;
    await es.close();
    await dataSource.destroy();
    told.close();
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
  process.exit();
});
