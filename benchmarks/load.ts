import {
  Aggregate,
  AggregateRoot,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  ProjectionId,
} from 'eventfold';
import { compare } from './compare';

const count = 100_000;

@Event('counted')
class Counted {
  counterId!: string;
  amount!: number;
}

@Event('renamed')
class Renamed {
  counterId!: string;
  name!: string;
}

@Aggregate()
class Counter extends AggregateRoot<'counterId'> {
  @ProjectionId() readonly counterId!: string;
  total = 0;
  name = '';

  @Handles(Counted)
  counted(event: Counted) {
    this.total += event.amount;
  }

  @Handles(Renamed)
  renamed(event: Renamed) {
    this.name = event.name;
  }
}

class ByHand {
  total = 0;
  name = '';

  counted(event: Counted) {
    this.total += event.amount;
  }

  renamed(event: Renamed) {
    this.name = event.name;
  }
}

/** Loading one aggregate with a long history. */
export async function load(): Promise<void> {
  const store = new InMemoryEventStore();
  const es = await EventSourcing.open({ store, classes: [Counter] });
  const counterId = 'one';
  const events = Array.from({ length: count }, (_, index) =>
    index % 10 === 9
      ? createEvent(Renamed, { counterId, name: `n${index}` })
      : createEvent(Counted, { counterId, amount: index }),
  );
  await es.appendUnguarded(es.streamOf(Counter, { counterId }), events);
  const { items } = await store.page({}, { first: count });
  let checks = 0;
  await compare({
    name: 'loading an aggregate of 100,000 events',
    limit: 'a hand-written fold over the same objects',
    aim: 0.5,
    operations: count,
    ours: {
      run: async () => {
        checks += (await es.load(Counter, { counterId })).total;
      },
    },
    byHand: {
      run: () => {
        const counter = new ByHand();
        for (const { type, data } of items) {
          if (type === 'counted') counter.counted(data as Counted);
          else if (type === 'renamed') counter.renamed(data as Renamed);
        }
        checks -= counter.total;
      },
    },
  });
  if (checks !== 0) throw new Error('The two folds differ.');
  await es.close();
}
