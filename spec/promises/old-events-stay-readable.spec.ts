import { Type } from 'class-transformer';
import { Event, EventSourcing, Handles, Projection, ProjectionId } from 'eventfold';
import { AsyncSheet, Order, upcasters } from '../controls/orders';
import { Added, AsyncTally, added, InlineTally, LiveTally, Moved, moved } from '../controls/tally';
import { Tally, Wallet } from '../controls/wallets';
import { promise, range } from './stores';

@Event('promises.dated')
class Dated {
  id!: string;
  list!: number[];
  @Type(() => Date) at!: Date;
}

/** Tries to change what it is given. */
@Projection()
class Meddler {
  @ProjectionId() id!: string;
  refused = 0;

  @Handles(Dated)
  dated(event: Dated) {
    event.at.setFullYear(1999);
    try {
      event.list.push(3);
    } catch {
      this.refused += 1;
    }
  }
}

promise('Old events stay readable: what is stored is never rewritten', (trial) => {
  it('stays as it was appended, whatever is read, registered or appended after it', async () => {
    const es = await trial.process(Tally, Wallet);
    const wallet = await es.create(Wallet, { walletId: 'w' });
    await wallet.credit(50);
    await wallet.move('v', 20);
    const withoutTags = async () => (await trial.stored()).map(({ tags: _tags, ...event }) => JSON.stringify(event));
    const before = await withoutTags();
    await es.projections.register(AsyncTally, InlineTally, LiveTally);
    await es.appendUnguarded('s', [added('a', 1), moved('a', 'b', 1)]);
    for (const amount of range(5)) await wallet.credit(amount);
    await (await trial.process(Tally, Wallet, Added, Moved)).load(Wallet, { walletId: 'w' });
    expect((await withoutTags()).slice(0, 2)).toStrictEqual(before);
  });

  it('cannot be changed through what is given to append or returned by it, by reading, or in a handler', async () => {
    const es = await trial.process(Meddler);
    const event = Object.assign(new Dated(), { id: 'a', list: [1], at: new Date(0) });
    const { events } = await es.appendUnguarded('s', [event]);
    const before = JSON.stringify(await trial.stored());
    event.list.push(2);
    event.at.setFullYear(2000);
    for (const { data } of [...events, ...(await trial.stored())] as { data: { list: number[]; at: Date | string } }[]) {
      if (data.at instanceof Date) data.at.setFullYear(1999);
      // What a store hands out is frozen, or made anew for each reader.
      if (Object.isFrozen(data.list)) expect(() => data.list.push(3)).toThrow(TypeError);
      else data.list.push(3);
    }
    await es.projections.caughtUp();
    expect(await es.projections.get(Meddler, { id: 'a' })).toMatchObject({ refused: 1 });
    expect(JSON.stringify(await trial.stored())).toBe(before);
  });

  it('reads old names and versions through aliases and upcasters, and leaves the rows as they are', async () => {
    const store = await trial.store();
    const events = [
      { type: 'OrderPlaced', schemaVersion: 1, data: { order: 'a', total: 1 } },
      { type: 'order.placed-and-paid', schemaVersion: 1, data: { orderId: 'a', total: 2 } },
    ];
    await store.append([{ stream: 'Order:a', guard: { version: 'none' }, events }]);
    const before = (await trial.stored()).map((event) => JSON.stringify(event));
    const es = trial.adopt(await EventSourcing.open({ store: await trial.store(), classes: [Order, AsyncSheet], upcasters }));
    expect((await es.load(Order, { orderId: 'a' })).due).toBe(100);
    await (await es.load(Order, { orderId: 'a' })).pay(1);
    await es.projections.caughtUp();
    expect(await es.projections.get(AsyncSheet, { orderId: 'a' })).toMatchObject({ due: 99 });
    const after = await trial.stored();
    expect(after.slice(0, 2).map((event) => JSON.stringify(event))).toStrictEqual(before);
    expect(after[2]).toMatchObject({ type: 'order.paid', schemaVersion: 1, version: 3 });
  });
});
