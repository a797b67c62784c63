import { DuplicateEventError, EventValidationError, OptimisticLockError, ProjectionError } from 'eventfold';
import { added, InlineTally, poisoned, StrictInline } from '../controls/tally';
import { Credited, Refused, Tally, Wallet } from '../controls/wallets';
import { promise, range } from './stores';

promise('Atomic and durable: when append resolves all its events are stored, when it rejects none', (trial) => {
  it('stores all events of appends to several streams together', async () => {
    const store = await trial.store();
    const append = (stream: string, types: string[]) => ({
      stream,
      guard: { version: 'none' as const },
      events: types.map((type) => ({ type, data: {} })),
    });
    await store.append([append('s', ['a', 'b']), append('t', ['c'])]);
    expect((await trial.stored()).map(({ stream, version, type }) => [stream, version, type])).toStrictEqual([
      ['s', 1, 'a'],
      ['s', 2, 'b'],
      ['t', 1, 'c'],
    ]);
  });

  it('stores nothing when one guard of several does not hold', async () => {
    const store = await trial.store();
    const append = (stream: string, version: number) => ({ stream, guard: { version }, events: [{ type: 'a', data: {} }] });
    await expect(store.append([append('s', 0), append('t', 1)])).rejects.toBeInstanceOf(OptimisticLockError);
    expect(await trial.stored()).toStrictEqual([]);
  });

  it('stores nothing when an event id repeats', async () => {
    const store = await trial.store();
    const events = ['1', '2', '1'].map((id) => ({ id, type: 'a', data: {} }));
    await expect(store.append([{ stream: 's', guard: { version: 'any' }, events }])).rejects.toBeInstanceOf(DuplicateEventError);
    expect(await trial.stored()).toStrictEqual([]);
  });

  it('stores nothing of a command that throws, or whose second event is not valid', async () => {
    const es = await trial.process(Wallet, Tally);
    const wallet = await es.create(Wallet, { walletId: 'w' });
    await expect(wallet.creditAndRefuse(5)).rejects.toBeInstanceOf(Refused);
    await expect(
      es.transaction(async () => {
        await wallet.credit(1);
        await wallet.credit('much' as never);
      }),
    ).rejects.toBeInstanceOf(EventValidationError);
    expect(await trial.stored()).toStrictEqual([]);
    expect(wallet.balance).toBe(0);
  });

  it('stores all of a transaction over several aggregates, or nothing', async () => {
    const es = await trial.process(Wallet, Tally);
    const wallet = await es.create(Wallet, { walletId: 'w' });
    const tally = await es.create(Tally, { tallyId: 't' });
    await es.transaction(async () => {
      await wallet.credit(1);
      await tally.count(2);
    });
    expect(await trial.stored()).toHaveLength(2);
    await expect(
      es.transaction(async () => {
        await wallet.credit(1);
        await tally.countAndRefuse(2);
      }),
    ).rejects.toBeInstanceOf(Refused);
    expect(await trial.stored()).toHaveLength(2);
  });

  it('stores nothing when an inline projection throws, and shows nothing of it', async () => {
    const es = await trial.process(StrictInline, InlineTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    await expect(es.appendUnguarded('s', [added('a', 2), poisoned('a')])).rejects.toBeInstanceOf(ProjectionError);
    expect(await trial.stored()).toHaveLength(1);
    expect((await es.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual([1]);
    expect((await es.projections.get(StrictInline, { id: 'a' }))?.seen).toStrictEqual([1]);
  });

  it('has stored each event when its append resolves, for another process too', async () => {
    const [one, two] = [await trial.process(Credited), await trial.process(Credited)];
    for (const amount of range(5)) {
      const event = Object.assign(new Credited(), { walletId: 'w', amount });
      const { events } = await (amount % 2 ? one : two).appendUnguarded('s', [event]);
      expect((await trial.stored()).at(-1)?.id).toBe(events[0]?.id);
    }
  });
});
