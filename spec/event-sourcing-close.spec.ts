import { randomUUID } from 'node:crypto';
import {
  Aggregate,
  AggregateRoot,
  ClosedError,
  Command,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  ProjectionId,
  versionOf,
} from 'eventfold';

@Event('step.taken')
class Taken {
  walk!: string;
}

/** What the walk waits for. */
let gate: Promise<void> = Promise.resolve();

@Aggregate()
class Walk extends AggregateRoot<'walk'> {
  @ProjectionId() readonly walk!: string;

  @Command()
  async go(): Promise<void> {
    this.emit(Taken, {});
    await gate;
  }

  @Handles(Taken)
  protected taken(): void {}
}

describe('EventSourcing.close', () => {
  let open: () => void;

  beforeEach(() => {
    gate = new Promise((resolve) => {
      open = resolve;
    });
  });

  it('lets commands under way end within graceMs, and refuses those that begin meanwhile', async () => {
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Walk] });
    const [one, other] = await Promise.all([randomUUID(), randomUUID()].map((walk) => es.create(Walk, { walk })));
    const going = one?.go();
    const closing = es.close({ graceMs: 60_000 });
    await expect(other?.go()).rejects.toBeInstanceOf(ClosedError);
    await expect(es.appendUnguarded('notes', [Object.assign(new Taken(), { walk: 'w' })])).rejects.toBeInstanceOf(ClosedError);
    open();
    await going;
    await closing;
    expect(versionOf(one as Walk)).toBe(1);
    await expect(es.load(Walk, { walk: 'w' })).rejects.toBeInstanceOf(ClosedError);
  });

  it('lets a transaction that has begun call its commands', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Walk] });
    const work = es.transaction(async () => {
      await gate;
      const walk = await es.create(Walk, { walk: randomUUID() });
      await walk.go();
      return 'done';
    });
    const closing = es.close({ graceMs: 60_000 });
    open();
    await expect(work).resolves.toBe('done');
    await closing;
  });

  it('has commands fail that take longer, and stores nothing of them', async () => {
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Walk] });
    const walk = await es.create(Walk, { walk: randomUUID() });
    const going = walk.go();
    const closing = Promise.all([es.close({ graceMs: 1 }), es.close()]);
    await closing;
    open();
    await expect(going).rejects.toBeInstanceOf(ClosedError);
    expect(versionOf(walk)).toBe(0);
  });

  it('refuses a grace that is none', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Walk] });
    await expect(es.close({ graceMs: -1 })).rejects.toThrow('Give 0 or more');
    await expect(es.close({ grace: 1 } as never)).rejects.toThrow('es.close knows no option "grace"');
    await es.close();
    await es.close();
  });
});
