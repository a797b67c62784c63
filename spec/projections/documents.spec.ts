import {
  createEvent,
  Event,
  type EventSourcing,
  Handles,
  InMemoryEventStore,
  NotParkedError,
  Projection,
  ProjectionError,
  type ProjectionFailure,
  ProjectionId,
} from 'eventfold';
import { firstValueFrom, type Observable, shareReplay, take, toArray } from 'rxjs';
import { Added, AsyncTally, added, FussyTally, Gate, openTally, Poisoned, poisoned } from '../controls/tally';

@Event('documents.named')
class Named {
  id?: string;
  name!: string;
}

const named = (name: string, id?: string) => createEvent(Named, id === undefined ? { name } : { id, name });

@Projection()
class Names {
  @ProjectionId() id!: string;
  names: string[] = [];

  @Handles(Named)
  named(event: Named) {
    this.names.push(event.name);
  }
}

/** Fails as often as told, whatever the event, after it has changed half of its state. */
let failuresLeft = 0;

@Projection({ retry: { attempts: 3, delayMs: 0 } })
class Stubborn {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  async added(event: Added) {
    this.seen.push(event.amount);
    await Promise.resolve();
    if (event.amount < 0 && failuresLeft > 0) {
      failuresLeft -= 1;
      throw new Error(`negative: ${event.amount}`);
    }
  }
}

/** Refuses poison while `isPoisonous`, and can be cured. */
let isPoisonous = true;

@Projection()
class Curable {
  @ProjectionId() id!: string;
  seen: (number | string)[] = [];

  @Handles(Added)
  added(event: Added) {
    this.seen.push(event.amount);
  }

  @Handles(Poisoned)
  poisoned(event: Poisoned) {
    this.seen.push(event.reason);
    if (isPoisonous) throw new Error(event.reason);
  }
}

@Projection()
class CurableLater {
  @ProjectionId() id!: string;
  seen: (number | string)[] = [];

  @Handles(Added)
  async added(event: Added) {
    await Promise.resolve();
    this.seen.push(event.amount);
  }

  @Handles(Poisoned)
  async poisoned(event: Poisoned) {
    this.seen.push(event.reason);
    await Promise.resolve();
    if (isPoisonous) throw new Error(event.reason);
  }
}

type CurableClass = new () => Curable | CurableLater;

