import {
  Aggregate,
  AggregateRoot,
  type Class,
  Command,
  type EventSourcing,
  Handles,
  InMemoryEventStore,
  InvalidArgumentError,
  LiveProjectionError,
  Projection,
  ProjectionError,
  ProjectionId,
} from 'eventfold';
import { take, toArray } from 'rxjs';
import { Added, AsyncTally, added, Gate, LiveTally, moved, openTally, Poisoned, poisoned } from '../../controls/tally';

@Aggregate()
class Adder extends AggregateRoot<'id'> {
  @ProjectionId() id!: string;

  @Command()
  async add(amount: number, meanwhile?: () => Promise<void>) {
    this.emit(Added, { amount });
    await meanwhile?.();
  }

  @Handles(Added)
  protected added() {}
}

@Projection({ mode: 'live' })
class Refusing {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  async added(event: Added) {
    await Promise.resolve();
    this.seen.push(event.amount);
  }

  @Handles(Poisoned)
  poisoned(event: Poisoned) {
    throw new Error(event.reason);
  }
}

describe('LiveProjection', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  async function open(...classes: Class[]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
  }
  afterEach(() => es.close());

  it('folds an instance when asked: undefined without events, else the state of that moment', async () => {
    await open(LiveTally);
    expect(await es.projections.get(LiveTally, { id: 'a' })).toBeUndefined();
    await es.appendUnguarded('s', [added('a', 1), added('b', 9), moved('b', 'a', 2)]);
    expect(await es.projections.get(LiveTally, { id: 'a' })).toMatchObject({ id: 'a', seen: [1, 2], sum: 3 });
    expect(await es.projections.get(LiveTally, { id: 'a' })).toBeInstanceOf(LiveTally);
  });

  it('folds any number of events in one call', async () => {
    await open(LiveTally);
    const amounts = Array.from({ length: 5_000 }, (_, index) => index);
    await es.appendUnguarded(
      's',
      amounts.map((amount) => added('a', amount)),
    );
    expect((await es.projections.get(LiveTally, { id: 'a' }))?.seen).toStrictEqual(amounts);
  });

  it('is watched: now, then after each event of the instance, then complete when closed', async () => {
    await open(LiveTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    const seen: unknown[] = [];
    let complete!: () => void;
    const completed = new Promise<void>((done) => {
      complete = done;
    });
    const first = new Promise<void>((shown) => {
      es.projections.watch(LiveTally, { id: 'a' }).subscribe({
        next: (state) => {
          seen.push(state?.seen);
          state?.seen.push(99);
          shown();
        },
        complete,
      });
    });
    await first;
    await es.appendUnguarded('s', [added('a', 2), added('b', 3)]);
    await es.appendUnguarded('s', [moved('b', 'a', 4), added('c', 5)]);
    await es.close();
    await completed;
    expect(seen).toStrictEqual([
      [1, 99],
      [1, 2, 99],
      [1, 2, 4, 99],
    ]);
  });

  it('tells of each instance that changes from now on', async () => {
    await open(LiveTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    const changes = new Promise<LiveTally[]>((done) =>
      es.projections.changes(LiveTally).pipe(take(3), toArray()).subscribe(done),
    );
    await es.appendUnguarded('s', [moved('a', 'b', 2), added('c', 3)]);
    expect((await changes).map(({ id, seen }) => [id, seen])).toStrictEqual([
      ['a', [1, -2]],
      ['b', [2]],
      ['c', [3]],
    ]);
  });

  it('answers with the error of its handler, for that instance only', async () => {
    await open(Refusing);
    const { events } = await es.appendUnguarded('s', [added('a', 1), poisoned('a', 'bad'), added('b', 2)]);
    const error = await es.projections.get(Refusing, { id: 'a' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProjectionError);
    expect(error).toMatchObject({ projection: 'Refusing', ids: { id: 'a' }, eventId: events[1]?.id });
    expect((await es.projections.get(Refusing, { id: 'b' }))?.seen).toStrictEqual([2]);
    const watched = new Promise((failed) => es.projections.watch(Refusing, { id: 'a' }).subscribe({ error: failed }));
    expect(await watched).toBeInstanceOf(ProjectionError);
  });

  it('has nothing to list, retry or skip', async () => {
    await open(LiveTally);
    await expect(es.projections.all(LiveTally)).rejects.toBeInstanceOf(LiveProjectionError);
    await expect(es.projections.parked(LiveTally)).rejects.toBeInstanceOf(LiveProjectionError);
    await expect(es.projections.retry(LiveTally)).rejects.toBeInstanceOf(LiveProjectionError);
    await es.projections.caughtUp(LiveTally);
  });

  it('sees what aggregates emit after it is registered late, though nobody asked for these tags before', async () => {
    await open(Adder);
    const adder = await es.create(Adder, { id: 'a' });
    await adder.add(1);
    await es.projections.register(LiveTally);
    await adder.add(2);
    expect((await es.projections.get(LiveTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
  });

  it('sees what was being decided while it was registered', async () => {
    await open(Adder);
    const adder = await es.create(Adder, { id: 'a' });
    await adder.add(1, () => es.projections.register(LiveTally));
    expect((await es.projections.get(LiveTally, { id: 'a' }))?.seen).toStrictEqual([1]);
  });

  it('sees what was being appended while it was registered', async () => {
    const gate = new Gate();
    @Projection({ mode: 'inline' })
    class Gated {
      @Handles(Added)
      async added() {
        await gate.opened;
      }
    }
    await open(Gated);
    const appending = [1, 2].map((amount) => es.appendUnguarded('s', [added('a', amount)]));
    const registering = [LiveTally, AsyncTally].map((target) => es.projections.register(target));
    gate.open();
    await Promise.all([...appending, ...registering]);
    expect((await es.projections.get(LiveTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
  });

  it('is not registered by an inline handler, whose append it would have to wait for', async () => {
    @Projection({ mode: 'inline' })
    class Registering {
      @Handles(Added)
      async added() {
        await es.projections.register(LiveTally);
      }
    }
    await open(Registering);
    const error = await es.appendUnguarded('s', [added('a', 1)]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProjectionError);
    expect((error as Error).cause).toBeInstanceOf(InvalidArgumentError);
    await es.projections.register(LiveTally);
    expect(await es.projections.get(LiveTally, { id: 'a' })).toBeUndefined();
  });
});
