import {
  type Class,
  createEvent,
  type EventSourcing,
  type EventStore,
  Handles,
  InMemoryEventStore,
  Projection,
  ProjectionId,
  type SnapshotOptions,
} from 'eventfold';
import * as fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { ChunkedStore } from '../controls/chunked-store';
import { Added, ledgers, Passed } from '../controls/ledgers';
import { during, snapshotOf, watched, withSnapshots } from '../controls/snapshot-stores';

const ids = { ledgerId: 'l' };
const noMisses = { none: 0, revision: 0, shape: 0, corrupt: 0, astray: 0, newer: 0, failed: 0 };

abstract class Summary {
  @ProjectionId() ledgerId!: string;
  total = 0;
  amounts: number[] = [];
  half = () => this.total / 2;

  @Handles(Added)
  added({ amount }: Added) {
    this.total += amount;
    this.amounts.push(amount);
  }

  @Handles(Passed, { ledgerId: 'to' })
  async passed({ amount }: Passed) {
    await Promise.resolve();
    this.total += amount;
    this.amounts.push(-amount);
  }
}

/** A live projection, of a class of its own with each call. */
function summaries(snapshot?: SnapshotOptions): Class<Summary> {
  @Projection({ name: 'Summary', mode: 'live', ...(snapshot && { snapshot }) })
  class Live extends Summary {}
  return Live;
}

function add(store: EventStore, ...amounts: number[]): Promise<void> {
  return addIn(summaries(), store, ...amounts);
}

/** Stores events in a program that knows one class: the tags that it asks for are on them. */
async function addIn(known: Class, store: EventStore, ...amounts: number[]): Promise<void> {
  await during(store, [known], (es) =>
    es.appendUnguarded(
      'somewhere',
      amounts.map((amount) => createEvent(Added, { ...ids, amount })),
    ),
  );
}

/** Reads the summary once. @returns it, and what came of snapshots. */
async function read(store: EventStore, Live = summaries({ every: 3 })) {
  let found: Summary | undefined;
  const stats = await during(store, [Live], async (es) => {
    found = await es.projections.get(Live, ids);
  });
  return { total: found?.total, amounts: found?.amounts, half: found?.half(), stats };
}

