import { type Class, type EventSourcing, Handles, InMemoryEventStore, Projection, ProjectionId } from 'eventfold';
import { Added, AsyncTally, added, Gate, InlineTally, LiveTally, moved, openTally, Poisoned, poisoned } from '../controls/tally';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

/** Where slow handlers wait; reset before each test. */
let gate: Gate;

@Projection()
class Slow {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  async added(event: Added) {
    await (event.amount === 0 ? gate.opened : undefined);
    this.seen.push(event.amount);
  }

  @Handles(Poisoned)
  async poisoned(event: Poisoned) {
    this.seen.push(-1);
    await Promise.resolve();
    throw new Error(event.reason);
  }
}

/** Async for some events only. */
@Projection()
class Mixed {
  seen: number[] = [];

  @Handles(Added)
  added(event: Added): Promise<void> | undefined {
    if (event.amount % 3 !== 0) {
      this.seen.push(event.amount);
      return undefined;
    }
    return Promise.resolve().then(() => {
      this.seen.push(event.amount);
    });
  }
}

describe('AsyncProjection', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  async function open(...classes: Class[]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
    es.projections.errors().subscribe();
  }
  async function appendAll(amounts: readonly number[], id: (amount: number) => string = () => 'a') {
    for (const amount of amounts) await es.appendUnguarded(`s${amount % 5}`, [added(id(amount), amount)]);
  }
  /** Resolves when the background has had the time to hand on everything that is stored. */
  async function routed() {
    await es.projections.caughtUp(AsyncTally);
  }
  beforeEach(() => {
    gate = new Gate();
  });
  afterEach(() => es.close());

  it('applies events to one instance in order, each once, when handlers are async', async () => {
    await open(Slow, Mixed);
    gate.open();
    await appendAll(range(200));
    await es.projections.caughtUp();
    expect((await es.projections.get(Slow, { id: 'a' }))?.seen).toStrictEqual(range(200));
    expect((await es.projections.get(Mixed))?.seen).toStrictEqual(range(200));
  });

  it.each([10, 1_000, 9_998, 9_999, 10_000, 10_001, 12_000])(
    'loses and doubles nothing when %d events wait behind a slow handler',
    async (waiting) => {
      await open(Slow, AsyncTally);
      await appendAll([0]);
      await routed();
      await es.appendUnguarded(
        's',
        range(waiting, 1).map((amount) => added(`i${amount % 7}`, amount)),
      );
      await routed();
      await appendAll(range(20, waiting + 1), (amount) => `i${amount % 7}`);
      await routed();
      expect(await es.projections.get(Slow, { id: 'i1' })).toBeUndefined();
      gate.open();
      await es.projections.caughtUp(Slow);
      await appendAll(range(20, waiting + 21), (amount) => `i${amount % 7}`);
      await es.projections.caughtUp(Slow);
      const all = range(waiting + 40, 1);
      for (const rest of range(7)) {
        const expected = all.filter((amount) => amount % 7 === rest);
        expect((await es.projections.get(Slow, { id: `i${rest}` }))?.seen).toStrictEqual(expected);
      }
    },
  );

  it('goes on in order when more is appended while it reads its backlog from the store', async () => {
    await open(Slow, AsyncTally);
    await appendAll([0]);
    await routed();
    await es.appendUnguarded(
      's',
      range(3_000, 1).map((amount) => added('a', amount)),
    );
    await routed();
    gate.open();
    await appendAll(range(500, 3_001));
    await es.projections.caughtUp();
    expect((await es.projections.get(Slow, { id: 'a' }))?.seen).toStrictEqual(range(3_501));
  });

  it('does not hold up other projections while a handler is slow', async () => {
    await open(Slow, AsyncTally);
    await appendAll(range(50));
    await es.projections.caughtUp(AsyncTally);
    expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual(range(50));
    gate.open();
    await es.projections.caughtUp(Slow);
  });

  it('is not caught up while a handler runs or an event waits', async () => {
    await open(Slow, AsyncTally);
    await appendAll([0, 1]);
    await routed();
    let isReached = false;
    const reached = es.projections.caughtUp(Slow).then(() => {
      isReached = true;
    });
    await appendAll([2]);
    await routed();
    expect(isReached).toBe(false);
    gate.open();
    await reached;
    expect((await es.projections.get(Slow, { id: 'a' }))?.seen.slice(0, 2)).toStrictEqual([0, 1]);
  });

  it('is caught up to what came before the event at work', async () => {
    await open(Slow, AsyncTally);
    await appendAll([1]);
    await es.projections.caughtUp(Slow);
    const { position } = await es.appendUnguarded('s', [moved('a', 'b', 1)]);
    await appendAll([0]);
    await routed();
    await es.projections.caughtUp(Slow, { position, timeoutMs: 0 });
    gate.open();
  });

  it.each([
    [9_999, 'from memory'],
    [10_000, 'by reading the store'],
  ])('works off %d waiting events %s', async (waiting, how) => {
    await open(Slow, AsyncTally);
    await appendAll([0]);
    await routed();
    await es.appendUnguarded(
      's',
      range(waiting, 1).map((amount) => added('a', amount)),
    );
    await routed();
    let reads = 0;
    const { read } = store;
    store.read = (query) => {
      reads += 1;
      return read.call(store, query);
    };
    gate.open();
    await es.projections.caughtUp(Slow);
    expect(reads > 0 ? 'by reading the store' : 'from memory').toBe(how);
    expect((await es.projections.get(Slow, { id: 'a' }))?.seen).toStrictEqual(range(waiting + 1));
  });

  it('parks what an async handler rejects, for that instance alone', async () => {
    await open(Slow, AsyncTally);
    gate.open();
    await es.appendUnguarded('s', [added('a', 1), poisoned('a'), added('b', 2), added('a', 3), poisoned('b'), added('c', 4)]);
    await es.projections.caughtUp();
    expect((await es.projections.all(Slow)).map(({ id, seen }) => [id, seen])).toStrictEqual([
      ['a', [1]],
      ['b', [2]],
      ['c', [4]],
    ]);
    expect((await es.projections.parked(Slow)).map(({ ids, waiting }) => [ids, waiting])).toStrictEqual([
      [{ id: 'a' }, 1],
      [{ id: 'b' }, 0],
    ]);
  });

  it.each<Class<{ seen: number[] }>>([AsyncTally, InlineTally, Slow])(
    'shows the same when it is registered late, after a restart, and all along: %p',
    async (target) => {
      gate.open();
      await open(target);
      const amounts = range(2_500, 1);
      await es.appendUnguarded(
        's',
        amounts.map((amount) => added(`i${amount % 3}`, amount)),
      );
      const late = await openTally([Added], store);
      await late.projections.register(target);
      const restarted = await openTally([target], store);
      await Promise.all([es, late, restarted].map(({ projections }) => projections.caughtUp()));
      const expected = await es.projections.all(target);
      expect(expected.map(({ seen }) => seen).sort(([a], [b]) => Number(a) - Number(b))).toStrictEqual(
        [1, 2, 0].map((rest) => amounts.filter((amount) => amount % 3 === rest)),
      );
      expect(await late.projections.all(target)).toStrictEqual(expected);
      expect(await restarted.projections.all(target)).toStrictEqual(expected);
    },
  );

  it.each<Class<{ id: string; seen: number[] }>>([AsyncTally, InlineTally, LiveTally, Slow])(
    'loses and doubles nothing when it is registered while appends go on: %p',
    async (target) => {
      gate.open();
      await open(Mixed);
      await es.appendUnguarded(
        's',
        range(1_500).map((amount) => added('a', amount)),
      );
      const appending = appendAll(range(500, 1_500));
      await es.projections.register(target);
      expect((await es.projections.get(target, { id: 'a' }))?.seen.slice(0, 1_500)).toStrictEqual(range(1_500));
      await appending;
      await appendAll(range(5, 2_000));
      await es.projections.caughtUp();
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual(range(2_005));
    },
  );

  it('registers several projections at the same time', async () => {
    await open();
    await es.appendUnguarded('s', []);
    const other = await openTally([AsyncTally], store);
    await other.appendUnguarded('s', [added('a', 1), moved('a', 'b', 2)]);
    await Promise.all([AsyncTally, InlineTally, LiveTally].map((target) => es.projections.register(target)));
    await es.appendUnguarded('s', [added('a', 3)]);
    await es.projections.caughtUp();
    for (const target of [AsyncTally, InlineTally, LiveTally])
      expect((await es.projections.get<AsyncTally>(target, { id: 'a' }))?.seen).toStrictEqual([1, -2, 3]);
  });
});
