import { appendFileSync } from 'node:fs';
import { EventSourcing, Handles, Reactor, type ReactorContext } from 'eventfold';
import { type Address, connectTo } from '../../faults/address';
import { Credited, credited } from './ledgers';

/**
 * A process that runs a reactor, which notes in a file what it does, and appends without end until it is killed; or one that
 * handles what is left, and ends.
 */
const [address, file, name] = [JSON.parse(process.argv[2] as string) as Address, process.argv[3] as string, process.argv[4]];

@Reactor({ from: 'start' })
class Outbox {
  @Handles(Credited)
  async credited(_event: Credited, { id }: ReactorContext) {
    appendFileSync(file, `begun ${id}\n`);
    await new Promise(setImmediate);
    appendFileSync(file, `done ${id}\n`);
  }
}

async function main(): Promise<void> {
  const { store } = await connectTo(address);
  const run = name === 'last' ? 'manual' : 'auto';
  const es = await EventSourcing.open({ store, classes: [Outbox], projections: { leaseMs: 500, run } });
  for (let turn = 1; run === 'auto'; turn += 1) {
    await es.appendUnguarded(`stream ${turn % 3}`, [credited('i', `${name}.${turn}`)]);
    console.log('stored');
  }
  await es.projections.runOnce(Outbox);
  await es.close();
  console.log('over');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
  process.exit();
});
