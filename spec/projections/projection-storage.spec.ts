import {
  CaughtUpTimeoutError,
  type Class,
  ClosedError,
  type EventSourcing,
  Handles,
  InMemoryEventStore,
  InvalidIdError,
  InvalidPositionError,
  LiveProjectionError,
  NotRegisteredError,
  Projection,
  ProjectionId,
  StartUpError,
} from 'eventfold';
import { config } from 'rxjs';
import {
  Added,
  AsyncTally,
  added,
  FussyTally,
  Gate,
  InlineTally,
  LiveTally,
  moved,
  openTally,
  poisoned,
} from '../controls/tally';

@Projection()
class Deep {
  @ProjectionId() id!: string;
  readonly nested = {
    list: [1],
    map: new Map([['k', { n: 1 }]]),
    set: new Set([1]),
    date: new Date(0),
    bytes: new Uint8Array([1]),
  };
  self?: this;

  @Handles(Added)
  added() {
    this.self = this;
    this.nested.list.push(2);
  }
}

/** Never ends until its gate opens. */
let gate: Gate;

@Projection()
class Gated {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  async added(event: Added) {
    await gate.opened;
    this.seen.push(event.amount);
  }
}

function collect<T, R>(source: { subscribe(observer: object): unknown }, pick: (value: T) => R) {
  const values: R[] = [];
  let end!: () => void;
  const ended = new Promise<void>((done) => {
    end = done;
  });
  source.subscribe({ next: (value: T) => values.push(pick(value)), complete: end });
  return { values, ended };
}

