import {
  type Class,
  CustomProjectionError,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  LiveProjectionError,
  Projection,
  ProjectionId,
  RebuildCancelledError,
} from 'eventfold';
import { AsyncTally, added, FussyTally, Gate, InlineTally, LiveTally, openTally, poisoned } from '../controls/tally';

@Event('status.counted')
class Counted {
  id!: string;
  amount!: number;
}

const counted = (amount: number, id = 'a') => createEvent(Counted, { id, amount });

/** Where the handlers of a custom projection keep what they fold. */
let book = new Map<string, number>();
let calls = 0;
let failing = 0;
let slow: Promise<void> | undefined;

@Projection({ kind: 'custom', reset: () => book.clear() })
class Book {
  @Handles(Counted)
  counted({ id, amount }: Counted): void {
    book.set(id, (book.get(id) ?? 0) + amount);
  }
}

let cannotEmpty = false;

@Projection({
  name: 'Book',
  kind: 'custom',
  version: 2,
  reset: () => {
    if (cannotEmpty) throw new Error('cannot empty it');
    book.clear();
  },
})
class NextBook {
  @Handles(Counted)
  counted({ id, amount }: Counted): void {
    book.set(id, (book.get(id) ?? 0) + 2 * amount);
  }
}

@Projection({ kind: 'custom' })
class Ledger {
  @Handles(Counted)
  counted(): void {
    calls += 1;
  }
}

@Projection({ retry: { attempts: 3, delayMs: 1 } })
class Called {
  @ProjectionId() id!: string;
  amounts: number[] = [];

  @Handles(Counted)
  counted({ amount }: Counted): Promise<void> | undefined {
    calls += 1;
    if (failing > 0) {
      failing -= 1;
      throw new Error('not yet');
    }
    this.amounts.push(amount);
    return slow;
  }
}

