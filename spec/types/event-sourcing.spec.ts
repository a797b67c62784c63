import {
  Aggregate,
  AggregateRoot,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  InvalidArgumentError,
  InvalidIdError,
  NotRegisteredError,
  Projection,
  ProjectionId,
  type RecordedEvent,
} from 'eventfold';
import type { Observable } from 'rxjs';

type AccountId = string & { readonly brand: 'AccountId' };

@Event('account.opened')
class Opened {
  accountId!: string;
  owner!: string;
}

@Event('product.sold')
class Sold {
  shopId!: string;
  productId!: number;
}

@Aggregate()
class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: AccountId;

  @Handles(Opened)
  protected opened() {}
}

@Aggregate()
class Shelf extends AggregateRoot<'shopId' | 'productId' | 'from'> {
  @ProjectionId() readonly shopId!: string;
  @ProjectionId() readonly productId!: number;

  @Handles(Sold)
  protected sold() {}
}

@Projection({ mode: 'live' })
class Sales {
  @ProjectionId() shopId!: string;
  @ProjectionId() productId!: number;
  count = 0;

  @Handles(Sold)
  sold() {
    this.count += 1;
  }
}

@Projection({ mode: 'live' })
class Total {
  @Handles(Sold)
  sold() {}
}

let es: EventSourcing;

beforeEach(async () => {
  es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account, Shelf, Sales, Total] });
});

afterEach(() => es.close());

describe('EventSourcing.load', () => {
  it('compiles with all ids of the class, each of its type', async () => {
    const account: Account = await es.loadOrCreate(Account, { accountId: 'a' as AccountId });
    const shelf: Shelf = await es.create(Shelf, { shopId: 's', productId: 1 });
    expect([account.accountId, shelf.shopId, shelf.productId]).toStrictEqual(['a', 's', 1]);
    expect(es.streamOf(Shelf, { shopId: 's', productId: 1 })).toBe('Shelf:s|1');
  });

  it('does not compile without an id, with an unknown one, or one of another type', async () => {
    // @ts-expect-error - "accountId" is missing
    await expect(es.load(Account, {})).rejects.toThrow(InvalidIdError);
    // @ts-expect-error - the ids are missing
    await expect(es.load(Account)).rejects.toThrow(InvalidIdError);
    // @ts-expect-error - one of two ids is missing
    await expect(es.create(Shelf, { shopId: 's' })).rejects.toThrow(InvalidIdError);
    // @ts-expect-error - the class has no property "acountId"
    await expect(es.load(Account, { acountId: 'a' })).rejects.toThrow(InvalidIdError);
    // @ts-expect-error - "owner" is no id
    await expect(es.load(Account, { accountId: 'a' as AccountId, owner: 'me' })).rejects.toThrow(InvalidIdError);
    // @ts-expect-error - text that is not branded may be any
    await expect(es.load(Account, { accountId: 'a' })).rejects.toThrow('has no events');
    // @ts-expect-error - "productId" is a number
    await expect(es.load(Shelf, { shopId: 's', productId: '1' })).rejects.toThrow('has no events');
    // @ts-expect-error - the id alone is not enough: ids have names
    await expect(es.load(Account, 'a')).rejects.toThrow(InvalidIdError);
  });

  it('does not compile for what is no aggregate', async () => {
    // @ts-expect-error - a projection cannot be loaded
    await expect(es.load(Sales, { shopId: 's', productId: 1 })).rejects.toThrow(NotRegisteredError);
    // @ts-expect-error - nor can a name
    await expect(es.load('Account', { accountId: 'a' })).rejects.toThrow(NotRegisteredError);
  });
});

describe('EventSourcing.events', () => {
  it('gives events of the types that are asked for', () => {
    const one: Observable<RecordedEvent<Opened>> = es.events({ types: [Opened] });
    const two: Observable<RecordedEvent<Opened | Sold>> = es.events({ types: [Opened, Sold] });
    const all: Observable<RecordedEvent> = es.events();
    const later: Observable<RecordedEvent> = es.events({ after: undefined });
    expect([one, two, all, later]).toHaveLength(4);
  });

  it('does not compile where another type is expected', () => {
    // @ts-expect-error - a sale may come where openings are expected
    const openings: Observable<RecordedEvent<Opened>> = es.events({ types: [Opened, Sold] });
    // @ts-expect-error - any event may come where openings are expected
    const all: Observable<RecordedEvent<Opened>> = es.events();
    expect([openings, all]).toHaveLength(2);
    // @ts-expect-error - types are classes
    expect(() => es.events({ types: ['account.opened'] })).toThrow(NotRegisteredError);
  });
});

describe('EventSourcing.projections', () => {
  it('finds instances by their ids, and by none where there is none', async () => {
    const sales: Sales | undefined = await es.projections.get(Sales, { shopId: 's', productId: 1 });
    const total: Total | undefined = await es.projections.get(Total);
    const watched: Observable<Sales | undefined> = es.projections.watch(Sales, { shopId: 's', productId: 1 });
    const changes: Observable<Sales> = es.projections.changes(Sales);
    expect([sales, total]).toStrictEqual([undefined, undefined]);
    expect([watched, changes]).toHaveLength(2);
  });

  it('does not compile with an unknown id, or one of another type', async () => {
    // @ts-expect-error - the class has no property "shop"
    await expect(es.projections.get(Sales, { shop: 's', productId: 1 })).rejects.toThrow(InvalidIdError);
    // @ts-expect-error - "productId" is a number
    await expect(es.projections.get(Sales, { shopId: 's', productId: '1' })).resolves.toBeUndefined();
    // @ts-expect-error - "shopId" is text
    expect(() => es.projections.watch(Sales, { shopId: 1, productId: 1 })).not.toThrow();
    // @ts-expect-error - the id alone is not enough: ids have names
    await expect(es.projections.get(Sales, 's')).rejects.toThrow(InvalidIdError);
  });
});

describe('EventSourcing.transaction', () => {
  const manager = {};

  it('gives what the work resolves to, with options or within a transaction', async () => {
    const one: number = await es.transaction(() => 1);
    const two: string = await es.transaction(async () => 'two', { attempts: 3 });
    const three: () => Promise<boolean> = () => es.transaction(manager, async () => true);
    expect([one, two]).toStrictEqual([1, 'two']);
    await expect(three()).rejects.toThrow(InvalidArgumentError);
  });

  it('does not compile without work, with options of another kind, or with attempts at what is not ours', async () => {
    // @ts-expect-error - work is missing
    await expect(es.transaction(manager)).rejects.toThrow(InvalidArgumentError);
    // @ts-expect-error - "attempt" is no option
    await expect(es.transaction(() => 1, { attempt: 3 })).rejects.toThrow(InvalidArgumentError);
    // @ts-expect-error - a text stands for no transaction
    await expect(es.transaction('manager', () => 1)).rejects.toThrow(InvalidArgumentError);
    // @ts-expect-error - only the user can begin his transaction again
    await expect(es.transaction(manager, () => 1, { attempts: 3 })).rejects.toThrow(InvalidArgumentError);
  });
});

describe('EventSourcing.append', () => {
  it('does not compile without a guard', async () => {
    // @ts-expect-error - to append without a guard is another call
    await expect(es.append('shop', [])).rejects.toThrow(InvalidArgumentError);
    // @ts-expect-error - a guard that holds always is none
    await expect(es.append('shop', [], { version: 'any' })).rejects.toThrow(InvalidArgumentError);
    // @ts-expect-error - a misspelt guard is none
    await expect(es.append('shop', [], { verison: 0 })).rejects.toThrow();
  });
});
