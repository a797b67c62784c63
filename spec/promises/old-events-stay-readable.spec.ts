import { AsyncTally, added, InlineTally, LiveTally, moved } from '../controls/tally';
import { Tally, Wallet } from '../controls/wallets';
import { promise, range } from './stores';

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
    await (await trial.process(Tally, Wallet)).load(Wallet, { walletId: 'w' });
    expect((await withoutTags()).slice(0, 2)).toStrictEqual(before);
  });

  it('cannot be changed through what is given to append or returned by it, by reading, or in a handler', async () => {
    const es = await trial.process(AsyncTally);
    const event = { ...added('a', 1), nested: { list: [1], date: new Date(0) } };
    Object.setPrototypeOf(event, Object.getPrototypeOf(added('a', 1)) as object);
    const { events } = await es.appendUnguarded('s', [event]);
    const before = JSON.stringify(await trial.stored());
    event.nested.list.push(2);
    event.nested.date.setFullYear(2000);
    for (const { data } of [...events, ...(await trial.stored())] as { data: typeof event }[]) {
      expect(() => data.nested.list.push(3)).toThrow(TypeError);
      data.nested.date.setFullYear(1999);
    }
    expect(JSON.stringify(await trial.stored())).toBe(before);
  });
});
