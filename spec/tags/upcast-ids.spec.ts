import {
  Aggregate,
  AggregateRoot,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  type Position,
  Projection,
  ProjectionId,
  UntaggedEventsError,
  upcasts,
} from 'eventfold';
import { rejection } from '../controls/wallets';
import { kinds, promise } from '../promises/stores';

/** A release whose customers are known by numbers, or by those with a word before. */
function release(version: number) {
  @Event('upcast.ordered', { version })
  class Ordered {
    customer!: string;
    cents!: number;
  }

  @Aggregate({ name: 'Customer', guard: 'boundary' })
  class Customer extends AggregateRoot {
    @ProjectionId() readonly customer!: string;
    cents = 0;

    @Handles(Ordered)
    protected ordered(event: Ordered) {
      this.cents += event.cents;
    }
  }

  @Projection({ mode: 'live' })
  class Orders {
    @ProjectionId() customer!: string;
    count = 0;

    @Handles(Ordered)
    ordered() {
      this.count += 1;
    }
  }

  const prefixed = upcasts(
    Ordered,
    { from: 1, to: 2 },
    ({ customer, ...data }: { customer: string }, { metadata: { isDamaged } }) => {
      if (isDamaged === true) throw new Error('damaged');
      return { ...data, customer: customer.startsWith('customer-') ? customer : `customer-${customer}` };
    },
  );
  const classes = [Customer, Orders];
  const upcasters = version === 1 ? [] : [prefixed];
  return { Customer, Orders, classes, upcasters, ordered: (customer: string) => createEvent(Ordered, { customer, cents: 5 }) };
}

const before = release(1);
const after = release(2);
const keeping = kinds.filter(({ name }) => name !== 'InMemoryEventStore').map(({ name }) => name);

promise('Ids that upcasters change', (trial) => {
  const isKeeping = () => keeping.some((name) => expect.getState().currentTestName?.includes(`(${name})`));
  const open = async ({ classes, upcasters }: typeof before, retag = false) =>
    trial.adopt(await EventSourcing.open({ store: await trial.store(), classes, upcasters, retag }));

  it('are asked for before anything is decided without the events that tell them', async () => {
    await (await open(before)).appendUnguarded('s', [before.ordered('1'), before.ordered('2'), before.ordered('customer-3')]);
    if (!isKeeping()) return; // what remembers nothing adds tags by itself
    const error = await rejection(open(after));
    expect(error).toBeInstanceOf(UntaggedEventsError);
    expect((error as UntaggedEventsError).untagged).toStrictEqual([
      { class: 'Customer', id: 'customer', type: 'upcast.ordered', property: 'customer', count: 2 },
    ]);
  });

  it('find their events once these are tagged, at every start from then on', async () => {
    await (await open(before)).appendUnguarded('s', [before.ordered('1'), before.ordered('1'), before.ordered('2')]);
    for (const retag of [true, false]) {
      const es = await open(after, retag);
      expect((await es.load(after.Customer, { customer: 'customer-1' })).cents).toBe(10);
      expect((await es.projections.get(after.Orders, { customer: 'customer-2' }))?.count).toBe(1);
      expect(await es.projections.get(after.Orders, { customer: '1' })).toBeUndefined();
    }
  });

  it('are looked for among events of earlier versions only', async () => {
    const es = await open(after);
    await es.appendUnguarded('s', [after.ordered('customer-1')]);
    const old = await trial.store();
    const { events } = await old.append([
      {
        stream: 'r',
        guard: { version: 'any' },
        events: [{ type: 'upcast.ordered', data: { customer: '2' }, tags: ['customer:2'] }],
      },
    ]);
    if (old.tagSources === undefined) return;
    const given: unknown[] = [];
    const upTo = events[0]?.position as Position;
    const range = { after: undefined, upTo, exceptVersion: 2 };
    for await (const { data } of old.tagSources.lacking('upcast.ordered', 'none', range)) given.push(data);
    expect(given).toEqual([{ customer: '2' }]);
  });

  it('are asked for again of what an older release has appended since', async () => {
    const old = await open(before);
    await open(after);
    await old.appendUnguarded('s', [before.ordered('1')]);
    if (isKeeping()) expect(await rejection(open(after))).toBeInstanceOf(UntaggedEventsError);
    const es = await open(after, true);
    expect((await es.load(after.Customer, { customer: 'customer-1' })).cents).toBe(5);
  });

  it('are not asked of an event that cannot be read', async () => {
    const old = await open(before);
    await old.withMetadata({ isDamaged: true }, () => old.appendUnguarded('s', [before.ordered('1')]));
    if (!isKeeping()) return; // it has to look at every event
    const es = await open(after);
    await es.appendUnguarded('s', [after.ordered('customer-2')]);
    expect((await es.load(after.Customer, { customer: 'customer-2' })).cents).toBe(5);
  });
});
