import { EventSourcing } from 'eventfold';
import { eventStoreEntities } from 'eventfold/typeorm';
import { type Address, connectTo } from '../../faults/address';
import { allLedgers, credited, ledgerEntities, shared, spoiled } from './ledgers';

/** A process that runs every ledger, and appends without end until it is killed. It says which events it has stored. */
const [address, name] = [JSON.parse(process.argv[2] as string) as Address, process.argv[3] as string];

async function main(): Promise<void> {
  const { schema } = address.tables;
  const entities = [...eventStoreEntities(address.type, address.tables), ...ledgerEntities];
  const { store } = await connectTo(address, { entities, ...(schema !== undefined && { schema }) });
  const es = await EventSourcing.open({ store, classes: allLedgers, projections: { leaseMs: 300, owner: name } });
  es.projections.errors().subscribe();
  for (let turn = 1; ; turn += 1) {
    const note = `${name}.${turn}`;
    const ids = [`i${turn % 5}`, `i${(turn + 2) % 7}`];
    const event =
      turn % 9 === 0 ? spoiled(`i${turn % 4}`, note) : turn % 3 === 0 ? shared(ids, note) : credited(`i${turn % 5}`, note);
    await es.appendUnguarded(`stream ${turn % 3}`, [event]);
    console.log(`stored ${note}`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
  process.exit();
});
