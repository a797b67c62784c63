import { type Append, type Criterion, EventSourcing, type EventStore, OptimisticLockError, type Position } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import { type DatabasePlace, describeDatabases } from '../../controls/databases';
import { OpenTransactions } from '../../controls/open-transactions';
import { Credited, Moved, Refused, Wallet } from '../../controls/wallets';

// Servers may be busy with other specs.

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** A step that differs from run to run, but not within one. */
const random = (below: number) => Math.floor(Math.random() * below);

async function read(store: EventStore, criteria: readonly Criterion[]) {
  const events = [];
  for await (const event of store.read({ criteria })) events.push(event);
  return events;
}

function appendOf(stream: string, type: string, tags: readonly string[], guard: Append['guard']): Append[] {
  return [{ stream, guard, events: [{ type, tags, data: {} }] }];
}

const kindsOf = (outcomes: readonly PromiseSettledResult<unknown>[]) =>
  outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'stored' : outcome.reason.constructor.name));

describeDatabases('Guards under concurrency', (database) => {
  const transactions = new OpenTransactions();
  const processes: TypeOrmEventStore[] = [];
  let place: DatabasePlace;

  beforeAll(async () => {
    place = await database.make();
    processes.push(await place.open({}, await place.connect()));
    for (const options of [{}, { gather: false }])
      processes.push(await place.open(options, database.isShared ? await place.connect() : await place.dataSource()));
  });
  beforeEach(() => place.clear());
  afterEach(() => transactions.rollbackAll());
  afterAll(async () => {
    for (const store of processes) await store.close();
    await place?.drop();
  });

  const process = (index: number) => processes[index % processes.length] as TypeOrmEventStore;
  const stored = () => read(process(0), [{}]);

  /** No loser used up a position. */
  async function expectContiguous(count: number): Promise<void> {
    expect((await stored()).map(({ position }) => Number(position))).toStrictEqual(range(count).map((index) => index + 1));
  }

  const boundaries: Record<string, readonly Criterion[]> = {
    'a tag': [{ tags: ['seat:1'] }],
    'a tag and types': [{ types: ['Sold', 'Other'], tags: ['seat:1'] }],
    'two ids': [{ types: ['Sold'], tags: ['seat:1', 'hall:2'] }],
    'criteria of one value': [{ types: ['Sold'], tags: ['seat:1'] }, { tags: ['chair:1'] }],
    'criteria without a common value': [{ tags: ['seat:1'] }, { types: ['Other'] }, { tags: ['hall:9'] }],
    'types only': [{ types: ['Other', 'Sold'] }],
    everything: [{}],
  };

  for (const [name, criteria] of Object.entries(boundaries)) {
    it(`lets one of many win a boundary of ${name}, round for round`, async () => {
      let after: Position | undefined;
      for (const round of range(6)) {
        const guard = { condition: { criteria, after } };
        const outcomes = await Promise.allSettled(
          range(18).map((index) => process(index).append(appendOf(`s${index % 5}`, 'Sold', ['seat:1', 'hall:2'], guard))),
        );
        expect(kindsOf(outcomes).filter((kind) => kind === 'stored')).toHaveLength(1);
        const events = await stored();
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') {
            expect(outcome.reason).toBeInstanceOf(OptimisticLockError);
            expect(outcome.reason).toMatchObject({ expected: after, actual: events.at(-1)?.position });
          }
        expect(events).toHaveLength(round + 1);
        after = events.at(-1)?.position;
      }
      await expectContiguous(6);
    });
  }

  it('lets one of many begin a stream, and one of many follow each version', async () => {
    for (const round of range(5)) {
      const guard = { version: round === 0 ? ('none' as const) : round };
      const outcomes = await Promise.allSettled(range(18).map((index) => process(index).append(appendOf('s', 'T', [], guard))));
      expect(kindsOf(outcomes).filter((kind) => kind === 'stored')).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ code: 'OPTIMISTIC_LOCK', stream: 's', expected: round, actual: round + 1 });
    }
    const ahead = process(1).append(appendOf('s', 'T', [], { version: 7 }));
    await expect(ahead).rejects.toMatchObject({ code: 'OPTIMISTIC_LOCK', expected: 7, actual: 5 });
    const missing = process(1).append(appendOf('other', 'T', [], { version: 'exists' }));
    await expect(missing).rejects.toMatchObject({ code: 'OPTIMISTIC_LOCK', expected: 'exists', actual: 0 });
    await process(2).append(appendOf('s', 'T', [], { version: 'exists' }));
    await expectContiguous(6);
  });

  for (const [name, criteria] of Object.entries({ 'one tag': [{ tags: ['show:1'] }], 'types only': [{ types: ['Sold'] }] })) {
    it(`sells exactly as many seats as there are, with a boundary of ${name}, while others append without a guard`, async () => {
      const seats = 12;
      const sold = new Set<string>();
      const buy = async (buyer: number) => {
        const store = process(buyer);
        for (;;) {
          const events = await read(store, criteria);
          if (events.length >= seats) return false;
          const append = appendOf(`buyer-${buyer}`, 'Sold', ['show:1'], {
            condition: { criteria, after: events.at(-1)?.position },
          });
          try {
            const result = await store.append(append);
            sold.add(result.position as string);
            return true;
          } catch (error) {
            if (!(error instanceof OptimisticLockError)) throw error;
          }
        }
      };
      const noise = range(60).map((index) =>
        process(index).append(appendOf(`n${index % 3}`, 'Noise', [`show:${index + 2}`], { version: 'any' })),
      );
      const outcomes = await Promise.all(range(24).map(buy));
      await Promise.all(noise);
      expect(outcomes.filter(Boolean)).toHaveLength(seats);
      expect((await read(process(0), criteria)).map(({ position }) => position)).toStrictEqual(
        [...sold].sort((a, b) => Number(a) - Number(b)),
      );
    });
  }

  it('lets no two pass that each read what the other writes', async () => {
    for (const round of range(8)) {
      const [a, b] = [`left:a${round}`, `right:b${round}`];
      const outcomes = await Promise.allSettled([
        process(0).append(appendOf(`x${round}`, 'T', [b], { condition: { criteria: [{ tags: [a] }], after: undefined } })),
        process(1).append(appendOf(`y${round}`, 'T', [a], { condition: { criteria: [{ tags: [b] }], after: undefined } })),
      ]);
      expect(kindsOf(outcomes).sort()).toStrictEqual(['OptimisticLockError', 'stored']);
    }
  });

  it('keeps money that many move at once: none is made or lost, and no wallet is overdrawn at any moment', async () => {
    const [wallets, each] = [5, 20];
    const ess: EventSourcing[] = [];
    for (const store of processes) ess.push(await EventSourcing.open({ store, classes: [Wallet] }));
    const es = (index: number) => ess[index % ess.length] as EventSourcing;
    for (const index of range(wallets)) await (await es(0).loadOrCreate(Wallet, { walletId: `w${index}` })).credit(each);
    let conflicts = 0;
    await Promise.all(
      range(12).map(async (worker) => {
        for (const _ of range(8)) {
          const [from, to] = [random(wallets), random(wallets)];
          const wallet = await es(worker).load(Wallet, { walletId: `w${from}` });
          try {
            if (random(4) === 0) await es(worker).transaction(() => wallet.move(`w${to}`, 1 + random(15)));
            else await wallet.move(`w${to}`, 1 + random(15), random(2) === 0 ? undefined : () => new Promise(setImmediate));
          } catch (error) {
            if (error instanceof OptimisticLockError) conflicts += 1;
            else if (!(error instanceof Refused)) throw error;
          }
        }
      }),
    );
    const balances = new Map<string, number>();
    const add = (id: string, amount: number) => balances.set(id, (balances.get(id) ?? 0) + amount);
    for (const { type, data } of await stored()) {
      if (type === 'wallet.credited') add((data as Credited).walletId, (data as Credited).amount);
      if (type !== 'wallet.moved') continue;
      const { from, to, amount } = data as Moved;
      if (from !== to) expect(balances.get(from)).toBeGreaterThanOrEqual(amount);
      add(from, -amount);
      add(to, amount);
    }
    expect([...balances.values()].reduce((sum, balance) => sum + balance)).toBe(wallets * each);
    for (const [walletId, balance] of balances) expect((await es(1).load(Wallet, { walletId })).balance).toBe(balance);
    expect(conflicts).toBeLessThan(96);
    for (const one of ess) await one.close();
  });
});
