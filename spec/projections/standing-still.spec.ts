import {
  CaughtUpTimeoutError,
  type Class,
  CustomProjectionError,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  InvalidArgumentError,
  NotParkedError,
  Projection,
  ProjectionId,
  RebuildCancelledError,
} from 'eventfold';
import { firstValueFrom } from 'rxjs';
import { projectionStoreOf } from '../../lib/projections/projection-store-of';
import { Outages } from '../../lib/projections/running/outages';
import { placeOver } from '../controls/place-over';
import { storeOver } from '../controls/store-over';
import { Added, AsyncTally, added, FussyTally, Gate, InlineTally, openTally, Poisoned, poisoned } from '../controls/tally';

@Projection({ maxParked: 3 })
class Limited {
  @ProjectionId() id!: string;
  sum = 0;

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
  }

  @Handles(Poisoned)
  poisoned({ reason }: Poisoned) {
    throw new Error(reason);
  }
}

let isIll = false;

class Ill {
  @ProjectionId() id!: string;
  sum = 0;

  @Handles(Added)
  added({ amount }: Added) {
    if (isIll) throw new Error('ill');
    this.sum += amount;
  }
}

@Projection()
class Curable extends Ill {}

@Projection({ name: 'Cured', retry: { attempts: 3, delayMs: 300 } })
class RetriedCurable extends Ill {}

@Projection({ name: 'Cured', mode: 'inline' })
class InlineCurable extends Ill {}

@Projection({ maxParked: 3 })
class Strict {
  @ProjectionId() id!: string;

  @Handles(Added)
  added() {
    throw new Error('never');
  }
}

@Projection({ kind: 'custom' })
class Ledger {
  @Handles(Added)
  added() {
    return undefined;
  }
}

let gate: Gate | undefined;

@Projection({ name: 'AsyncTally', version: 2 })
class NextTally {
  @ProjectionId() id!: string;
  sum = 0;

  @Handles(Added)
  added({ amount }: Added): Promise<void> | undefined {
    this.sum += amount;
    return gate?.opened;
  }
}

