import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import {
  Aggregate,
  AggregateRoot,
  Command,
  EventSourcing,
  type EventStore,
  Handles,
  InMemoryEventStore,
  Projection,
  ProjectionId,
  type Snapshot,
  versionOf,
} from 'eventfold';
import { withChunks } from '../controls/faults';
import { Added, ledgers } from '../controls/ledgers';
import { during, snapshotOf, watched, withSnapshots } from '../controls/snapshot-stores';
import { storeOver } from '../controls/store-over';
import { Refused, signal } from '../controls/wallets';

const ledgerId = 'l';
const ids = { ledgerId };
const noMisses = { none: 0, revision: 0, shape: 0, corrupt: 0, astray: 0, newer: 0, failed: 0 };

/** A store in which a ledger has events, a commit each. @returns it, with what was saved on the way. */
async function stored(every: number, ...commits: number[][]) {
  const { store, saved } = watched(new InMemoryEventStore());
  const { Ledger } = ledgers({ every });
  const stats = await during(store, [Ledger], async (es) => {
    const ledger = await es.create(Ledger, ids);
    for (const amounts of commits) await ledger.add(...amounts);
  });
  return { store, saved, stats };
}

/** Loads the ledger on a store. @returns what it is, and what came of snapshots. */
async function loaded(store: EventStore, Ledger = ledgers({ every: 3 }).Ledger) {
  let found!: { total: number; lines: readonly { count: number }[]; version: number };
  const stats = await during(store, [Ledger], async (es) => {
    const ledger = await es.load(Ledger, ids);
    found = { total: ledger.total, lines: ledger.lines, version: versionOf(ledger) };
  });
  return { ...found, stats };
}