describe('a snapshot of a live projection', () => {
  it('is made by a read that folds more events than its frequency since the last', async () => {
    const { store, saved } = watched(new InMemoryEventStore());
    for (const [amount, expected] of [
      [1, []],
      [2, []],
      [4, []],
      [8, [4]],
      [16, [4]],
      [32, [4]],
      [64, [4]],
      [128, [4, 8]],
    ] as const) {
      await add(store, amount);
      expect(await read(store)).toMatchObject({ total: 2 * amount - 1, half: amount - 0.5 });
      expect(saved.map(({ folded }) => folded)).toStrictEqual(expected);
    }
    expect(await snapshotOf(store, 'Summary:l')).toMatchObject({ version: 0, folded: 8 });
    expect((await read(store)).stats).toEqual({ hits: 1, misses: noMisses, saved: 0, failed: 0, unstorable: 0 });
  });

  it('is of the state that was folded, whatever the reader does to what he was given', async () => {
    const store = new InMemoryEventStore();
    await add(store, 1, 2, 4, 8);
    const Live = summaries({ every: 3 });
    await during(store, [Live], async (es) => {
      const summary = (await es.projections.get(Live, ids)) as Summary;
      summary.amounts.length = 0;
      summary.total = 99;
    });
    expect(await read(store)).toMatchObject({ total: 15, amounts: [1, 2, 4, 8], stats: { hits: 1 } });
  });

  it('is made of no instance without events', async () => {
    const store = new InMemoryEventStore();
    expect(await read(store, summaries({ every: 1 }))).toMatchObject({
      total: undefined,
      stats: { saved: 0, misses: { none: 1 } },
    });
  });

  it('of another revision is not used, and gives way', async () => {
    const store = new InMemoryEventStore();
    await add(store, 1, 2, 4, 8);
    await read(store);
    const revised = summaries({ every: 3, revision: 'b' });
    expect((await read(store, revised)).stats).toMatchObject({ hits: 0, saved: 1, misses: { ...noMisses, revision: 1 } });
    expect((await read(store, revised)).stats).toMatchObject({ hits: 1, misses: noMisses });
  });

  it('that is corrupt costs time, and nothing else', async () => {
    const store = new InMemoryEventStore();
    await add(store, 1, 2, 4, 8);
    await read(store);
    const good = await snapshotOf(store, 'Summary:l');
    await store.snapshots.save({ ...good, state: good.state.replace('15', '16') });
    expect(await read(store)).toMatchObject({ total: 15, stats: { hits: 0, misses: { ...noMisses, corrupt: 1 } } });
    expect(await read(store)).toMatchObject({ total: 15, stats: { hits: 1 } });
  });

  it('costs time, and nothing else, where its store fails', async () => {
    const store = new InMemoryEventStore();
    await add(store, 1, 2, 4, 8);
    const fail = () => Promise.reject(new Error('out of order'));
    const failing = withSnapshots(store, () => ({ load: fail, save: fail, remove: fail }));
    expect(await read(failing)).toMatchObject({ total: 15, stats: { saved: 0, failed: 1, misses: { ...noMisses, failed: 1 } } });
  });

  it('that cannot be made fails no read', async () => {
    const store = new InMemoryEventStore();
    await add(store, 1, 2, 4, 8);
    let isBroken = false;

    @Projection({ name: 'Summary', mode: 'live', snapshot: { every: 1 } })
    class Brittle extends Summary {
      constructor() {
        super();
        if (isBroken) throw new Error('no more of them');
      }

      @Handles(Added)
      override added(event: Added) {
        super.added(event);
        isBroken = true;
      }
    }

    const stats = await during(store, [Brittle], async (es) => {
      expect(await es.projections.get(Brittle, ids)).toMatchObject({ total: 15 });
    });
    expect(stats).toMatchObject({ saved: 0, failed: 1, unstorable: 0 });
  });

  it('is what watching begins at, and what changes are folded from', async () => {
    const store = new InMemoryEventStore();
    await add(store, 1, 2, 4, 8);
    await read(store);
    const Live = summaries({ every: 3 });
    const { Ledger } = ledgers();
    const stats = await during(store, [Live, Ledger], async (es: EventSourcing) => {
      expect(await firstValueFrom(es.projections.watch(Live, ids))).toMatchObject({ total: 15 });
      expect(es.stats().snapshots).toMatchObject({ hits: 1 });
      const changed = firstValueFrom(es.projections.changes(Live));
      await new Promise((resolve) => setImmediate(resolve));
      await (await es.loadOrCreate(Ledger, ids)).add(16, 32);
      // As it was after the first of the two events.
      expect(await changed).toMatchObject({ total: 31, amounts: [1, 2, 4, 8, 16] });
    });
    expect(stats.hits).toBeGreaterThan(1);
  });

  it('is forgotten when events get a tag that they lacked', async () => {
    const store = new InMemoryEventStore();
    const Live = summaries({ every: 1 });
    await add(store, 1, 2);
    const stats = await during(store, [Live], async (es) => {
      // Another program, which does not know the class, stores events without its tags.
      await addIn(Added, store, 4);
      expect(await es.projections.get(Live, ids)).toMatchObject({ total: 3 });
    });
    expect(stats).toMatchObject({ saved: 1 });
    expect(await read(store, Live)).toMatchObject({ total: 7, stats: { hits: 0, misses: { ...noMisses, none: 1 } } });
  });

  it('never changes what is read, after any history and with any frequency', async () => {
    const step = fc.record({
      event: fc.constantFrom('added', 'passed', 'other'),
      amount: fc.nat(9),
      read: fc.option(fc.integer({ min: 1, max: 4 })),
    });
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), async (steps, chunk) => {
        const store = new ChunkedStore(chunk);
        for (const { event, amount, read: every } of steps) {
          await during(store, [summaries()], (es) => {
            const made =
              event === 'passed'
                ? createEvent(Passed, { from: 'm', to: 'l', amount })
                : createEvent(Added, { ledgerId: event === 'added' ? 'l' : 'm', amount });
            return es.appendUnguarded('somewhere', [made]);
          });
          if (every === null) continue;
          const { stats, ...seen } = await read(store, summaries({ every }));
          const { stats: _, ...folded } = await read(store, summaries());
          expect(seen).toStrictEqual(folded);
          expect({ ...stats.misses, none: 0 }).toStrictEqual(noMisses);
          hits += stats.hits;
        }
      }),
      { numRuns: 60 },
    );
    expect(hits).toBeGreaterThan(20);
  });
});