describe('ProjectionStorage', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  async function open(...classes: Class[]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
  }
  beforeEach(() => {
    gate = new Gate();
  });
  afterEach(() => es.close());

  describe.each<Class<{ id: string; seen: number[] }>>([AsyncTally, InlineTally, LiveTally])('of %p', (target) => {
    it('gives an instance of the class, with its ids; undefined without events', async () => {
      await open(target);
      expect(await es.projections.get(target, { id: 'a' })).toBeUndefined();
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.projections.caughtUp();
      const state = await es.projections.get(target, { id: 'a' });
      expect(state).toBeInstanceOf(target);
      expect(state).toMatchObject({ id: 'a', seen: [1] });
      expect(await es.projections.get(target, { id: 'b' })).toBeUndefined();
    });

    it('gives copies: to change one changes nothing', async () => {
      await open(target);
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.projections.caughtUp();
      const state = await es.projections.get(target, { id: 'a' });
      state?.seen.push(666);
      await es.appendUnguarded('s', [added('a', 2)]);
      await es.projections.caughtUp();
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    });

    it('gives each of several watchers copies of their own', async () => {
      await open(target);
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.projections.caughtUp();
      const watchers = [1, 2, 3].map((mark) =>
        collect(es.projections.watch(target, { id: 'a' }), (s: AsyncTally) => s.seen.push(mark) && s.seen),
      );
      const listeners = [4, 5].map((mark) =>
        collect(es.projections.changes(target), (s: AsyncTally) => s.seen.push(mark) && s.seen),
      );
      await new Promise((turn) => setImmediate(turn));
      await es.appendUnguarded('s', [added('a', 9)]);
      await es.projections.caughtUp();
      await es.close();
      await Promise.all([...watchers, ...listeners].map(({ ended }) => ended));
      expect(watchers.map(({ values }) => values)).toStrictEqual(
        [1, 2, 3].map((mark) => [
          [1, mark],
          [1, 9, mark],
        ]),
      );
      expect(listeners.map(({ values }) => values)).toStrictEqual([4, 5].map((mark) => [[1, 9, mark]]));
    });

    it('lets go of a watcher that has had enough', async () => {
      await open(target);
      const seen: unknown[] = [];
      const watching = es.projections.watch(target, { id: 'a' }).subscribe((state) => seen.push(state?.seen));
      const changing = es.projections.changes(target).subscribe((state) => seen.push(state.seen));
      const other = collect(es.projections.watch(target, { id: 'a' }), (state: AsyncTally | undefined) => state?.seen);
      await new Promise((turn) => setImmediate(turn));
      watching.unsubscribe();
      changing.unsubscribe();
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.projections.caughtUp();
      await es.close();
      await other.ended;
      expect(seen).toStrictEqual([undefined]);
      expect(other.values).toStrictEqual([undefined, [1]]);
    });

    it('completes what is watched when it is closed, and what is watched after that', async () => {
      await open(target);
      const observables = () => [
        es.projections.watch(target, { id: 'a' }),
        es.projections.changes(target),
        es.projections.errors(),
      ];
      const before = observables().map((observable) => collect(observable, (value) => value));
      await es.close();
      const after = observables().map((observable) => collect(observable, (value) => value));
      await Promise.all([...before, ...after].map(({ ended }) => ended));
    });

    it('refuses ids that are none of the class', async () => {
      await open(target);
      for (const ids of [undefined, {}, { id: '' }, { id: Number.NaN }, { id: {} }, { id: 'a', other: 1 }, 'a', null]) {
        await expect(es.projections.get(target, ids as never)).rejects.toBeInstanceOf(InvalidIdError);
        expect(() => es.projections.watch(target, ids as never)).toThrow(InvalidIdError);
      }
    });

    it('refuses a class that is not registered', async () => {
      await open(target);
      await expect(es.projections.get(Gated, { id: 'a' })).rejects.toBeInstanceOf(NotRegisteredError);
      await expect(es.projections.all(Gated)).rejects.toBeInstanceOf(NotRegisteredError);
      expect(() => es.projections.watch(Gated, { id: 'a' })).toThrow(NotRegisteredError);
      expect(() => es.projections.changes(Gated)).toThrow(NotRegisteredError);
      await expect(es.projections.caughtUp(Gated)).rejects.toBeInstanceOf(NotRegisteredError);
      await expect(es.projections.parked(Gated)).rejects.toBeInstanceOf(NotRegisteredError);
    });
  });

  it('shows a watcher the state now, then after every change of that instance', async () => {
    await open(AsyncTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    const { values, ended } = collect(es.projections.watch(AsyncTally, { id: 'a' }), (state: AsyncTally) => state.seen);
    await es.appendUnguarded('s', [added('a', 2), added('b', 7)]);
    await es.projections.caughtUp();
    await es.appendUnguarded('s', [added('b', 8)]);
    await es.projections.caughtUp();
    await es.appendUnguarded('s', [moved('b', 'a', 3)]);
    await es.projections.caughtUp();
    await es.close();
    await ended;
    expect(values).toStrictEqual([[1], [1, 2], [1, 2, 3]]);
  });

  it('tells of events that are folded together as of one change', async () => {
    await open(AsyncTally);
    await es.projections.caughtUp();
    const { values } = collect(es.projections.watch(AsyncTally, { id: 'a' }), (state?: AsyncTally) => state?.seen);
    const changed = collect(es.projections.changes(AsyncTally), ({ id }: AsyncTally) => id);
    await es.appendUnguarded('s', [added('b', 1), added('a', 2), moved('b', 'a', 3)]);
    await es.projections.caughtUp();
    expect(values.at(-1)).toStrictEqual([2, 3]);
    expect(values).not.toContainEqual([2]);
    expect(changed.values).toStrictEqual(['b', 'a']);
  });

  it('has told watchers of everything once it is caught up, however slowly that is read', async () => {
    await open(AsyncTally);
    const changed = collect(es.projections.changes(AsyncTally), ({ seen }: AsyncTally) => seen);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    const { read } = store;
    store.read = (query) => {
      const stream = read.call(store, query);
      return Object.assign(stream, {
        chunks: async function* (this: typeof stream) {
          await new Promise((turn) => setTimeout(turn, 20));
          yield* read.call(store, query).chunks();
        },
      });
    };
    await es.appendUnguarded('s', [added('a', 2)]);
    await es.projections.caughtUp();
    expect(changed.values).toStrictEqual([[1], [1, 2]]);
  });

  it('tells of each instance that changes, in the order of the events', async () => {
    await open(AsyncTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    const { values } = collect(es.projections.changes(AsyncTally), ({ id, sum }: AsyncTally) => [id, sum]);
    await es.appendUnguarded('s', [added('b', 2), moved('b', 'a', 5)]);
    await es.projections.caughtUp();
    expect(values).toStrictEqual([
      ['b', -3],
      ['a', 6],
    ]);
  });

  it('copies whatever a state holds', async () => {
    await open(Deep);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    const spoil = async () => {
      const state = (await es.projections.get(Deep, { id: 'a' })) as Deep;
      expect(state.self).toBe(state);
      const { nested } = state;
      expect(nested).toStrictEqual({
        list: [1, 2],
        map: new Map([['k', { n: 1 }]]),
        set: new Set([1]),
        date: new Date(0),
        bytes: new Uint8Array([1]),
      });
      nested.list.pop();
      (nested.map.get('k') as { n: number }).n = 9;
      nested.set.clear();
      nested.date.setFullYear(2000);
      nested.bytes.fill(7);
    };
    await spoil();
    await spoil();
  });

  it('lists copies of all instances, in an order that stays the same', async () => {
    await open(AsyncTally, LiveTally);
    expect(await es.projections.all(AsyncTally)).toStrictEqual([]);
    await es.appendUnguarded('s', [added('c', 1), added('a', 2), moved('c', 'b', 3)]);
    await es.projections.caughtUp();
    const all = await es.projections.all(AsyncTally);
    const ids = all.map(({ id }) => id);
    expect(ids.toSorted()).toStrictEqual(['a', 'b', 'c']);
    all.find(({ id }) => id === 'c')?.seen.pop();
    await es.appendUnguarded('s', [added('b', 4)]);
    await es.projections.caughtUp();
    const again = await es.projections.all(AsyncTally);
    expect(again.map(({ id }) => id)).toStrictEqual(ids);
    expect(again.find(({ id }) => id === 'c')?.seen).toStrictEqual([1, -3]);
    await expect(es.projections.all(LiveTally)).rejects.toBeInstanceOf(LiveProjectionError);
  });

  it('goes on when a watcher throws, for it and for others', async () => {
    const unhandled: unknown[] = [];
    const { onUnhandledError } = config;
    config.onUnhandledError = (error) => unhandled.push(error);
    try {
      await open(AsyncTally, InlineTally);
      const seen: unknown[] = [];
      for (const target of [AsyncTally, InlineTally] as Class<AsyncTally>[]) {
        es.projections.changes(target).subscribe((state) => {
          seen.push(state.sum);
          throw new Error('watcher');
        });
        es.projections.changes(target).subscribe((state) => seen.push(state.sum));
      }
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.appendUnguarded('s', [added('a', 2)]);
      await es.projections.caughtUp();
      await new Promise((turn) => setTimeout(turn));
      expect(seen.toSorted()).toStrictEqual([1, 1, 1, 1, 3, 3, 3, 3]);
      expect(unhandled).toHaveLength(4);
    } finally {
      config.onUnhandledError = onUnhandledError;
    }
  });

  describe('caughtUp', () => {
    it('resolves at once while nothing is stored', async () => {
      await open(AsyncTally, InlineTally, LiveTally);
      await es.projections.caughtUp();
      await es.projections.caughtUp(AsyncTally, { timeoutMs: 0 });
    });

    it('waits for everything stored by the time of the call, or for a position, also given as text', async () => {
      await open(AsyncTally);
      const { position } = await es.appendUnguarded('s', [added('a', 1), added('a', 2)]);
      await es.projections.caughtUp(AsyncTally);
      expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
      await es.projections.caughtUp(AsyncTally, { position });
      await es.projections.caughtUp(AsyncTally, { position: JSON.parse(JSON.stringify(position)) as string });
    });

    it('times out, naming who lags behind what', async () => {
      await open(Gated, AsyncTally);
      const { position } = await es.appendUnguarded('s', [added('a', 1)]);
      const error = await es.projections.caughtUp(undefined, { timeoutMs: 5 }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CaughtUpTimeoutError);
      expect(error).toMatchObject({ projections: ['Gated'], position, timeoutMs: 5 });
      await es.projections.caughtUp(AsyncTally, { timeoutMs: 5 });
      gate.open();
      await es.projections.caughtUp();
    });

    it('waits for ever when told so', async () => {
      await open(Gated, AsyncTally);
      await es.appendUnguarded('s', [added('a', 1)]);
      const reached = es.projections.caughtUp(Gated, { timeoutMs: Number.POSITIVE_INFINITY });
      await es.projections.caughtUp(AsyncTally);
      await new Promise((turn) => setTimeout(turn, 5));
      gate.open();
      await reached;
      expect((await es.projections.get(Gated, { id: 'a' }))?.seen).toStrictEqual([1]);
    });

    it('rejects when it is closed meanwhile, or was before', async () => {
      await open(Gated);
      await es.appendUnguarded('s', [added('a', 1)]);
      const waiting = es.projections.caughtUp();
      const closing = es.close();
      await expect(waiting).rejects.toBeInstanceOf(ClosedError);
      await closing;
      await expect(es.projections.caughtUp()).rejects.toBeInstanceOf(ClosedError);
      gate.open();
    });

    it('refuses a position of another store, or none at all', async () => {
      await open(AsyncTally);
      const other = new InMemoryEventStore();
      const { position } = await other.append([{ stream: 's', guard: { version: 'any' }, events: [{ type: 't', data: {} }] }]);
      await expect(es.projections.caughtUp(AsyncTally, { position })).rejects.toBeInstanceOf(InvalidPositionError);
      await expect(es.projections.caughtUp(AsyncTally, { position: 'tomorrow' })).rejects.toBeInstanceOf(InvalidPositionError);
    });

    it('is not held up by a parked event', async () => {
      await open(FussyTally);
      es.projections.errors().subscribe();
      const { position } = await es.appendUnguarded('s', [poisoned('a'), added('a', 1), added('b', 2)]);
      await es.projections.caughtUp(FussyTally, { position });
      expect((await es.projections.get(FussyTally, { id: 'b' }))?.seen).toStrictEqual([2]);
    });
  });

  it('goes on reporting when a listener throws', async () => {
    const unhandled: unknown[] = [];
    const { onUnhandledError } = config;
    config.onUnhandledError = (error) => unhandled.push(error);
    try {
      await open(FussyTally);
      const heard: unknown[] = [];
      es.projections.errors().subscribe((failure) => {
        heard.push(failure.ids);
        throw new Error('listener');
      });
      await es.appendUnguarded('s', [poisoned('a'), poisoned('b')]);
      await es.projections.caughtUp();
      await new Promise((turn) => setTimeout(turn));
      expect(heard).toStrictEqual([{ id: 'a' }, { id: 'b' }]);
      expect(await es.projections.parked()).toHaveLength(2);
      expect(unhandled).toHaveLength(2);
    } finally {
      config.onUnhandledError = onUnhandledError;
    }
  });

  it('refuses to register what is registered, or no projection, and stays as it was', async () => {
    await open(AsyncTally);
    await expect(es.projections.register(AsyncTally)).rejects.toBeInstanceOf(StartUpError);
    await expect(es.projections.register(Added)).rejects.toBeInstanceOf(NotRegisteredError);
    await es.projections.register(InlineTally);
    expect(es.stats().projectionsRunning).toBe(2);
    await es.close();
    await expect(es.projections.register(LiveTally)).rejects.toBeInstanceOf(ClosedError);
  });

  it('reads again when the store fails to be read', async () => {
    store = new InMemoryEventStore();
    const { read } = store;
    let failures = 2;
    store.read = (query) => {
      failures -= 1;
      if (failures >= 0) throw new Error('the store is away');
      return read.call(store, query);
    };
    es = await openTally([AsyncTally], store);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([1]);
  });
});