describe('a snapshot of an aggregate', () => {
  it('is made when a multiple of its frequency is reached, and not before', async () => {
    const two = await stored(3, [1], [1]);
    expect(two.saved).toStrictEqual([]);
    expect(two.stats.saved).toBe(0);

    const three = await stored(3, [1], [1], [1]);
    expect(three.saved).toMatchObject([{ key: 'Ledger:l', revision: '1', version: 3, folded: 3 }]);
    expect(three.stats.saved).toBe(1);
    expect(await snapshotOf(three.store, 'Ledger:l')).toStrictEqual(three.saved[0]);
  });

  it('is made once by a commit that crosses a multiple, at the version after it', async () => {
    const { saved } = await stored(10, [1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1], [1, 1, 1, 1, 1, 1, 1], [1]);
    expect(saved.map(({ version }) => version)).toStrictEqual([12, 20]);
  });

  it('is made once by a commit that crosses several multiples', async () => {
    const { saved } = await stored(2, [1, 1, 1, 1, 1, 1, 1]);
    expect(saved.map(({ version }) => version)).toStrictEqual([7]);
  });

  it('is what loading begins at', async () => {
    const { store } = await stored(3, [1], [2], [1], [4]);
    const read: number[] = [];
    const counting = withChunks(store, (chunks) => {
      read.push(...chunks.flat().map(({ version }) => version));
      return chunks;
    });
    const { stats, ...ledger } = await loaded(counting);
    expect(ledger).toEqual({ total: 8, lines: [{ count: 2 }, { count: 1 }, { count: 1 }], version: 4 });
    expect(stats).toEqual({ hits: 1, misses: noMisses, saved: 0, failed: 0, unstorable: 0 });
    // The one that it was made after shows that it is of this stream.
    expect(read.slice(-2)).toStrictEqual([3, 4]);
  });

  it('gives back objects that are one, functions of the instance, and instances of classes of the language', async () => {
    const { store } = await stored(3, [1], [2], [1]);
    const { Ledger } = ledgers({ every: 3 });
    await during(store, [Ledger], async (es) => {
      const ledger = await es.load(Ledger, ids);
      expect(es.stats().snapshots.hits).toBe(1);
      expect(ledger).toBeInstanceOf(Ledger);
      expect(ledger.latest).toBeInstanceOf(Date);
      expect(ledger.byAmount.get(2)).toBe(ledger.lines[1]);
      expect(ledger.half()).toBe(2);
      await ledger.add(2);
      expect(ledger.lines).toStrictEqual([{ count: 2 }, { count: 2 }]);
      expect(ledger.half()).toBe(3);
    });
  });

  it('is counted by all events of the boundary, where that is what guards the aggregate', async () => {
    const { store, saved } = watched(new InMemoryEventStore());
    const { Pocket } = ledgers({ every: 3 });
    await during(store, [Pocket], async (es) => {
      const a = await es.create(Pocket, { pocketId: 'a' });
      await a.pass('b', 1);
      await a.pass('b', 2);
      expect(saved).toStrictEqual([]);
      await (await es.load(Pocket, { pocketId: 'b' })).pass('a', 4);
    });
    expect(saved).toMatchObject([{ key: 'Pocket:b', folded: 3, version: 1 }]);
    const stats = await during(store, [Pocket], async (es) => {
      expect(await es.load(Pocket, { pocketId: 'a' })).toMatchObject({ balance: 1, partners: new Set(['b']) });
      expect(await es.load(Pocket, { pocketId: 'b' })).toMatchObject({ balance: -1, partners: new Set(['a']) });
      expect(await es.statsOf(Pocket, { pocketId: 'b' })).toEqual({ events: 3, version: 1, hasSnapshot: true });
    });
    expect(stats).toMatchObject({ hits: 2, misses: { ...noMisses, none: 1 } });
  });

  it('is made for each instance of a transaction', async () => {
    const { store, saved } = watched(new InMemoryEventStore());
    const { Ledger, Pocket } = ledgers({ every: 2 });
    await during(store, [Ledger, Pocket], async (es) => {
      const ledger = await es.create(Ledger, ids);
      const [a, b] = [await es.create(Pocket, { pocketId: 'a' }), await es.create(Pocket, { pocketId: 'b' })];
      await es.transaction(async () => {
        await ledger.add(1, 2);
        await a.pass('b', 3);
        await b.pass('a', 1);
      });
    });
    expect(saved.map(({ key, folded }) => [key, folded]).sort()).toStrictEqual([
      ['Ledger:l', 2],
      ['Pocket:a', 2],
      ['Pocket:b', 2],
    ]);
  });

  it('is told of by the stats of the instance', async () => {
    const { Ledger } = ledgers({ every: 3 });
    const hasSnapshot = async (store: EventStore) => {
      let answer: unknown;
      await during(store, [Ledger], async (es) => {
        answer = await es.statsOf(Ledger, ids);
      });
      return answer;
    };
    expect(await hasSnapshot((await stored(3, [1], [1])).store)).toEqual({ events: 2, version: 2, hasSnapshot: false });
    expect(await hasSnapshot((await stored(3, [1], [1, 1, 1])).store)).toEqual({ events: 4, version: 4, hasSnapshot: true });
  });

  it('is folded from events, whatever a command did to the state by itself', async () => {
    const { store, saved } = watched(new InMemoryEventStore());
    const { Ledger } = ledgers({ every: 2 });
    await during(store, [Ledger], async (es) => {
      const ledger = await es.create(Ledger, ids);
      await ledger.add(1);
      await ledger.tamper(2);
    });
    expect(saved).toHaveLength(1);
    expect(await loaded(store, Ledger)).toMatchObject({ total: 3, lines: [{ count: 1 }, { count: 1 }], stats: { hits: 1 } });
  });

  it('is made of nothing that a command emitted and did not store', async () => {
    const { store, saved } = await stored(3, [1], [2]);
    const { Ledger } = ledgers({ every: 3 });
    await during(store, [Ledger], async (es) => {
      const ledger = await es.load(Ledger, ids);
      await expect(ledger.addAndRefuse(7)).rejects.toThrow(Refused);
      await expect(
        es.transaction(async () => {
          await ledger.add(7, 8);
          throw new Refused('the whole of it');
        }),
      ).rejects.toThrow(Refused);
    });
    expect(saved).toStrictEqual([]);
    expect(await loaded(store)).toMatchObject({ total: 3 });
  });

  it('is made of nothing that an inline projection stored and the append around it took back', async () => {
    const { Ledger, Pocket } = ledgers({ every: 1 });
    let front: EventSourcing | undefined;

    @Projection({ mode: 'inline' })
    class Watch {
      @ProjectionId() ledgerId!: string;

      @Handles(Added)
      async added() {
        const pocket = await front?.loadOrCreate(Pocket, { pocketId: 'a' });
        await pocket?.pass('b', 1);
        throw new Refused('and all of it');
      }
    }

    const { store, saved } = watched(new InMemoryEventStore());
    const stats = await during(store, [Ledger, Pocket, Watch], async (es) => {
      front = es;
      await expect((await es.create(Ledger, ids)).add(1)).rejects.toThrow('and all of it');
    });
    expect(saved).toStrictEqual([]);
    expect(stats).toMatchObject({ saved: 0, failed: 0 });
  });

  it('is not waited for by the command, but by close', async () => {
    const { promise: isFree, give: free } = signal();
    const { promise: isSaving, give: saving } = signal();
    const store = withSnapshots(new InMemoryEventStore(), ({ save }) => ({
      save: async (snapshot) => {
        saving();
        await isFree;
        await save(snapshot);
      },
    }));
    const { Ledger } = ledgers({ every: 1 });
    const es = await EventSourcing.open({ store, classes: [Ledger] });
    await (await es.create(Ledger, ids)).add(1);
    await isSaving;
    const closing = es.close();
    expect(es.stats().snapshots.saved).toBe(0);
    free();
    await closing;
    expect(es.stats().snapshots.saved).toBe(1);
  });

  it('is saved outside of what surrounds the command, such as a request or a transaction of the database', async () => {
    const request = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const store = withSnapshots(new InMemoryEventStore(), () => ({
      save: async () => {
        seen.push(request.getStore());
      },
    }));
    const { Ledger } = ledgers({ every: 1 });
    await during(store, [Ledger], (es) => request.run('a request', async () => (await es.create(Ledger, ids)).add(1)));
    expect(seen).toStrictEqual([undefined]);
  });

  it('puts a failed command back to the state before it, also where a newer snapshot was made meanwhile', async () => {
    const { store } = await stored(3, [1], [2]);
    const { Ledger } = ledgers({ every: 3 });
    const stats = await during(store, [Ledger], async (es) => {
      const ledger = await es.load(Ledger, ids);
      const others = () => during(store, [Ledger], async (other) => (await other.load(Ledger, ids)).add(4, 8));
      await expect(ledger.addAndRefuse(16, others)).rejects.toThrow(Refused);
      expect(ledger).toMatchObject({ total: 3, lines: [{ count: 1 }, { count: 1 }] });
      expect(versionOf(ledger)).toBe(2);
      await ledger.add(32);
      expect(ledger).toMatchObject({ total: 47 });
    });
    expect(stats).toMatchObject({ hits: 0, misses: { ...noMisses, none: 1, newer: 1 } });
  });

  it('puts a failed command back with the help of a snapshot that is not newer', async () => {
    const { store } = await stored(3, [1], [2], [4], [8]);
    const { Ledger, Pocket } = ledgers({ every: 3 });
    const stats = await during(store, [Ledger, Pocket], async (es) => {
      const ledger = await es.load(Ledger, ids);
      await expect(ledger.addAndRefuse(16)).rejects.toThrow(Refused);
      expect(ledger).toMatchObject({ total: 15 });
      expect(ledger.half()).toBe(7.5);
      const pocket = await es.create(Pocket, { pocketId: 'a' });
      for (const amount of [1, 2, 4, 8]) await pocket.pass('b', amount);
      await expect(pocket.passAndRefuse('b', 16)).rejects.toThrow(Refused);
      expect(pocket.balance).toBe(-15);
    });
    expect(stats).toMatchObject({ hits: 3, misses: { ...noMisses, none: expect.any(Number) } });
  });

  it('of another revision is not used, and gives way', async () => {
    const { store } = await stored(3, [1], [2], [4]);
    const { Ledger } = ledgers({ every: 3, revision: 2 });
    expect(await loaded(store, Ledger)).toMatchObject({ total: 7, stats: { hits: 0, misses: { ...noMisses, revision: 1 } } });
    await during(store, [Ledger], async (es) => (await es.load(Ledger, ids)).add(8));
    expect(await snapshotOf(store, 'Ledger:l')).toMatchObject({ revision: '2', version: 4 });
    expect(await loaded(store, Ledger)).toMatchObject({ total: 15, stats: { hits: 1, misses: noMisses } });
  });

  it('of a class that looked different is not used', async () => {
    const { store } = await stored(3, [1], [2], [4]);
    const snapshot = { every: 3 };

    abstract class LedgerBase extends AggregateRoot<'ledgerId'> {
      @ProjectionId() readonly ledgerId!: string;
      total = 0;

      @Handles(Added)
      protected added({ amount }: Added) {
        this.total += amount;
      }
    }

    @Aggregate({ name: 'Ledger', snapshot })
    class LedgerWithCount extends LedgerBase {
      count = 0;

      @Handles(Added)
      protected override added(event: Added) {
        super.added(event);
        this.count += 1;
      }
    }

    const stats = await during(store, [LedgerWithCount], async (es) => {
      expect(await es.load(LedgerWithCount, ids)).toMatchObject({ total: 7, count: 3 });
    });
    expect(stats).toMatchObject({ hits: 0, misses: { ...noMisses, shape: 1 } });
  });

  it.each<[string, (snapshot: Snapshot) => Partial<Snapshot>]>([
    ['empty', () => ({ state: '' })],
    ['cut off', ({ state }) => ({ state: state.slice(0, -9) })],
    ['no JSON', () => ({ state: 'once upon a time' })],
    ['JSON of something else', () => ({ state: '[7]' })],
    ['of another type', () => ({ state: 7 as never })],
    ['missing', () => ({ state: null as never })],
    ['changed in one figure', ({ state }) => ({ state: state.replace('"total":7', '"total":8') })],
    ['of another instance', () => ({ state: '{"digest":"x","fields":{"total":8}}' })],
    ['told to be of more events', () => ({ folded: 4 })],
    ['told to be of another event', () => ({ eventId: 'another' })],
  ])('that is %s costs time, and nothing else', async (_what, change) => {
    const { store } = await stored(3, [1], [2], [4]);
    const good = await snapshotOf(store, 'Ledger:l');
    await store.snapshots?.remove('Ledger:l');
    await store.snapshots?.save({ ...good, ...change(good) });
    expect(good.state).toContain('"total":7');
    const { Ledger } = ledgers({ every: 3 });
    expect(await loaded(store, Ledger)).toMatchObject({ total: 7, stats: { hits: 0, misses: { ...noMisses, corrupt: 1 } } });
    const stats = await during(store, [Ledger], async (es) => (await es.load(Ledger, ids)).add(8));
    expect(stats).toMatchObject({ saved: 1, failed: 0, misses: { ...noMisses, none: 1 } });
    expect(await loaded(store, Ledger)).toMatchObject({ total: 15, stats: { hits: 1, misses: noMisses } });
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('out of order'))],
    [
      'throws',
      () => {
        throw new Error('out of order');
      },
    ],
  ])('costs time, and nothing else, where its store %s', async (_how, fail) => {
    const { store } = await stored(3, [1], [2], [4]);
    const { Ledger } = ledgers({ every: 3 });
    const unreadable = withSnapshots(store, () => ({ load: fail, remove: fail }));
    const read = await during(unreadable, [Ledger], async (es) => {
      const ledger = await es.load(Ledger, ids);
      await ledger.add(8, 16, 32);
      expect(ledger.total).toBe(63);
    });
    expect(read).toMatchObject({ hits: 0, saved: 1, failed: 0, misses: { ...noMisses, failed: 1 } });

    const unwritable = withSnapshots(store, () => ({ save: fail }));
    const written = await during(unwritable, [Ledger], async (es) => {
      const ledger = await es.load(Ledger, ids);
      await ledger.add(64, 128, 256);
      expect(ledger.total).toBe(511);
    });
    expect(written).toMatchObject({ hits: 1, saved: 0, failed: 1, misses: noMisses });
    expect(await loaded(store, Ledger)).toMatchObject({ total: 511, version: 9, stats: { hits: 1 } });
  });

  it('that failed is made by the next commit that crosses a multiple, not by each', async () => {
    const { store } = await stored(3, [1], [2]);
    const { Ledger } = ledgers({ every: 3 });
    let attempts = 0;
    const failing = withSnapshots(store, () => ({
      save: () => {
        attempts += 1;
        return Promise.reject(new Error('full'));
      },
    }));
    const es = await EventSourcing.open({ store: storeOver(failing, { close: async () => undefined }), classes: [Ledger] });
    for (let version = 3; version <= 8; version += 1) {
      await (await es.load(Ledger, ids)).add(1);
      while (es.stats().snapshots.failed < Math.floor(version / 3)) await setImmediate();
    }
    await es.close();
    expect(attempts).toBe(2);
  });

  it('is astray when its event is not in the store, as after a backup was brought back', async () => {
    const { store, saved } = await stored(9, [1, 2, 3, 4, 5], [6, 7, 8, 9]);
    expect(saved).toMatchObject([{ version: 9 }]);
    const upTo = (version: number) =>
      withChunks(store, (chunks) => chunks.map((chunk) => chunk.filter((event) => event.version <= version)));
    const { Ledger } = ledgers({ every: 9 });
    const restored = await loaded(upTo(5), Ledger);
    expect(restored).toMatchObject({ total: 15, version: 5, stats: { hits: 0, misses: { ...noMisses, astray: 1 } } });
  });

  it('of a stream that was written anew is astray, and forgotten', async () => {
    const { store } = await stored(3, [1], [2], [4], [8]);
    const { Ledger } = ledgers({ every: 3 });
    const rewritten = withChunks(store, (chunks) =>
      chunks.map((chunk) =>
        chunk.map((event) => (event.version === 3 ? { ...event, id: 'another', data: { ...ids, amount: 5 } } : event)),
      ),
    );
    expect(await loaded(rewritten, Ledger)).toMatchObject({ total: 16, stats: { hits: 0, misses: { ...noMisses, astray: 1 } } });
    expect(await loaded(rewritten, Ledger)).toMatchObject({ total: 16, stats: { hits: 0, misses: { ...noMisses, none: 1 } } });
  });

  it('of another store is astray', async () => {
    const { store: elsewhere } = await stored(3, [16], [32], [64]);
    const { store } = await stored(9, [1], [2], [4], [8]);
    await store.snapshots?.save(await snapshotOf(elsewhere, 'Ledger:l'));
    expect(await loaded(store)).toMatchObject({ total: 15, stats: { hits: 0, misses: { ...noMisses, astray: 1 } } });
  });

  it('is not made of a state that cannot be written down, which a warning says once', async () => {
    @Aggregate({ snapshot: { every: 1 } })
    class Agent extends AggregateRoot<'ledgerId'> {
      @ProjectionId() readonly ledgerId!: string;
      task: (() => number) | undefined;

      @Command()
      async add(amount: number) {
        this.emit(Added, { amount });
      }

      @Handles(Added)
      protected added({ amount }: Added) {
        this.task = () => amount;
      }
    }

    const warnings: unknown[] = [];
    const { emitWarning } = process;
    process.emitWarning = (warning: string | Error) => void warnings.push(warning);
    const store = new InMemoryEventStore();
    const stats = await during(store, [Agent], async (es) => {
      const agent = await es.create(Agent, ids);
      await agent.add(1);
      await agent.add(2);
      expect((await es.load(Agent, ids)).task?.()).toBe(2);
    });
    process.emitWarning = emitWarning;
    expect(stats).toMatchObject({ saved: 0, failed: 0, unstorable: expect.any(Number) });
    expect(stats.unstorable).toBeGreaterThan(0);
    expect(warnings).toStrictEqual(['No snapshot of Agent can be made: task is a function. It is folded from its first event.']);
  });

  it('is not asked for by a class without the option', async () => {
    const store = withSnapshots(new InMemoryEventStore(), () => {
      const touched = () => {
        throw new Error('touched');
      };
      return { load: touched, save: touched, remove: touched };
    });
    const { Ledger } = ledgers();
    const stats = await during(store, [Ledger], async (es) => {
      const ledger = await es.create(Ledger, ids);
      for (let count = 0; count < 10; count += 1) await ledger.add(1);
      expect(await es.statsOf(Ledger, ids)).toEqual({ events: 10, version: 10, hasSnapshot: false });
    });
    expect(stats).toEqual({ hits: 0, misses: noMisses, saved: 0, failed: 0, unstorable: 0 });
  });

  it('is no condition for a store, which may keep none', async () => {
    const store = storeOver(new InMemoryEventStore(), { snapshots: undefined });
    const { Ledger } = ledgers({ every: 1 });
    const stats = await during(store, [Ledger], async (es) => {
      await (await es.create(Ledger, ids)).add(1);
      expect(await es.load(Ledger, ids)).toMatchObject({ total: 1 });
    });
    expect(stats).toMatchObject({ hits: 0, saved: 0, failed: 0 });
  });
});
