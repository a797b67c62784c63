import { Aggregate, AggregateRoot, Command, EventSourcing, Handles, InMemoryEventStore, ProjectionId } from 'eventfold';
import { Added, AsyncTally, added, FussyTally, InlineTally, LiveTally, poisoned } from './tally';

/** A program of a few steps, run as `node short-lived.js close|leave`: does it end by itself? */
@Aggregate()
class Adder extends AggregateRoot<'id'> {
  @ProjectionId() id!: string;

  @Command()
  async add(amount: number) {
    this.emit(Added, { amount });
  }

  @Handles(Added)
  protected added() {}
}

async function main(ending: string | undefined) {
  const classes = [Adder, AsyncTally, InlineTally, LiveTally, FussyTally];
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes });
  const said: unknown[] = [];
  es.events().subscribe({ next: ({ type }) => said.push(type), complete: () => said.push('events complete') });
  es.projections.watch(LiveTally, { id: 'a' }).subscribe({ complete: () => said.push('live complete') });
  es.projections.changes(AsyncTally).subscribe({ complete: () => said.push('changes complete') });
  for (let other = 0; other < 20; other += 1) es.events().subscribe();
  const adder = await es.create(Adder, { id: 'a' });
  await adder.add(1);
  await es.appendUnguarded(es.streamOf(Adder, { id: 'b' }), [added('b', 2)]);
  await es.appendUnguarded('poison', [poisoned('a', 'nobody listens')]);
  await es.projections.caughtUp();
  process.on('exit', () => console.log(said.join('; ')));
  if (ending === 'close') await es.close();
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
