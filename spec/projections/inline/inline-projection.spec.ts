import {
  type Class,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  OptimisticLockError,
  Projection,
  ProjectionError,
  ProjectionId,
  type RecordedEvent,
} from 'eventfold';
import { toArray } from 'rxjs';
import {
  Added,
  AsyncTally,
  added,
  FussyTally,
  Gate,
  InlineTally,
  moved,
  openTally,
  Poisoned,
  poisoned,
  StrictInline,
} from '../../controls/tally';

@Event('inline.counted')
class Counted {
  id!: string;
  total!: number;
}

/** Sees each event after a moment, and refuses poison. */
@Projection({ mode: 'inline' })
class SlowInline {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  async added(event: Added) {
    await Promise.resolve();
    this.seen.push(event.amount);
  }

  @Handles(Poisoned)
  async poisoned(event: Poisoned) {
    this.seen.push(-1);
    await Promise.resolve();
    throw new Error(event.reason);
  }
}

type Refusing = new () => StrictInline | SlowInline;

async function stored(store: InMemoryEventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.read({})) events.push(event);
  return events;
}

describe('InlineProjection', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  async function open(...classes: Class[]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
  }
  afterEach(() => es.close());

  it('has seen all events, in order, before the append resolves', async () => {
    await open(InlineTally, SlowInline, StrictInline);
    await es.appendUnguarded('s', [added('a', 1), added('a', 2)]);
    expect((await es.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    expect((await es.projections.get(SlowInline, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    await es.appendUnguarded('s', [added('a', 3)]);
    expect((await es.projections.get(StrictInline, { id: 'a' }))?.seen).toStrictEqual([1, 2, 3]);
    expect((await es.projections.get(SlowInline, { id: 'a' }))?.seen).toStrictEqual([1, 2, 3]);
  });

  it.each<[string, Refusing, Class]>([
    ['first', StrictInline, InlineTally],
    ['last', StrictInline, InlineTally],
    ['first', SlowInline, InlineTally],
    ['last', SlowInline, InlineTally],
  ])(
    'lets the append fail when its handler throws; nothing is stored and nobody hears of it (%s: %p)',
    async (place, target, other) => {
      await open(...(place === 'first' ? [target, other] : [other, target]), FussyTally);
      const heard: unknown[] = [];
      es.events().subscribe((event) => heard.push(event));
      for (const projection of [target, InlineTally, FussyTally] as Class[])
        es.projections.changes(projection).subscribe((state) => heard.push(state));
      const failing = es.appendUnguarded('s', [added('a', 1), poisoned('a', 'bad'), added('a', 2)]);
      const error = await failing.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ProjectionError);
      expect(error).toMatchObject({ projection: target.name, ids: { id: 'a' }, cause: { message: 'bad' } });
      expect(await stored(store)).toStrictEqual([]);
      await es.projections.caughtUp();
      expect(heard).toStrictEqual([]);
      for (const projection of [target, InlineTally, FussyTally] as Class[])
        expect(await es.projections.all(projection)).toStrictEqual([]);
      expect(await es.projections.parked()).toStrictEqual([]);
    },
  );

  it.each<Refusing>([StrictInline, SlowInline])('goes on after an append that failed: %p', async (target) => {
    await open(InlineTally, target);
    await es.appendUnguarded('s', [added('a', 1)]);
    await expect(es.appendUnguarded('s', [added('a', 2), poisoned('a')])).rejects.toBeInstanceOf(ProjectionError);
    await es.appendUnguarded('s', [added('a', 3)]);
    await expect(es.appendUnguarded('s', [added('a', 4), poisoned('a')])).rejects.toBeInstanceOf(ProjectionError);
    await expect(es.appendUnguarded('s', [added('a', 5), poisoned('a')])).rejects.toBeInstanceOf(ProjectionError);
    await es.appendUnguarded('s', [added('a', 6)]);
    expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 3, 6]);
    expect((await es.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual([1, 3, 6]);
  });

  it.each<Refusing>([StrictInline, SlowInline])(
    'never shows what a failed append would have stored, though another process stores in its place: %p',
    async (target) => {
      await open(target, InlineTally);
      const other = await openTally([], store);
      await es.appendUnguarded('s', [added('a', 1)]);
      await expect(es.appendUnguarded('s', [added('a', 2), poisoned('a')])).rejects.toBeInstanceOf(ProjectionError);
      await other.append('t', [createEvent(Counted, { id: 'x', total: 1 })], { version: 'none' }).catch(() => undefined);
      await store.append([
        {
          stream: 't',
          guard: { version: 'any' },
          events: [3, 4, 5].map((amount) => ({ type: 'tally.added', data: { id: 'a', amount } })),
        },
      ]);
      await es.projections.caughtUp();
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 3, 4, 5]);
      await es.appendUnguarded('s', [added('a', 6)]);
      expect((await es.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual([1, 3, 4, 5, 6]);
    },
  );

  it('sees nothing of an append whose guard does not hold', async () => {
    await open(InlineTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    await expect(es.append('s', [added('a', 2)], { version: 0 })).rejects.toBeInstanceOf(OptimisticLockError);
    expect((await es.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual([1]);
  });

  it.each<new () => InlineTally | SlowInline>([InlineTally, SlowInline])(
    'keeps order under concurrent appends: %p',
    async (target) => {
      await open(target);
      const amounts = Array.from({ length: 200 }, (_, index) => index);
      await Promise.all(amounts.map((amount) => es.appendUnguarded(`s${amount % 7}`, [added('a', amount)])));
      const order = (await stored(store)).map(({ data }) => (data as Added).amount);
      expect(order.toSorted((a, b) => a - b)).toStrictEqual(amounts);
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual(order);
    },
  );

  it('keeps order when concurrent appends fail between those that succeed', async () => {
    await open(StrictInline, SlowInline, InlineTally);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, amount) =>
        es.appendUnguarded('s', amount % 3 === 1 ? [added('a', amount), poisoned('a')] : [added('a', amount)]),
      ),
    );
    const stayed = outcomes.flatMap(({ status }, amount) => (status === 'fulfilled' ? [amount] : []));
    expect(stayed).toStrictEqual(Array.from({ length: 100 }, (_, amount) => amount).filter((amount) => amount % 3 !== 1));
    for (const target of [StrictInline, SlowInline, InlineTally])
      expect((await es.projections.get<{ id: string; seen: number[] }>(target, { id: 'a' }))?.seen).toStrictEqual(stayed);
  });

  it('resolves an append though the next one is already folding', async () => {
    const gate = new Gate();
    @Projection({ mode: 'inline' })
    class Gated {
      seen: number[] = [];
      @Handles(Added)
      added(event: Added): Promise<void> | undefined {
        this.seen.push(event.amount);
        return event.amount === 2 ? gate.opened : undefined;
      }
    }
    await open(Gated);
    const first = es.appendUnguarded('s', [added('a', 1)]);
    const second = es.appendUnguarded('s', [added('a', 2)]);
    await first;
    expect((await es.projections.get(Gated))?.seen).toStrictEqual([1]);
    gate.open();
    await second;
    expect((await es.projections.get(Gated))?.seen).toStrictEqual([1, 2]);
  });

  it('folds what another process stored, in order with its own', async () => {
    await open(InlineTally);
    const other = await openTally([InlineTally], store);
    for (let amount = 0; amount < 20; amount += 1) await (amount % 3 ? es : other).appendUnguarded('s', [added('a', amount)]);
    const expected = Array.from({ length: 20 }, (_, amount) => amount);
    await other.projections.caughtUp(InlineTally);
    await es.projections.caughtUp(InlineTally);
    expect((await es.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual(expected);
    expect((await other.projections.get(InlineTally, { id: 'a' }))?.seen).toStrictEqual(expected);
  });

  it.each<new () => InlineTally | SlowInline>([InlineTally, SlowInline])(
    'folds each event once when two processes append at the same time: %p',
    async (target) => {
      await open(target, AsyncTally);
      const other = await openTally([target, AsyncTally], store);
      await Promise.all(
        Array.from({ length: 100 }, async (_, amount) => {
          for (let i = 0; i < amount % 5; i += 1) await Promise.resolve();
          await (amount % 3 ? es : other).appendUnguarded('s', [added('a', amount)]);
        }),
      );
      await Promise.all([es.projections.caughtUp(), other.projections.caughtUp()]);
      const order = (await stored(store)).map(({ data }) => (data as Added).amount);
      for (const projections of [es.projections, other.projections]) {
        expect((await projections.get(target, { id: 'a' }))?.seen).toStrictEqual(order);
        expect((await projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual(order);
      }
    },
  );

  it('shows a watcher one change for each append', async () => {
    await open(InlineTally);
    const watched = es.projections.watch(InlineTally, { id: 'a' });
    const all = new Promise<unknown[]>((done) => watched.pipe(toArray()).subscribe((states) => done(states.map((s) => s?.seen))));
    await es.appendUnguarded('s', [added('a', 1), added('a', 2), moved('b', 'c', 9)]);
    await es.appendUnguarded('s', [moved('a', 'b', 3)]);
    await es.close();
    expect(await all).toStrictEqual([undefined, [1, 2], [1, 2, -3]]);
  });

  it('parks a failing event of history, which no append can refuse any more, and lets later ones wait', async () => {
    store = new InMemoryEventStore();
    const before = await openTally([FussyTally], store);
    before.projections.errors().subscribe();
    await before.appendUnguarded('s', [added('a', 1), poisoned('a'), added('b', 2)]);
    es = await openTally([Added, Poisoned], store);
    es.projections.errors().subscribe();
    await es.projections.register(StrictInline, SlowInline);
    await es.appendUnguarded('s', [added('a', 3), added('b', 4)]);
    for (const target of [StrictInline, SlowInline]) {
      expect((await es.projections.get(target as Refusing, { id: 'a' }))?.seen).toStrictEqual([1]);
      expect((await es.projections.get(target as Refusing, { id: 'b' }))?.seen).toStrictEqual([2, 4]);
      expect(await es.projections.parked(target)).toMatchObject([{ ids: { id: 'a' }, waiting: 1 }]);
      await es.projections.skip(target as Refusing, { id: 'a' });
      expect((await es.projections.get(target as Refusing, { id: 'a' }))?.seen).toStrictEqual([1, 3]);
    }
    await es.appendUnguarded('s', [added('a', 5)]);
    expect((await es.projections.get(SlowInline, { id: 'a' }))?.seen).toStrictEqual([1, 3, 5]);
  });
});
