import { type Class, createEvent, Event, EventSourcing, Handles, InMemoryEventStore, Projection, ProjectionId } from 'eventfold';
import { compare } from './compare';

const count = 1_000_000;
const instances = 1_000;

@Event('counted')
class Counted {
  counterId!: string;
  amount!: number;
}

/** A projection class of its own; each handles its own event type, and the first handles the one that is sent. */
function projectionOf(event: Class<Counted>, name: string): Class {
  @Projection({ name })
  class Total {
    @ProjectionId() counterId!: string;
    total = 0;

    @Handles(event)
    counted({ amount }: Counted) {
      this.total += amount;
    }
  }
  return Object.defineProperty(Total, 'name', { value: name });
}

function eventOf(type: string): Class<Counted> {
  @Event(type)
  class Other extends Counted {}
  return Other;
}

class HandTotal {
  total = 0;

  counted({ amount }: Counted) {
    this.total += amount;
  }
}

/** Routing a million events through ProjectionStorage, with more and more classes that do not handle them. */
export async function routing(): Promise<void> {
  const store = new InMemoryEventStore();
  const filler = await EventSourcing.open({ store, classes: [Counted] });
  const events = Array.from({ length: count }, (_, index) =>
    createEvent(Counted, { counterId: `c${index % instances}`, amount: 1 }),
  );
  await filler.appendUnguarded('all', events);
  const { items } = await store.page({}, { first: count });
  for (const classes of [10, 100, 1000]) {
    const others = Array.from({ length: classes - 1 }, (_, index) => projectionOf(eventOf(`other${index}`), `Other${index}`));
    const all = [projectionOf(Counted, 'Total'), ...others];
    await compare({
      name: `routing 1,000,000 events to ${classes} projection classes`,
      limit: 'a hand-written Map dispatch to the same handler',
      aim: 0.33,
      operations: count,
      ours: {
        run: async () => {
          // Not closed, as that would close the store that all rounds read; what a round folds is kept apart from the others.
          const es = await EventSourcing.open({
            store: Object.create(store, { projections: { value: undefined } }),
            classes: all,
          });
          await es.projections.caughtUp(all[0], { timeoutMs: 60_000 });
          await es.projections.stop();
        },
      },
      byHand: {
        run: () => {
          const dispatch = new Map<string, (event: object) => void>();
          const totals = new Map<string, HandTotal>();
          dispatch.set('counted', (event) => {
            const { counterId } = event as Counted;
            let total = totals.get(counterId);
            if (total === undefined) {
              total = new HandTotal();
              totals.set(counterId, total);
            }
            total.counted(event as Counted);
          });
          for (const { type, data } of items) dispatch.get(type)?.(data);
        },
      },
    });
  }
  await filler.close();
}
