import { Event, EventSourcing, type EventStore, Handles, Projection, ProjectionId, UntaggedEventsError } from 'eventfold';
import { type DatabasePlace, sqliteInMemory } from '../controls/databases';
import { rejection } from '../controls/wallets';

@Event('order.placed')
class OrderPlaced {
  orderId!: string;
  customerId!: string;
  total!: number;
}

// Newer than the orders in the store.
@Projection({ mode: 'live' })
class CustomerSales {
  @ProjectionId() customerId!: string;
  total = 0;

  @Handles(OrderPlaced)
  placed(event: OrderPlaced) {
    this.total += event.total;
  }
}

describe('docs/tags.md', () => {
  const classes = [CustomerSales];
  let place: DatabasePlace;
  let store: EventStore;

  beforeEach(async () => {
    place = await sqliteInMemory.make();
    store = await place.open();
    const es = await EventSourcing.open({ store, classes: [OrderPlaced] });
    await es.appendUnguarded('shop', [Object.assign(new OrderPlaced(), { orderId: 'o', customerId: 'c', total: 5 })]);
  });
  afterEach(() => place.drop());

  it('shows what an open without tags says', async () => {
    const error = await rejection(EventSourcing.open({ store, classes }));
    expect(error).toBeInstanceOf(UntaggedEventsError);
    expect((error as Error).message).toBe(`Events in the store lack tags by which a class finds them:
  - CustomerSales.customerId: 1 of "order.placed" has no tag of "customerId".
Open with { retag: true }, or call EventSourcing.retag({ store, classes }) before: it adds them while others go on.`);
  });

  it('shows how tags are added at a start', async () => {
    const es = await EventSourcing.open({ store, classes, retag: true });
    expect((await es.projections.get(CustomerSales, { customerId: 'c' }))?.total).toBe(5);
  });

  it('shows how tags are added before, and how a source is forgotten', async () => {
    const count = await EventSourcing.retag({ store, classes }); // resolves to how many events got a tag
    expect(count).toBe(1);
    const es = await EventSourcing.open({ store, classes });
    expect((await es.projections.get(CustomerSales, { customerId: 'c' }))?.total).toBe(5);

    await store.tagSources?.forget({ type: 'order.placed', property: 'customerId' });
    expect(await store.tagSources?.recorded()).toStrictEqual([]);
  });
});
