import {
  type Class,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  LiveProjectionError,
  NothingKeptError,
  OutdatedProjectionError,
  Projection,
  type ProjectionContext,
  ProjectionId,
  RebuildCancelledError,
  RebuildFailedError,
  type RebuildProgress,
  RebuildUnderWayError,
} from 'eventfold';
import { projectionStoreOf } from '../../../lib/projections/projection-store-of';
import { placeOver } from '../../controls/place-over';
import { storeOver } from '../../controls/store-over';
import { AsyncTally, added, Gate, InlineTally, LiveTally, moved, openTally } from '../../controls/tally';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

@Event('rebuild.counted')
class Counted {
  id!: string;
  amount!: number;
}

const counted = (amount: number, id = 'a') => createEvent(Counted, { id, amount });

/** What its handlers do, which a release may change. */
let behaviour: { refuses?: number; leavesOut?: string; factor: number; slow?: Promise<void>; seen: number };

@Projection({ name: 'Count' })
class Count {
  @ProjectionId() id!: string;
  sum = 0;

  @Handles(Counted)
  counted({ amount }: Counted, context: ProjectionContext): Promise<void> | undefined {
    behaviour.seen += 1;
    if (amount === behaviour.refuses) throw new Error('refused');
    if (this.id === behaviour.leavesOut) context.ignore();
    this.sum += amount * behaviour.factor;
    return behaviour.slow;
  }
}

@Projection({ name: 'Count', version: 2 })
class DoubleCount {
  @ProjectionId() id!: string;
  sum = 0;

  @Handles(Counted)
  counted({ amount }: Counted): Promise<void> | undefined {
    behaviour.seen += 1;
    if (amount === behaviour.refuses) throw new Error('refused');
    this.sum += 2 * amount;
    return behaviour.slow;
  }
}

/** Waits until `look` gives something. */
async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((turn) => setTimeout(turn, 5));
  }
}