describe('Projections', () => {
  let es: EventSourcing;
  let store: InMemoryEventStore;
  async function open(...classes: Class[]) {
    store = new InMemoryEventStore();
    es = await openTally(classes, store);
    es.projections.errors().subscribe();
  }
  const manual = (classes: Class[]) => EventSourcing.open({ store, classes, projections: { run: 'manual' } });
  async function statusOf(target: Class, system = es) {
    const [status] = await system.projections.status(target);
    if (status === undefined) throw new Error('There is no such projection.');
    return status;
  }
  beforeEach(() => {
    book = new Map();
    calls = 0;
    failing = 0;
    slow = undefined;
  });
  afterEach(() => es.close());

  describe('status', () => {
    it('tells of each that keeps state where it is and who runs it', async () => {
      await open(AsyncTally, InlineTally, LiveTally);
      const { position } = await es.appendUnguarded('s', [added('a', 1), added('a', 2)]);
      await es.projections.caughtUp();
      const [one, two, ...others] = await es.projections.status();
      expect(others).toStrictEqual([]);
      expect(one).toMatchObject({
        projection: 'AsyncTally',
        class: AsyncTally,
        mode: 'async',
        kind: 'document',
        state: 'live',
        reason: undefined,
        version: 1,
        generation: 1,
        checkpoint: position,
        head: position,
        lag: { events: 0, seconds: 0 },
        parked: 0,
        owner: expect.any(String),
        lastError: undefined,
        rebuild: undefined,
        kept: undefined,
      });
      expect(two).toMatchObject({ projection: 'InlineTally', mode: 'inline', state: 'live', checkpoint: position });
    });

    it('is the same from a process that does not run it', async () => {
      await open(AsyncTally);
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.projections.caughtUp();
      const other = await manual([AsyncTally]);
      const { eventsPerSecond: _, ...status } = await statusOf(AsyncTally, other);
      expect(await statusOf(AsyncTally)).toMatchObject(status);
    });

    it('counts what is parked, and what failed it as a whole', async () => {
      await open(FussyTally);
      await es.appendUnguarded('s', [poisoned('a'), added('a', 1), poisoned('b'), added('c', 1)]);
      await es.projections.caughtUp();
      expect(await statusOf(FussyTally)).toMatchObject({ parked: 2, state: 'live', lag: { events: 0 } });
    });

    it('says that nobody runs it, and how far behind it is', async () => {
      await open();
      await es.appendUnguarded('s', []);
      es = await manual([AsyncTally]);
      await es.appendUnguarded('s', [added('a', 1), added('a', 2)]);
      expect(await statusOf(AsyncTally)).toMatchObject({ state: 'stopped', generation: undefined, lag: { events: 2 } });
      await es.projections.start();
      await es.projections.caughtUp();
      expect((await statusOf(AsyncTally)).state).toBe('live');
      await es.projections.stop();
      const stopped = await statusOf(AsyncTally);
      expect(stopped).toMatchObject({ state: 'stopped', owner: undefined, lag: { events: 0 }, checkpoint: await store.head() });
      expect(stopped.reason).toBe('No process runs it.');
    });
  });

  describe('pause', () => {
    it.each<Class<{ seen: number[] }>>([AsyncTally, InlineTally])(
      'holds up %p; resumed, it takes what came in order',
      async (target) => {
        await open(target);
        await es.appendUnguarded('s', [added('a', 1)]);
        await es.projections.caughtUp();
        await es.projections.pause(target);
        for (const amount of [2, 3, 4]) await es.appendUnguarded('s', [added('a', amount)]);
        expect(await statusOf(target)).toMatchObject({ state: 'paused', lag: { events: 3 } });
        expect((await es.projections.all(target)).map(({ seen }) => seen)).toStrictEqual([[1]]);
        await es.projections.resume(target);
        await es.projections.caughtUp();
        expect((await es.projections.all(target)).map(({ seen }) => seen)).toStrictEqual([[1, 2, 3, 4]]);
      },
    );

    it('ends what is at work before it resolves', async () => {
      await open(Called);
      const gate = new Gate();
      slow = gate.opened;
      await es.appendUnguarded('s', [counted(1), counted(2)]);
      while (calls === 0) await new Promise((turn) => setTimeout(turn, 1));
      await es.projections.pause(Called);
      gate.open();
      expect(await es.projections.all(Called)).toStrictEqual([]);
      slow = undefined;
      await es.projections.resume(Called);
      await es.projections.caughtUp();
      expect((await es.projections.get(Called, { id: 'a' }))?.amounts).toStrictEqual([1, 2]);
    });

    it('holds in other processes, across a restart, and through a rebuild', async () => {
      await open(AsyncTally);
      await es.projections.pause(AsyncTally);
      const other = await openTally([AsyncTally], store);
      await es.projections.stop();
      await other.appendUnguarded('s', [added('a', 1)]);
      expect((await statusOf(AsyncTally, other)).state).toBe('paused');
      await other.projections.rebuild(AsyncTally);
      await other.appendUnguarded('s', [added('a', 2)]);
      expect(await statusOf(AsyncTally, other)).toMatchObject({ state: 'paused', generation: 2 });
      expect((await other.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([1]);
      await es.projections.resume(AsyncTally);
      await other.projections.caughtUp();
      expect((await other.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([1, 2]);
    });

    it('is ended by a stop', async () => {
      await open(AsyncTally);
      await es.projections.pause(AsyncTally);
      await es.projections.stop();
      await es.projections.start();
      await es.projections.resume(AsyncTally);
      await es.appendUnguarded('s', [added('a', 1)]);
      await es.projections.caughtUp();
      expect(await es.projections.all(AsyncTally)).toHaveLength(1);
    });

    it('is refused for a live projection', async () => {
      await open(LiveTally);
      await expect(es.projections.pause(LiveTally)).rejects.toBeInstanceOf(LiveProjectionError);
      await expect(es.projections.resume(LiveTally)).rejects.toBeInstanceOf(LiveProjectionError);
    });
  });

  describe('runOnce', () => {
    it('applies what is stored, each event once, and then none', async () => {
      await open();
      es = await manual([Called]);
      const { position } = await es.appendUnguarded(
        's',
        [1, 2, 3, 4, 5].map((amount) => counted(amount)),
      );
      expect(await es.projections.runOnce()).toMatchObject([
        { projection: 'Called', state: 'stopped', checkpoint: position, lag: { events: 0 }, owner: undefined },
      ]);
      expect(calls).toBe(5);
      await es.projections.runOnce(Called);
      expect(calls).toBe(5);
      await es.appendUnguarded('s', [counted(6)]);
      expect(await statusOf(Called)).toMatchObject({ checkpoint: position, lag: { events: 1 } });
      expect(calls).toBe(5);
    });

    it('applies each event once when two processes do so at a time', async () => {
      await open();
      es = await manual([Called]);
      const other = await manual([Called]);
      await es.appendUnguarded(
        's',
        [1, 2, 3, 4, 5].map((amount) => counted(amount)),
      );
      await Promise.all([es.projections.runOnce(), other.projections.runOnce()]);
      expect(calls).toBe(5);
      expect((await es.projections.get(Called, { id: 'a' }))?.amounts).toStrictEqual([1, 2, 3, 4, 5]);
    });

    it('waits for what fails and is tried again: it is handled once, in order', async () => {
      await open();
      es = await EventSourcing.open({ store, classes: [Called], projections: { run: 'manual' } });
      es.projections.errors().subscribe();
      await es.appendUnguarded('s', [counted(1), counted(2), counted(3)]);
      failing = 2;
      await es.projections.runOnce();
      expect((await es.projections.get(Called, { id: 'a' }))?.amounts).toStrictEqual([1, 2, 3]);
      expect(await es.projections.parked()).toStrictEqual([]);
    });

    it('does not wait for what is paused, and leaves running what runs', async () => {
      await open(AsyncTally, InlineTally);
      await es.projections.pause(AsyncTally);
      await es.appendUnguarded('s', [added('a', 1)]);
      expect((await es.projections.runOnce()).map(({ state }) => state)).toStrictEqual(['paused', 'live']);
      await es.projections.resume(AsyncTally);
      await es.projections.caughtUp();
      expect(await es.projections.all(AsyncTally)).toHaveLength(1);
    });
  });

  describe('rebuild of a custom projection', () => {
    it('empties it, and fills it again', async () => {
      await open(Book);
      await es.appendUnguarded('s', [counted(1), counted(2), counted(4, 'b')]);
      await es.projections.caughtUp();
      book.set('a', 77).set('x', 1);
      const report = await es.projections.rebuild(Book);
      expect(report).toMatchObject({ projection: 'Book', events: 3, generation: 1, failures: [] });
      expect([...book]).toStrictEqual([
        ['a', 3],
        ['b', 4],
      ]);
      await es.appendUnguarded('s', [counted(8)]);
      await es.projections.caughtUp();
      expect(book.get('a')).toBe(11);
    });

    it('is done also where no process runs it', async () => {
      await open();
      es = await manual([Book]);
      await es.appendUnguarded('s', [counted(1)]);
      book.set('x', 1);
      await es.projections.rebuild(Book);
      expect([...book]).toStrictEqual([['a', 1]]);
    });

    it('is done for a next version also where no process runs it, and not at all where it cannot be emptied', async () => {
      await open(Book);
      await es.appendUnguarded('s', [counted(1)]);
      await es.projections.caughtUp();
      await es.projections.stop();
      es = await manual([NextBook]);
      cannotEmpty = true;
      await expect(es.projections.rebuild(NextBook)).rejects.toThrow('cannot empty it');
      expect([...book]).toStrictEqual([['a', 1]]);
      expect(await statusOf(NextBook)).toMatchObject({ version: 1, state: 'stopped' });
      cannotEmpty = false;
      expect(await es.projections.rebuild(NextBook)).toMatchObject({ version: 2, events: 1 });
      expect([...book]).toStrictEqual([['a', 2]]);
    });

    it('is refused without a way to empty it, as are a comparison and a rollback', async () => {
      await open(Ledger);
      await es.appendUnguarded('s', [counted(1)]);
      await es.projections.caughtUp();
      for (const work of ['rebuild', 'compare', 'rollback'] as const)
        await expect(es.projections[work](Ledger)).rejects.toBeInstanceOf(CustomProjectionError);
      expect(calls).toBe(1);
    });

    it('is cancelled before it is emptied', async () => {
      await open(Book);
      book.set('x', 1);
      const rebuilding = es.projections.rebuild(Book, { signal: AbortSignal.abort() });
      await expect(rebuilding).rejects.toBeInstanceOf(RebuildCancelledError);
      expect([...book]).toStrictEqual([['x', 1]]);
    });
  });
});