describe('A projection that stands still', () => {
  let es: EventSourcing;
  const { emitWarning } = process;
  async function open(target: Class, store = new InMemoryEventStore()) {
    es = await openTally([target], store);
    es.projections.errors().subscribe();
  }
  beforeEach(() => {
    gate = undefined;
    process.emitWarning = () => undefined;
  });
  afterEach(async () => {
    gate?.open();
    await es?.close();
    process.emitWarning = emitWarning;
  });

  it('shows as many parked events as it allows, of the chunk in which it came upon more, and says that it has failed', async () => {
    await open(Limited);
    await es.appendUnguarded('s', [added('a', 1), ...['a', 'b', 'c', 'd', 'e'].map((id) => poisoned(id)), added('f', 1)]);
    const error: unknown = await es.projections.caughtUp(Limited, { timeoutMs: 500 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CaughtUpTimeoutError);
    expect((error as CaughtUpTimeoutError).reasons).toMatchObject(
      [/^Limited has failed: .*parked on 3 instances/].map(expect.stringMatching),
    );
    const parked = await es.projections.parked(Limited);
    expect(parked.map(({ ids }) => ids?.['id'])).toStrictEqual(['a', 'b', 'c']);
    const [status] = await es.projections.status(Limited);
    expect(status).toMatchObject({ state: 'failed', parked: 3, checkpoint: parked[2]?.event.position });
  });

  it('takes a parked event to retry or skip', async () => {
    await open(FussyTally);
    await es.appendUnguarded('s', [poisoned('a'), added('a', 1), poisoned('b')]);
    await es.projections.caughtUp();
    const [one, two] = await es.projections.parked();
    if (one === undefined || two === undefined) throw new Error('Nothing is parked.');
    await es.projections.retry(two);
    expect((await es.projections.parked()).map(({ attempts }) => attempts)).toStrictEqual([1, 2]);
    await es.projections.skip(one);
    expect(await es.projections.get(FussyTally, { id: 'a' })).toMatchObject({ sum: 1 });
    await expect(es.projections.skip(one)).rejects.toBeInstanceOf(NotParkedError);
    await expect(es.projections.retry({} as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(es.projections.skip(FussyTally, undefined)).rejects.toThrow('FussyTally has no parked event without instance.');
  });

  it('holds up neither an opening nor a registration', async () => {
    const store = new InMemoryEventStore();
    const shared = storeOver(store, { close: async () => undefined });
    const first = await EventSourcing.open({ store: shared, classes: [InlineTally, AsyncTally] });
    await first.appendUnguarded('s', [added('a', 1)]);
    await first.projections.caughtUp();
    for (const target of [InlineTally, AsyncTally]) await first.projections.pause(target);
    await first.appendUnguarded('s', [added('a', 2)]);
    await first.close();
    es = await EventSourcing.open({ store, classes: [InlineTally] });
    await es.projections.register(AsyncTally);
    expect((await es.projections.status()).map(({ state }) => state)).toStrictEqual(['paused', 'paused']);
    for (const target of [InlineTally, AsyncTally]) await es.projections.resume(target);
    await es.projections.caughtUp();
    for (const target of [InlineTally, AsyncTally])
      expect(await es.projections.get(target, { id: 'a' })).toMatchObject({ seen: [1, 2] });
  });

  it('is not waited for by a registration in which it fails as a whole', async () => {
    await open(AsyncTally);
    await es.appendUnguarded(
      's',
      ['a', 'b', 'c', 'd'].map((id) => added(id, 1)),
    );
    await es.projections.register(Strict);
    expect(await es.projections.status(Strict)).toMatchObject([{ state: 'failed', parked: 3 }]);
  });

  it('goes on with what waits behind a retried event also after it was broken off in the middle', async () => {
    const store = new InMemoryEventStore();
    const place = projectionStoreOf(store);
    let breaksAt = Number.POSITIVE_INFINITY;
    const transact: typeof place.transact = (...all) => {
      breaksAt -= 1;
      return breaksAt === 0 ? Promise.reject(new Error('broken off')) : place.transact(...all);
    };
    await open(Curable, storeOver(store, { projections: placeOver(place, { transact }) }) as never);
    isIll = true;
    await es.appendUnguarded('s', [added('a', 1), ...Array.from({ length: 1_200 }, () => added('a', 1))]);
    await es.projections.caughtUp();
    isIll = false;
    breaksAt = 2;
    await expect(es.projections.retry(Curable)).rejects.toThrow('broken off');
    await es.projections.caughtUp();
    expect(await es.projections.parked()).toStrictEqual([]);
    expect(await es.projections.get(Curable, { id: 'a' })).toMatchObject({ sum: 1_201 });
  });

  it('is tried again by itself also where appends keep it', async () => {
    const store = new InMemoryEventStore();
    const shared = storeOver(store, { close: async () => undefined });
    es = await EventSourcing.open({ store: shared, classes: [RetriedCurable] });
    isIll = true;
    const failed = firstValueFrom(es.projections.errors());
    await es.appendUnguarded('s', [added('a', 1)]);
    await failed;
    await es.close();
    isIll = false;
    es = await EventSourcing.open({ store, classes: [InlineCurable] });
    await es.projections.caughtUp();
    expect(await es.projections.get(InlineCurable, { id: 'a' })).toMatchObject({ sum: 1 });
  });

  it('is taken over from a process that was stopped in the middle of a handler that does not end', async () => {
    const store = new InMemoryEventStore();
    const projections = { leaseMs: 200 };
    const shared = storeOver(store, { close: async () => undefined });
    const first = await EventSourcing.open({ store: shared, classes: [NextTally], projections });
    gate = new Gate();
    await first.appendUnguarded('s', [added('a', 1)]);
    while ((await first.projections.status())[0]?.owner === undefined) await new Promise((turn) => setTimeout(turn, 1));
    await first.projections.stop();
    const hanging = gate;
    gate = undefined;
    es = await EventSourcing.open({ store, classes: [NextTally], projections });
    await es.projections.caughtUp();
    hanging.open();
    await first.close();
    expect(await es.projections.get(NextTally, { id: 'a' })).toMatchObject({ sum: 1 });
  });

  it('is compared as far as it has come', async () => {
    await open(AsyncTally);
    await es.appendUnguarded('s', [added('a', 1), added('b', 1)]);
    await es.projections.caughtUp();
    await es.projections.pause(AsyncTally);
    await es.appendUnguarded('s', [added('b', 1), added('c', 1)]);
    const report = await es.projections.compare(AsyncTally);
    expect(report).toMatchObject({ same: 1, differing: 0, missing: 0, extra: 0, unsettled: 2, sample: [] });
  });

  async function runOnce(amounts: number) {
    await es.appendUnguarded(
      's',
      Array.from({ length: amounts }, () => added('a', 1)),
    );
    const run = es.projections.runOnce(NextTally);
    while ((await es.projections.status())[0]?.owner === undefined) await new Promise((turn) => setTimeout(turn, 1));
    return { run };
  }

  it('as it is stopped, ends what runs it once', async () => {
    es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [NextTally], projections: { run: 'manual' } });
    gate = new Gate();
    const { run } = await runOnce(2_000);
    const stopped = es.projections.stop();
    gate.open();
    await stopped;
    const [status] = await run;
    expect(status?.state).toBe('stopped');
    expect(status?.lag.events).toBeGreaterThan(0);
  });

  it('runs for whoever runs it once until the last of them has what he wants', async () => {
    es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [NextTally], projections: { run: 'manual' } });
    const earlier = new Gate();
    gate = earlier;
    const { run: first } = await runOnce(1);
    gate = new Gate();
    const { run: second } = await runOnce(2_000);
    earlier.open();
    await new Promise((turn) => setTimeout(turn, 200));
    gate.open();
    await Promise.all([first, second]);
    expect(await es.projections.status()).toMatchObject([{ state: 'stopped', lag: { events: 0 } }]);
  });

  it('runs when it is started while it is stopped', async () => {
    await open(AsyncTally);
    for (let round = 0; round < 5; round += 1) {
      const stopped = es.projections.stop();
      await es.projections.start();
      await stopped;
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.projections.caughtUp();
    }
    expect(await es.projections.get(AsyncTally, { id: 'a' })).toMatchObject({ sum: 5 });
  });

  it('that is custom is not read here', async () => {
    await open(Ledger);
    await expect(es.projections.get(Ledger)).rejects.toBeInstanceOf(CustomProjectionError);
    await expect(es.projections.all(Ledger)).rejects.toBeInstanceOf(CustomProjectionError);
  });

  it('is leased for a number of milliseconds', async () => {
    const opening = EventSourcing.open({
      store: new InMemoryEventStore(),
      classes: [],
      projections: { leaseMs: '500' as never },
    });
    await expect(opening).rejects.toBeInstanceOf(InvalidArgumentError);
  });

  it('is rebuilding from the start for a next version, which a call may cease to wait for, and never stopped', async () => {
    const store = new InMemoryEventStore();
    await open(AsyncTally, store);
    await es.appendUnguarded('s', [added('a', 1)]);
    await es.projections.caughtUp();
    await es.close();
    gate = new Gate();
    await open(NextTally, store);
    expect((await es.projections.status())[0]?.state).toBe('rebuilding');
    const stop = new AbortController();
    const joined = es.projections.rebuild(NextTally, { signal: stop.signal });
    stop.abort();
    const error: unknown = await joined.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RebuildCancelledError);
    expect(error).toMatchObject({ outcome: 'not waited for' });
    gate.open();
    const states = new Set<string | undefined>();
    for (let version = 1; version !== 2; await new Promise((turn) => setTimeout(turn, 1))) {
      const [status] = await es.projections.status();
      states.add(status?.state);
      version = status?.version ?? 1;
    }
    await es.projections.caughtUp();
    states.add((await es.projections.status())[0]?.state);
    expect(states).not.toContain('stopped');
    expect(await es.projections.get(NextTally, { id: 'a' })).toMatchObject({ sum: 1 });
  });
});

describe('Outages', () => {
  it('tells once of trouble that goes on, whoever comes upon it', () => {
    const told: string[] = [];
    const outages = new Outages((message) => told.push(message));
    outages.tell(['A', 'B'], 'all');
    for (const name of ['A', 'B', 'A', 'C']) outages.tell([name], name);
    expect(told).toStrictEqual(['all', 'C']);
  });
});
