import {
  type Class,
  createEvent,
  Event,
  type EventContext,
  type EventSourcing,
  Handles,
  InMemoryEventStore,
  OptimisticLockError,
  Projection,
  ProjectionError,
  ProjectionId,
} from 'eventfold';
import { Added, AsyncTally, added, InlineTally, openTally, type TallyState } from '../../controls/tally';

@Event('inline-append.derived')
class Derived {
  id!: string;
  twice!: number;
}

/** What `Deriving` does with each event; reset before each test. */
let derive: (event: Added, context: EventContext) => PromiseLike<unknown> | undefined;

@Projection({ mode: 'inline' })
class Deriving {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  async added(event: Added, context: EventContext) {
    this.seen.push(event.amount);
    await derive(event, context);
  }
}

@Projection({ mode: 'inline' })
class Derivations {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  added(event: Added) {
    this.seen.push(event.amount);
  }

  @Handles(Derived)
  derived(event: Derived) {
    this.seen.push(event.twice);
    if (event.twice < 0) throw new Error('negative');
  }
}

const derived = (id: string, twice: number) => createEvent(Derived, { id, twice });

describe('InlineAppend', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  async function open(...classes: Class[]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
    derive = ({ id, amount }) => es.appendUnguarded('derived', [derived(id, amount * 2)]);
  }
  async function storedTypes() {
    const found: string[] = [];
    for await (const { stream, version, type } of store.read({})) found.push(`${stream}@${version} ${type}`);
    return found;
  }
  afterEach(() => es.close());

  it.each([[[Deriving, Derivations]], [[Derivations, Deriving]]])(
    'stores what an inline handler appends in the same transaction, folded after what led to it (%p)',
    async (classes) => {
      await open(...classes);
      const heard: string[] = [];
      es.events().subscribe(({ type }) => heard.push(type));
      await es.appendUnguarded('s', [added('a', 1), added('a', 2)]);
      expect(await storedTypes()).toStrictEqual([
        's@1 tally.added',
        's@2 tally.added',
        'derived@1 inline-append.derived',
        'derived@2 inline-append.derived',
      ]);
      expect((await es.projections.get(Deriving, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
      expect((await es.projections.get(Derivations, { id: 'a' }))?.seen).toStrictEqual([1, 2, 2, 4]);
      await es.projections.caughtUp();
      expect(await storedTypes()).toHaveLength(4);
    },
  );

  it('stores nothing at all when the derived event is refused', async () => {
    await open(Deriving, Derivations, InlineTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    await expect(es.appendUnguarded('s', [added('a', 2), added('a', -3)])).rejects.toBeInstanceOf(ProjectionError);
    expect(await storedTypes()).toHaveLength(2);
    expect((await es.projections.get(Deriving, { id: 'a' }))?.seen).toStrictEqual([1]);
    expect((await es.projections.get(Derivations, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    await es.appendUnguarded('s', [added('a', 4)]);
    expect((await es.projections.get(Derivations, { id: 'a' }))?.seen).toStrictEqual([1, 2, 4, 8]);
    expect((await es.projections.get<TallyState>(InlineTally, { id: 'a' }))?.seen).toStrictEqual([1, 4]);
  });

  it('fails the whole append when the guard of the derived one does not hold', async () => {
    await open(Deriving, Derivations);
    derive = ({ id, amount }) => es.append('derived', [derived(id, amount)], { version: 'none' });
    await es.appendUnguarded('s', [added('a', 1)]);
    const error = await es.appendUnguarded('s', [added('a', 2)]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProjectionError);
    expect((error as Error).cause).toBeInstanceOf(OptimisticLockError);
    expect(await storedTypes()).toHaveLength(2);
  });

  it('reaches async projections and subscribers in the order of positions', async () => {
    await open(AsyncTally, Deriving);
    derive = ({ id, amount }) => (amount < 4 ? es.appendUnguarded('s', [added(id, amount + 1)]) : undefined);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([1, 2, 3, 4]);
    expect((await es.projections.get(Deriving, { id: 'a' }))?.seen).toStrictEqual([1, 2, 3, 4]);
  });

  it('stores what a handler appends after the append is over by itself', async () => {
    await open(Deriving, Derivations);
    const late: PromiseLike<unknown>[] = [];
    derive = ({ id, amount }) => {
      const append = async () => {
        for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
        return es.appendUnguarded('derived', [derived(id, amount * 2)]);
      };
      late.push(append());
      return undefined;
    };
    await es.appendUnguarded('s', [added('a', 1)]);
    await Promise.all(late);
    expect(await storedTypes()).toStrictEqual(['s@1 tally.added', 'derived@1 inline-append.derived']);
    expect((await es.projections.get(Derivations, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
  });

  it('stores what a watcher appends in reaction to a change by itself, though the next append fails', async () => {
    await open(InlineTally, Deriving, Derivations);
    derive = ({ amount }) => (amount === 2 ? Promise.reject(new Error('no two')) : undefined);
    const reactions: Promise<unknown>[] = [];
    es.projections.changes(InlineTally).subscribe(({ id, sum }) => {
      if (sum === 1) reactions.push(es.appendUnguarded('derived', [derived(id, 7)]));
    });
    const outcomes = await Promise.allSettled([
      es.appendUnguarded('s', [added('a', 1)]),
      es.appendUnguarded('s', [added('a', 2)]),
    ]);
    expect(outcomes.map(({ status }) => status)).toStrictEqual(['fulfilled', 'rejected']);
    await Promise.all(reactions);
    expect(await storedTypes()).toStrictEqual(['s@1 tally.added', 'derived@1 inline-append.derived']);
  });
});