describe('Documents', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  let failures: ProjectionFailure[];

  async function open(...classes: Parameters<typeof openTally>[0]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
    failures = [];
    es.projections.errors().subscribe((failure) => failures.push(failure));
  }

  beforeEach(() => {
    isPoisonous = true;
    failuresLeft = Number.POSITIVE_INFINITY;
  });
  afterEach(() => es.close());

  it('undoes what a handler changed before it threw', async () => {
    await open(FussyTally);
    await es.appendUnguarded('s', [added('a', 1), poisoned('a'), added('b', 2), poisoned('c')]);
    await es.projections.caughtUp();
    expect((await es.projections.get(FussyTally, { id: 'a' }))?.sum).toBe(1);
    expect((await es.projections.all(FussyTally)).map(({ id, sum }) => [id, sum])).toStrictEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(await es.projections.get(FussyTally, { id: 'c' })).toBeUndefined();
  });

  it('parks a failing event with what is known of it, and later events of that instance wait', async () => {
    await open(FussyTally);
    const { events } = await es.appendUnguarded('s', [added('a', 1), poisoned('a', 'bad'), added('a', 2), added('b', 3)]);
    await es.projections.caughtUp();
    const [parked, ...others] = await es.projections.parked(FussyTally);
    expect(others).toStrictEqual([]);
    expect(parked).toStrictEqual({
      projection: 'FussyTally',
      ids: { id: 'a' },
      event: events[1],
      error: expect.any(ProjectionError),
      attempts: 1,
      firstFailedAt: '2026-01-02T03:04:05.678Z',
      lastFailedAt: '2026-01-02T03:04:05.678Z',
      waiting: 1,
    });
    expect(parked?.error).toMatchObject({ code: 'PROJECTION', eventId: events[1]?.id, position: events[1]?.position });
    expect(parked?.error.cause).toStrictEqual(new Error('bad'));
    expect((await es.projections.get(FussyTally, { id: 'a' }))?.seen).toStrictEqual([1]);
    expect((await es.projections.get(FussyTally, { id: 'b' }))?.seen).toStrictEqual([3]);
  });

  it('stops neither the other projections, nor their instances, nor the appends', async () => {
    await open(FussyTally, AsyncTally, Curable);
    for (let amount = 1; amount <= 20; amount += 1)
      await es.appendUnguarded('s', [poisoned('a'), added('a', amount), added('b', amount)]);
    await es.projections.caughtUp();
    const upTo20 = Array.from({ length: 20 }, (_, index) => index + 1);
    expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual(upTo20);
    expect((await es.projections.get(FussyTally, { id: 'b' }))?.seen).toStrictEqual(upTo20);
    expect((await es.projections.parked()).map(({ projection, waiting }) => [projection, waiting])).toStrictEqual([
      ['FussyTally', 39],
      ['Curable', 39],
    ]);
  });

  it('tries a failing event as often as told, counts it and parks it', async () => {
    await open(Stubborn);
    await es.appendUnguarded('s', [added('a', 1), added('a', -1), added('a', 2)]);
    await es.projections.caughtUp();
    expect(failures.map(({ attempts, isParked, ids }) => [attempts, isParked, ids])).toStrictEqual([
      [1, false, { id: 'a' }],
      [2, false, { id: 'a' }],
      [3, true, { id: 'a' }],
    ]);
    expect(await es.projections.parked()).toMatchObject([{ attempts: 3, waiting: 1 }]);
    expect((await es.projections.get(Stubborn, { id: 'a' }))?.seen).toStrictEqual([1]);
  });

  it('handles an event that succeeds at a later attempt once, in order, and then what waited', async () => {
    await open(Stubborn);
    failuresLeft = 2;
    await es.appendUnguarded('s', [added('a', 1), added('a', -1), added('a', 2), added('a', -2)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(Stubborn, { id: 'a' }))?.seen).toStrictEqual([1, -1, 2, -2]);
    expect(await es.projections.parked()).toStrictEqual([]);
    expect(failures).toHaveLength(2);
  });

  it('gives each event behind a failing one all its own attempts', async () => {
    await open(Stubborn);
    await es.appendUnguarded('s', [added('a', -1), added('a', -2)]);
    await es.projections.caughtUp();
    await es.projections.skip(Stubborn, { id: 'a' });
    await es.projections.caughtUp();
    expect(failures.map(({ attempts, event }) => [(event.data as Added).amount, attempts])).toStrictEqual([
      [-1, 1],
      [-1, 2],
      [-1, 3],
      [-2, 1],
      [-2, 2],
      [-2, 3],
    ]);
  });

  it('counts the attempts of an event anew after the one before it was retried with success', async () => {
    let broken = [-1, -2];
    @Projection({ retry: { attempts: 3, delayMs: 0 } })
    class Repaired {
      @ProjectionId() id!: string;
      seen: number[] = [];
      @Handles(Added)
      added(event: Added) {
        this.seen.push(event.amount);
        if (broken.includes(event.amount)) throw new Error(`broken: ${event.amount}`);
      }
    }
    await open(Repaired);
    await es.appendUnguarded('s', [added('a', -1), added('a', -2)]);
    await es.projections.caughtUp();
    broken = [-2];
    await es.projections.retry(Repaired, { id: 'a' });
    await es.projections.caughtUp();
    expect((await es.projections.get(Repaired, { id: 'a' }))?.seen).toStrictEqual([-1]);
    expect(await es.projections.parked()).toMatchObject([{ event: { data: { amount: -2 } }, attempts: 3, waiting: 0 }]);
  });

  it.each<CurableClass>([Curable, CurableLater])(
    'retries a parked event with all that waits behind it, in order: %p',
    async (target) => {
      await open(target);
      await es.appendUnguarded('s', [added('a', 1), poisoned('a', 'p'), added('a', 2), poisoned('a', 'q'), added('a', 3)]);
      await es.projections.caughtUp();
      isPoisonous = false;
      await es.projections.retry(target, { id: 'a' });
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 'p', 2, 'q', 3]);
      expect(await es.projections.parked()).toStrictEqual([]);
      await es.appendUnguarded('s', [added('a', 4)]);
      await es.projections.caughtUp();
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 'p', 2, 'q', 3, 4]);
    },
  );

  it.each<CurableClass>([Curable, CurableLater])(
    'shows the state before the parked event after a retry that fails: %p',
    async (target) => {
      await open(target);
      const history = Array.from({ length: 3_000 }, (_, amount) => amount);
      await es.appendUnguarded(
        's',
        history.map((amount) => added('a', amount)),
      );
      await es.appendUnguarded('s', [poisoned('a', 'p'), added('a', 2)]);
      await es.projections.caughtUp();
      await es.projections.retry(target, { id: 'a' });
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual(history);
      expect(await es.projections.parked()).toMatchObject([{ attempts: 2, waiting: 1 }]);
      await es.projections.caughtUp();
    },
  );

  it.each<CurableClass>([Curable, CurableLater])(
    'applies each event once when retried several times at once: %p',
    async (target) => {
      await open(target);
      await es.appendUnguarded('s', [added('a', 1), poisoned('a', 'p'), added('a', 2)]);
      await es.projections.caughtUp();
      isPoisonous = false;
      await Promise.all([1, 2, 3].map(() => es.projections.retry(target, { id: 'a' })));
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 'p', 2]);
      await es.appendUnguarded('s', [added('a', 3)]);
      await es.projections.caughtUp(target, { timeoutMs: 1_000 });
      expect((await es.projections.get(target, { id: 'a' }))?.seen).toStrictEqual([1, 'p', 2, 3]);
    },
  );

  it('leaves a skipped event out for good, and goes on with what waits', async () => {
    await open(Curable);
    await es.appendUnguarded('s', [added('a', 1), poisoned('a', 'p'), added('a', 2), poisoned('a', 'q'), added('a', 3)]);
    await es.projections.caughtUp();
    await es.projections.skip(Curable, { id: 'a' });
    expect((await es.projections.get(Curable, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    expect(await es.projections.parked()).toMatchObject([{ event: { data: { reason: 'q' } }, attempts: 1, waiting: 1 }]);
    isPoisonous = false;
    await es.projections.retry(Curable);
    expect((await es.projections.get(Curable, { id: 'a' }))?.seen).toStrictEqual([1, 2, 'q', 3]);
  });

  it('skips one event however many skip it at once', async () => {
    await open(Curable);
    await es.appendUnguarded('s', [added('a', 1), poisoned('a', 'p'), added('a', 2), added('a', 3)]);
    await es.projections.caughtUp();
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => es.projections.skip(Curable, { id: 'a' })));
    expect(outcomes.map(({ status }) => status)).toStrictEqual(['fulfilled', 'rejected', 'rejected']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(NotParkedError);
    expect((await es.projections.get(Curable, { id: 'a' }))?.seen).toStrictEqual([1, 2, 3]);
  });

  it('retries all instances when no ids are given', async () => {
    await open(Curable);
    await es.appendUnguarded('s', [poisoned('a', 'p'), poisoned('b', 'q')]);
    await es.projections.caughtUp();
    isPoisonous = false;
    await es.projections.retry(Curable);
    expect((await es.projections.all(Curable)).map(({ seen }) => seen)).toStrictEqual([['p'], ['q']]);
  });

  it('refuses to retry or skip where nothing is parked', async () => {
    await open(Curable);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    for (const id of ['a', 'never seen']) {
      await expect(es.projections.retry(Curable, { id })).rejects.toBeInstanceOf(NotParkedError);
      await expect(es.projections.skip(Curable, { id })).rejects.toBeInstanceOf(NotParkedError);
    }
    await expect(es.projections.retry(Curable)).resolves.toBeUndefined();
  });

  it('names the ids in the refusal, also a bigint', async () => {
    @Projection()
    class ByNumber {
      @ProjectionId() amount!: bigint;
      @Handles(Added, { amount: (event) => BigInt(event.amount) })
      added() {}
    }
    await open(ByNumber);
    await expect(es.projections.retry(ByNumber, { amount: 7n })).rejects.toThrow(/\{"amount":"7"\}/);
  });

  it('shows whoever begins to watch while a failure is being undone the state before it', async () => {
    await open(Curable);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    const watching = new Promise<Observable<Curable | undefined>>((begin) =>
      es.projections.errors().subscribe(() => {
        const watched = es.projections.watch(Curable, { id: 'a' }).pipe(shareReplay());
        watched.subscribe();
        begin(watched);
      }),
    );
    await es.appendUnguarded('s', [poisoned('a', 'p')]);
    const watched = await watching;
    expect((await firstValueFrom(watched))?.seen).toStrictEqual([1]);
    isPoisonous = false;
    await es.projections.retry(Curable);
    const shown = await firstValueFrom(watched.pipe(take(2), toArray()));
    expect(shown.map((state) => state?.seen)).toStrictEqual([[1], [1, 'p']]);
  });

  it('parks an event that names no instance by itself; the instances go on', async () => {
    await open(Names);
    await es.appendUnguarded('s', [named('one', 'a'), named('nobody'), named('two', 'a')]);
    await es.projections.caughtUp();
    expect((await es.projections.get(Names, { id: 'a' }))?.names).toStrictEqual(['one', 'two']);
    expect(await es.projections.parked()).toMatchObject([{ ids: undefined, event: { data: { name: 'nobody' } }, waiting: 0 }]);
    await es.projections.retry(Names);
    expect(await es.projections.parked()).toMatchObject([{ ids: undefined, attempts: 2 }]);
    await es.projections.caughtUp();
  });

  it('keeps an event parked that names an instance too late to be applied in order', async () => {
    let known: string | undefined;
    @Projection()
    class Looked {
      @ProjectionId() id!: string;
      names: string[] = [];
      @Handles(Named, { id: (event) => event.id ?? known })
      named(event: Named) {
        this.names.push(event.name);
        if (event.name === 'poison') throw new Error(event.name);
      }
    }
    await open(Looked);
    await es.appendUnguarded('s', [named('lost'), named('found', 'a')]);
    await es.projections.caughtUp();
    known = 'a';
    await es.projections.retry(Looked);
    expect(await es.projections.parked()).toMatchObject([{ ids: undefined, attempts: 2, event: { data: { name: 'lost' } } }]);
    await es.appendUnguarded('s', [named('poison', 'a')]);
    await es.projections.caughtUp();
    expect((await es.projections.get(Looked, { id: 'a' }))?.names).toStrictEqual(['found']);
  });

  it('skips the events that name no instance, and only those, when told so', async () => {
    await open(Names, Curable);
    await es.appendUnguarded('s', [named('nobody'), named('one', 'a'), named('nobody'), poisoned('a')]);
    await es.projections.caughtUp();
    await es.projections.skip(Names, undefined);
    expect(await es.projections.parked()).toMatchObject([{ projection: 'Curable' }]);
    await expect(es.projections.skip(Curable, undefined)).rejects.toBeInstanceOf(NotParkedError);
    await expect(es.projections.skip(Names, undefined)).rejects.toBeInstanceOf(NotParkedError);
    expect(await es.projections.parked()).toMatchObject([{ projection: 'Curable', attempts: 1 }]);
    await es.projections.caughtUp();
  });

  it('parks a stored event that its class refuses, never lets go of it in silence, and undoes failures past it', async () => {
    let isStrict = true;
    @Event('documents.strict')
    class Strict {
      id!: string;
      n = 0;
      constructor() {
        if (isStrict) throw new Error('unreadable');
      }
    }
    @Projection()
    class Stricts {
      @ProjectionId() id!: string;
      seen: (number | string)[] = [];
      @Handles(Strict)
      strict(event: Strict) {
        this.seen.push(event.n);
      }
      @Handles(Added)
      added(event: Added) {
        this.seen.push(event.amount);
      }
      @Handles(Poisoned)
      poisoned(event: Poisoned) {
        this.seen.push(event.reason);
        if (isPoisonous) throw new Error(event.reason);
      }
    }
    await open(Stricts);
    const events = [{ type: 'documents.strict', data: { id: 'a', n: 1 } }];
    await store.append([{ stream: 's', guard: { version: 'any' }, events }]);
    await es.appendUnguarded('s', [added('a', 2), poisoned('a', 'p'), added('a', 3)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(Stricts, { id: 'a' }))?.seen).toStrictEqual([2]);
    expect((await es.projections.parked()).map(({ event }) => event.type)).toStrictEqual(['documents.strict', 'tally.poisoned']);
    await es.projections.retry(Stricts);
    expect((await es.projections.get(Stricts, { id: 'a' }))?.seen).toStrictEqual([2]);
    expect((await es.projections.parked()).map(({ attempts }) => attempts)).toStrictEqual([2, 2]);
    isStrict = false;
    isPoisonous = false;
    await es.projections.retry(Stricts, { id: 'a' });
    expect((await es.projections.get(Stricts, { id: 'a' }))?.seen).toStrictEqual([2, 'p', 3]);
    expect(await es.projections.parked()).toMatchObject([{ ids: undefined, event: { type: 'documents.strict' } }]);
    await es.projections.caughtUp();
  });

  it('does not show a reader an instance in the middle of an async handler', async () => {
    const gate = new Gate();
    let beginning: () => void;
    @Projection()
    class Slow {
      @ProjectionId() id!: string;
      steps: string[] = [];
      @Handles(Added)
      async added() {
        this.steps.push('begun');
        beginning();
        await gate.opened;
        this.steps.push('done');
      }
    }
    await open(Slow);
    const begun = new Gate();
    beginning = begun.open;
    await es.appendUnguarded('s', [added('a', 1)]);
    await begun.opened;
    const watched: unknown[] = [];
    await new Promise<void>((shown) =>
      es.projections.watch(Slow, { id: 'a' }).subscribe((state) => {
        watched.push(state?.steps);
        shown();
      }),
    );
    expect(await es.projections.get(Slow, { id: 'a' })).toBeUndefined();
    expect(await es.projections.all(Slow)).toStrictEqual([]);
    gate.open();
    await es.projections.caughtUp();
    expect((await es.projections.get(Slow, { id: 'a' }))?.steps).toStrictEqual(['begun', 'done']);
    expect(watched).toStrictEqual([undefined, ['begun', 'done']]);
  });

  it('parks for one instance when its constructor throws, and goes on for the others', async () => {
    let isBroken = true;
    @Projection()
    class Moody {
      @ProjectionId() id!: string;
      seen: number[] = [];
      constructor() {
        if (isBroken) throw new Error('broken');
      }
      @Handles(Added)
      added(event: Added) {
        this.seen.push(event.amount);
      }
    }
    await open(Moody, AsyncTally);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    isBroken = false;
    await es.appendUnguarded('s', [added('b', 2)]);
    await es.projections.caughtUp();
    expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([1]);
    expect((await es.projections.get(Moody, { id: 'b' }))?.seen).toStrictEqual([2]);
    expect(await es.projections.parked()).toMatchObject([{ projection: 'Moody' }]);
    await es.projections.retry(Moody);
    expect((await es.projections.get(Moody, { id: 'a' }))?.seen).toStrictEqual([1]);
  });
});