describe('rebuild', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  async function open(...classes: Class[]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
  }
  async function sums(target: Class<Count> = Count) {
    return Object.fromEntries((await es.projections.all(target)).map(({ id, sum }) => [id, sum]));
  }
  async function statusOf(system = es) {
    const [status] = await system.projections.status();
    if (status === undefined) throw new Error('There is no projection.');
    return status;
  }
  beforeEach(() => {
    behaviour = { factor: 1, seen: 0 };
  });
  afterEach(() => es.close());

  it.each<Class<{ id: string; seen: number[] }>>([AsyncTally, InlineTally])(
    'folds all of %p anew, and it goes on',
    async (target) => {
      await open(target);
      await es.appendUnguarded(
        's',
        range(300).map((amount) => added(`i${amount % 3}`, amount)),
      );
      await es.projections.caughtUp();
      const before = await es.projections.all(target);
      const report = await es.projections.rebuild(target);
      expect(report).toMatchObject({
        projection: target.name,
        version: 1,
        generation: 2,
        events: 300,
        applied: 300,
        failures: [],
      });
      expect(await es.projections.all(target)).toStrictEqual(before);
      await es.appendUnguarded('s', [added('i0', 1), moved('i0', 'i1', 2)]);
      await es.projections.caughtUp();
      expect((await es.projections.get(target, { id: 'i0' }))?.seen.slice(-2)).toStrictEqual([1, -2]);
      expect(await statusOf()).toMatchObject({ generation: 2, kept: 1, state: 'live' });
    },
  );

  it('serves the old state, and keeps it up to date, until the new one has caught up', async () => {
    await open(Count);
    await es.appendUnguarded('s', [counted(1), counted(2)]);
    await es.projections.caughtUp();
    const gate = new Gate();
    behaviour = { factor: 10, slow: gate.opened, seen: 0 };
    const rebuilding = es.projections.rebuild(Count);
    await eventually(async () => behaviour.seen > 0);
    delete behaviour.slow;
    behaviour.factor = 1;
    await es.appendUnguarded('s', [counted(4)]);
    await es.projections.caughtUp();
    expect(await sums()).toStrictEqual({ a: 7 });
    expect((await statusOf()).state).toBe('rebuilding');
    behaviour.factor = 10;
    gate.open();
    await rebuilding;
    expect(await sums()).toStrictEqual({ a: 70 });
  });

  it('tells how far it is, at the end that it is over', async () => {
    await open(Count);
    await es.appendUnguarded(
      's',
      range(3_000).map((amount) => counted(amount, `i${amount}`)),
    );
    await es.projections.caughtUp();
    const told: RebuildProgress[] = [];
    await es.projections.rebuild(Count, { onProgress: (progress) => told.push(progress) });
    const { position } = await es.appendUnguarded('s', []);
    expect(position).toBeUndefined();
    expect(told.at(-1)).toMatchObject({ projection: 'Count', events: 3_000, total: 3_000, secondsLeft: 0 });
    expect(told.at(-1)?.position).toBe(await store.head());
    expect(told.map(({ events }) => events)).toStrictEqual(told.map(({ events }) => events).sort((a, b) => a - b));
  });

  it('goes on when onProgress throws', async () => {
    await open(Count);
    await es.appendUnguarded('s', [counted(1)]);
    const report = await es.projections.rebuild(Count, {
      onProgress: () => {
        throw new Error('listener');
      },
    });
    expect(report.events).toBe(1);
  });

  it('stops at the first event that fails and names it; what serves stays, and the next one begins anew', async () => {
    await open(Count);
    const { events } = await es.appendUnguarded(
      's',
      range(700, 1).map((amount) => counted(amount, `i${amount % 2}`)),
    );
    await es.projections.caughtUp();
    const before = await sums();
    behaviour = { factor: 3, refuses: 600, seen: 0 };
    const error = await es.projections.rebuild(Count).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RebuildFailedError);
    const bad = events[599];
    expect(error).toMatchObject({
      projection: 'Count',
      eventId: bad?.id,
      eventType: 'rebuild.counted',
      position: bad?.position,
      ids: { id: 'i0' },
    });
    expect((error as Error).message).toMatch(/Count .*rebuild\.counted .*refused/);
    expect(await sums()).toStrictEqual(before);
    expect(await statusOf()).toMatchObject({
      generation: 1,
      state: 'live',
      rebuild: { failure: expect.stringContaining('refused') },
    });
    behaviour = { factor: 2, seen: 0 };
    const report = await es.projections.rebuild(Count);
    expect(report.applied).toBe(700);
    expect(await sums()).toStrictEqual({ i0: 2 * (before['i0'] as number), i1: 2 * (before['i1'] as number) });
  });

  it('parks what fails, and lists it, when told so', async () => {
    await open(Count);
    const { events } = await es.appendUnguarded('s', [counted(1), counted(2), counted(3), counted(4, 'b')]);
    await es.projections.caughtUp();
    behaviour = { factor: 1, refuses: 2, seen: 0 };
    const { failures, events: folded } = await es.projections.rebuild(Count, { onFailure: 'park' });
    expect(folded).toBe(4);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ projection: 'Count', ids: { id: 'a' }, waiting: 1 });
    expect([failures[0]?.event.id, failures[0]?.error.position]).toStrictEqual([events[1]?.id, events[1]?.position]);
    expect(await sums()).toStrictEqual({ a: 1, b: 4 });
    delete behaviour.refuses;
    await es.projections.retry(Count);
    expect(await sums()).toStrictEqual({ a: 6, b: 4 });
  });

  it('is cancelled by a signal: what was built is dropped, what serves stays', async () => {
    await open(Count);
    await es.appendUnguarded('s', [counted(1), counted(2)]);
    await es.projections.caughtUp();
    const gate = new Gate();
    behaviour = { factor: 10, slow: gate.opened, seen: 0 };
    const stop = new AbortController();
    const rebuilding = es.projections.rebuild(Count, { signal: stop.signal });
    const rejected = expect(rebuilding).rejects.toBeInstanceOf(RebuildCancelledError);
    await eventually(async () => behaviour.seen > 0);
    stop.abort();
    gate.open();
    await rejected;
    expect(await sums()).toStrictEqual({ a: 3 });
    expect(await statusOf()).toMatchObject({ generation: 1, rebuild: undefined, state: 'live' });
    await expect(es.projections.rebuild(Count, { signal: stop.signal })).rejects.toBeInstanceOf(RebuildCancelledError);
  });

  it('is one for all who ask for it, and goes on as long as one of them waits', async () => {
    await open(Count);
    await es.appendUnguarded('s', [counted(1), counted(2)]);
    await es.projections.caughtUp();
    const gate = new Gate();
    behaviour = { factor: 10, slow: gate.opened, seen: 0 };
    const stop = new AbortController();
    const first = es.projections.rebuild(Count, { signal: stop.signal });
    const second = es.projections.rebuild(Count);
    await eventually(async () => behaviour.seen > 0);
    stop.abort();
    await expect(first).rejects.toBeInstanceOf(RebuildCancelledError);
    gate.open();
    expect(await second).toMatchObject({ generation: 2, events: 2 });
    expect(await sums()).toStrictEqual({ a: 30 });
  });

  it('is done once when two processes ask for it', async () => {
    await open(Count);
    const other = await openTally([Count], store);
    await es.appendUnguarded('s', [counted(1), counted(2)]);
    await es.projections.caughtUp();
    const reports = await Promise.all([es.projections.rebuild(Count), other.projections.rebuild(Count)]);
    expect(reports.map(({ generation, events }) => [generation, events])).toStrictEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(reports.map(({ applied }) => applied).sort()).toStrictEqual([0, 2]);
    await es.appendUnguarded('s', [counted(4)]);
    await Promise.all([es.projections.caughtUp(), other.projections.caughtUp()]);
    expect((await other.projections.get(Count, { id: 'a' }))?.sum).toBe(7);
  });

  it('tells its watchers what changed', async () => {
    await open(Count);
    await es.appendUnguarded('s', [counted(1), counted(2)]);
    await es.projections.caughtUp();
    const seen: (number | undefined)[] = [];
    es.projections.watch(Count, { id: 'a' }).subscribe((state) => seen.push(state?.sum));
    await eventually(async () => seen.length === 1);
    behaviour.factor = 100;
    await es.projections.rebuild(Count);
    await eventually(async () => seen.length === 2);
    expect(seen).toStrictEqual([3, 300]);
  });

  it('tells who watches of what it leaves out', async () => {
    await open(Count);
    await es.appendUnguarded('s', [counted(1), counted(2, 'b')]);
    await es.projections.caughtUp();
    const seen: (number | undefined)[] = [];
    es.projections.watch(Count, { id: 'b' }).subscribe((state) => seen.push(state?.sum));
    const starts: boolean[] = [];
    es.projections.updates(Count).subscribe((update) => {
      if (update.kind === 'start') starts.push(update.hasMissed);
    });
    await eventually(async () => seen.length === 1);
    behaviour.leavesOut = 'b';
    await es.projections.rebuild(Count);
    await eventually(async () => seen.length === 2 && starts.length === 2);
    expect(seen).toStrictEqual([2, undefined]);
    expect(starts).toStrictEqual([false, true]);
  });

  it('of one that is paused ends also when its swap is refused, and leaves it paused', async () => {
    const given = new InMemoryEventStore();
    const place = projectionStoreOf(given);
    let refusals = 1;
    const projections = placeOver(place, {
      promote: async (...all) => {
        refusals -= 1;
        return refusals < 0 && (await place.promote(...all));
      },
    });
    es = await EventSourcing.open({ store: storeOver(given, { projections }), classes: [Count] });
    await es.appendUnguarded('s', [counted(1)]);
    await es.projections.caughtUp();
    await es.projections.pause(Count);
    await es.appendUnguarded('s', [counted(2)]);
    expect(await es.projections.rebuild(Count)).toMatchObject({ generation: 2 });
    expect(await statusOf()).toMatchObject({ state: 'paused', generation: 2 });
    await es.projections.resume(Count);
    await es.projections.caughtUp();
    expect(await sums()).toStrictEqual({ a: 3 });
  });

  it('ends at a failure that another process has marked, also when this one has come upon an outage', async () => {
    const given = new InMemoryEventStore();
    const place = projectionStoreOf(given);
    let isAway = true;
    const projections = placeOver(place, {
      isTransient: (error) => String(error).includes('away'),
      commit: async (definition, record, changes) => {
        if (!isAway || record.role !== 'building') return place.commit(definition, record, changes);
        isAway = false;
        await place.mark(record, { failure: 'It failed elsewhere.' });
        throw new Error('away');
      },
    });
    es = await EventSourcing.open({ store: storeOver(given, { projections }), classes: [Count] });
    await es.appendUnguarded('s', [counted(1)]);
    await es.projections.caughtUp();
    const refusal = await es.projections.rebuild(Count).catch((reason: unknown) => reason);
    expect(refusal).toBeInstanceOf(RebuildFailedError);
    expect(String(refusal)).toContain('It failed elsewhere');
    expect(await es.projections.rebuild(Count)).toMatchObject({ events: 1 });
  });

  it('is refused for a live projection', async () => {
    await open(LiveTally);
    await expect(es.projections.rebuild(LiveTally)).rejects.toBeInstanceOf(LiveProjectionError);
  });

  it('folds the same as before, whatever is appended meanwhile', async () => {
    await open(AsyncTally, InlineTally);
    await es.appendUnguarded(
      's',
      range(500).map((amount) => added(`i${amount % 7}`, amount)),
    );
    let isOver = false;
    const appending = (async () => {
      for (let amount = 500; !isOver; amount += 1) {
        await es.appendUnguarded('s', [added(`i${amount % 7}`, amount)]);
        // In memory nothing waits for anything, and timers would not have their turn.
        await new Promise((turn) => setImmediate(turn));
      }
    })();
    for (const target of [AsyncTally, InlineTally] as Class[]) for (const _ of range(3)) await es.projections.rebuild(target);
    isOver = true;
    await appending;
    await es.projections.caughtUp();
    const [one, two] = [await es.projections.all(AsyncTally), await es.projections.all(InlineTally)];
    expect(one.flatMap(({ seen }) => seen).sort((a, b) => a - b)).toStrictEqual(range(one.flatMap(({ seen }) => seen).length));
    expect(two.map(({ id, seen }) => [id, seen])).toStrictEqual(one.map(({ id, seen }) => [id, seen]));
    for (const { seen } of one) expect(seen).toStrictEqual([...seen].sort((a, b) => a - b));
  });

  describe('rollback', () => {
    it('has what served before serve again, once it has caught up', async () => {
      await open(Count);
      await es.appendUnguarded('s', [counted(1), counted(2)]);
      await es.projections.caughtUp();
      behaviour.factor = 10;
      await es.projections.rebuild(Count);
      await es.appendUnguarded('s', [counted(4)]);
      await es.projections.caughtUp();
      expect(await sums()).toStrictEqual({ a: 70 });
      behaviour.factor = 1;
      expect(await es.projections.rollback(Count)).toMatchObject({ generation: 1, events: 3, applied: 1 });
      expect(await sums()).toStrictEqual({ a: 7 });
      await es.appendUnguarded('s', [counted(8)]);
      await es.projections.caughtUp();
      expect(await sums()).toStrictEqual({ a: 15 });
      expect(await statusOf()).toMatchObject({ generation: 1, kept: 1 });
    });

    it('has nothing to go back to before a rebuild, and after what was kept is dropped', async () => {
      await open(Count);
      await expect(es.projections.rollback(Count)).rejects.toBeInstanceOf(NothingKeptError);
      await es.projections.rebuild(Count);
      await es.projections.dropKept(Count);
      await es.projections.dropKept(Count);
      await expect(es.projections.rollback(Count)).rejects.toBeInstanceOf(NothingKeptError);
    });

    it('is refused during a rebuild', async () => {
      await open(Count);
      const gate = new Gate();
      await es.appendUnguarded('s', [counted(1)]);
      behaviour.slow = gate.opened;
      const rebuilding = es.projections.rebuild(Count);
      await expect(es.projections.rollback(Count)).rejects.toBeInstanceOf(RebuildUnderWayError);
      await expect(es.projections.compare(Count)).rejects.toBeInstanceOf(RebuildUnderWayError);
      gate.open();
      await rebuilding;
    });
  });

  describe('a higher version', () => {
    it('is built in the background, and serves once it has caught up', async () => {
      await open(Count);
      await es.appendUnguarded('s', [counted(1), counted(2)]);
      await es.projections.caughtUp();
      const next = await openTally([DoubleCount], store);
      await eventually(async () => (await statusOf(next)).version === 2);
      expect((await next.projections.get(DoubleCount, { id: 'a' }))?.sum).toBe(6);
      await next.appendUnguarded('s', [counted(4)]);
      await next.projections.caughtUp();
      expect((await next.projections.get(DoubleCount, { id: 'a' }))?.sum).toBe(14);
      const old = await eventually(async () => {
        const status = await statusOf();
        return status.state === 'stopped' && status;
      });
      expect(old.reason).toContain('version 1');
      await expect(es.projections.rebuild(Count)).rejects.toBeInstanceOf(OutdatedProjectionError);
      await expect(next.projections.rollback(DoubleCount)).rejects.toMatchObject({ code: 'NOTHING_KEPT', kept: 1 });
    });

    it('is built by one of several processes', async () => {
      await open(Count);
      await es.appendUnguarded(
        's',
        range(1_000).map((amount) => counted(amount, `i${amount % 5}`)),
      );
      await es.projections.caughtUp();
      behaviour.seen = 0;
      const others = await Promise.all([1, 2, 3].map(() => openTally([DoubleCount], store)));
      for (const other of others) await eventually(async () => (await statusOf(other)).reason === undefined);
      expect(behaviour.seen).toBe(1_000);
    });

    it('goes back to the older one by a rollback in a process of that, which none of the newer undoes', async () => {
      await open(Count);
      await es.appendUnguarded('s', [counted(1), counted(2)]);
      await es.projections.caughtUp();
      const next = await openTally([DoubleCount], store);
      await eventually(async () => (await statusOf(next)).version === 2);
      await next.appendUnguarded('s', [counted(4)]);
      await es.projections.rollback(Count);
      expect(await sums()).toStrictEqual({ a: 7 });
      const again = await openTally([DoubleCount], store);
      for (const system of [next, again])
        await eventually(async () => (await statusOf(system)).reason?.includes('rollback(Count)'));
      expect(await statusOf()).toMatchObject({ version: 1, generation: 1, kept: 2 });
      await again.projections.rollback(DoubleCount);
      expect((await again.projections.get(DoubleCount, { id: 'a' }))?.sum).toBe(14);
    });

    it('that fails is told of, and what served before serves', async () => {
      await open(Count);
      await es.appendUnguarded('s', [counted(1), counted(2)]);
      await es.projections.caughtUp();
      behaviour.refuses = 2;
      const next = await openTally([DoubleCount], store);
      const failed = await eventually(async () => {
        const status = await statusOf(next);
        return status.state === 'failed' && status;
      });
      expect(failed).toMatchObject({ version: 1, generation: 1, lastError: expect.stringContaining('refused') });
      expect(await sums()).toStrictEqual({ a: 3 });
      expect((await statusOf()).state).toBe('live');
    });
  });
});
