import { randomUUID } from 'node:crypto';
import { Aggregate, EventSourcing, type EventStore, expectUnchanged, InMemoryEventStore, OptimisticLockError } from 'eventfold';
import { etagOf, InvalidHeaderError, PreconditionFailedError, PreconditionRequiredError, requireMatch } from 'eventfold/http';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import { Account, Deposited } from '../../samples/bank/account';
import { Counter } from '../controls/counter';
import { sqlite } from '../controls/databases';

let meanwhile: () => Promise<void> = async () => undefined;
let runs = 0;

/** Lets others be quicker, between what a deposit sees and what it stores. */
@Aggregate({ name: 'Account' })
class SlowAccount extends Account {
  override async deposit(amount: number) {
    runs += 1;
    await meanwhile();
    await super.deposit(amount);
  }
}

const places: [string, () => Promise<{ store: EventStore; drop: () => Promise<void> }>][] = [
  ['in memory', async () => ({ store: new InMemoryEventStore(), drop: async () => undefined })],
  [
    'SQLite',
    async () => {
      const place = await sqlite.make();
      return { store: new TypeOrmEventStore(await place.connect()), drop: () => place.drop() };
    },
  ],
];

describe.each(places)('requireMatch (%s)', (_name, make) => {
  let store: EventStore;
  let drop: () => Promise<void>;
  let es: EventSourcing;
  let other: EventSourcing;
  const accountId = randomUUID();
  const otherId = randomUUID();

  beforeEach(async () => {
    ({ store, drop } = await make());
    es = await EventSourcing.open({ store, classes: [SlowAccount, Counter] });
    other = await EventSourcing.open({ store, classes: [Account, Counter] });
    meanwhile = async () => undefined;
    for (const id of [accountId, otherId]) await (await other.create(Account, { accountId: id })).deposit(100);
    runs = 0;
  });

  afterEach(async () => {
    await other.close();
    await es.close();
    await drop();
  });

  const balances = async () => (await other.load(Account, { accountId })) as unknown as { balance: number };
  const deposits = async () => {
    const found: number[] = [];
    for await (const { data } of store.read({ criteria: [{ types: ['account.deposited'] }] }))
      found.push((data as Deposited).amount);
    return found;
  };

  it('lets a command run on the state whose tag was sent', async () => {
    const account = await es.load(SlowAccount, { accountId });
    requireMatch(account, `W/"a", "b" ,${etagOf(account)},`);
    await account.deposit(5);
    expect((await balances()).balance).toBe(105);
    const fresh = await es.load(SlowAccount, { accountId });
    expect(etagOf(account)).toBe(etagOf(fresh));
  });

  it('refuses the tag of another instance at the same version, an older one, and a weak one', async () => {
    const account = await es.load(SlowAccount, { accountId });
    const before = etagOf(account);
    const foreign = etagOf(await other.load(Account, { accountId: otherId }));
    expect(() => requireMatch(account, foreign)).toThrow(PreconditionFailedError);
    expect(() => requireMatch(account, `W/${before}`)).toThrow(PreconditionFailedError);
    await account.deposit(1);
    expect(() => requireMatch(account, before)).toThrow(PreconditionFailedError);
  });

  it('has another tag after an event of another stream that belongs to the instance', async () => {
    const before = etagOf(await es.load(SlowAccount, { accountId }));
    await (await other.load(Account, { accountId: otherId })).transfer(accountId, 10);
    expect(etagOf(await es.load(SlowAccount, { accountId }))).not.toBe(before);
  });

  it('refuses a command when somebody else is quicker than its commit, and does not run it again', async () => {
    const account = await es.load(SlowAccount, { accountId });
    requireMatch(account, etagOf(account));
    meanwhile = async () => (await other.load(Account, { accountId: otherId })).transfer(accountId, 10);
    await expect(account.deposit(5)).rejects.toThrow(PreconditionFailedError);
    expect(runs).toBe(1);
    expect(await deposits()).toStrictEqual([100, 100]);
    meanwhile = async () => undefined;
    await expect(account.deposit(5)).rejects.toThrow(PreconditionFailedError);
    expect(await deposits()).toStrictEqual([100, 100]);
    requireMatch(account, etagOf(await es.load(SlowAccount, { accountId })));
    await account.deposit(5);
    expect((await balances()).balance).toBe(115);
  });

  it('refuses a command when somebody else was quicker than its beginning', async () => {
    const account = await es.load(SlowAccount, { accountId });
    requireMatch(account, etagOf(account));
    await (await other.load(Account, { accountId })).deposit(7);
    await expect(es.transaction(() => account.deposit(5), { attempts: 3 })).rejects.toThrow(PreconditionFailedError);
    expect(await deposits()).toStrictEqual([100, 100, 7]);
  });

  it('lets one of several racing requests with one tag through', async () => {
    const tag = etagOf(await es.load(SlowAccount, { accountId }));
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4, 5].map(async (amount) => {
        const account = await (amount % 2 === 0 ? es.load(SlowAccount, { accountId }) : other.load(Account, { accountId }));
        requireMatch(account, tag);
        await account.deposit(amount);
      }),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(PreconditionFailedError);
    expect(await deposits()).toHaveLength(3);
  });

  it('holds for a closed aggregate as well', async () => {
    const counter = await es.create(Counter, { counterId: 'a' });
    await counter.count();
    requireMatch(counter, etagOf(counter));
    await (await other.load(Counter, { counterId: 'a' })).count();
    await expect(counter.count()).rejects.toThrow(PreconditionFailedError);
    const again = await es.load(Counter, { counterId: 'a' });
    expectUnchanged(again);
    await (await other.load(Counter, { counterId: 'a' })).count();
    const error = await again.count().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptimisticLockError);
    expect(error).toMatchObject({ type: 'Counter', ids: { counterId: 'a' } });
    expect(again.counted).toBe(3);
  });

  it('takes * for any instance that has events', async () => {
    requireMatch(await es.load(SlowAccount, { accountId }), ' * ');
    const blank = await es.loadOrCreate(SlowAccount, { accountId: randomUUID() });
    expect(() => requireMatch(blank, '*')).toThrow(PreconditionFailedError);
  });

  it('refuses a request without the header, unless it may be missing', async () => {
    const account = await es.load(SlowAccount, { accountId });
    expect(() => requireMatch(account, undefined)).toThrow(PreconditionRequiredError);
    requireMatch(account, undefined, { missing: 'allow' });
    await (await other.load(Account, { accountId })).deposit(7);
    await account.deposit(5);
    expect((await balances()).balance).toBe(112);
  });

  it.each(['', ',', 'a', '"a', '"a" "b"', '"a"b', 'w/"a"', '"a",*', `"${'"'.repeat(5_000)}`, ' '.repeat(15_000), '"\n"'])(
    'refuses %p, which is no list of tags',
    async (header) => {
      const account = await es.load(SlowAccount, { accountId });
      expect(() => requireMatch(account, header)).toThrow(InvalidHeaderError);
    },
  );

  it('refuses a header of blanks at once', async () => {
    const account = await es.load(SlowAccount, { accountId });
    expect(() => requireMatch(account, `"a",${' '.repeat(300_000)}x`)).toThrow(InvalidHeaderError);
  });
});
