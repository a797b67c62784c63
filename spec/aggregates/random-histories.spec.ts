import {
  Aggregate,
  AggregateRoot,
  Command,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  OptimisticLockError,
  Projection,
  ProjectionId,
  type RecordedEvent,
  uncommittedEvents,
  versionOf,
} from 'eventfold';
import * as fc from 'fast-check';
import { Refused } from '../controls/wallets';

type Pause = () => Promise<unknown>;

@Event('purse.filled')
class Filled {
  purseId!: string;
  amount!: number;
}

@Event('purse.given')
class Given {
  from!: string;
  to!: string;
  amount!: number;
}

@Event('row.grown')
class Grown {
  rowId!: string;
  n!: number;
}

/** Open: a gift belongs to two purses. It never holds less than nothing. */
@Aggregate()
class Purse extends AggregateRoot<'purseId'> {
  @ProjectionId() readonly purseId!: string;
  balance = 0;
  readonly movements: number[] = [];

  @Command()
  async fill(amount: number, pause: Pause) {
    await pause();
    this.emit(Filled, { amount });
  }

  @Command()
  async give(to: string, amount: number, pause: Pause) {
    await pause();
    if (amount > this.balance) throw new Refused('not enough');
    this.emit(Given, { from: this.purseId, to, amount });
  }

  @Command()
  async fillAndRefuse(amount: number, pause: Pause) {
    this.emit(Filled, { amount });
    await pause();
    throw new Refused('after all');
  }

  @Command()
  async look() {}

  @Handles(Filled)
  protected filled(event: Filled) {
    this.move(event.amount);
  }

  @Handles(Given, { purseId: 'from' })
  protected gave(event: Given) {
    this.move(-event.amount);
  }

  @Handles(Given, { purseId: 'to' })
  protected got(event: Given) {
    this.move(event.amount);
  }

  private move(amount: number) {
    this.balance += amount;
    this.movements.push(amount);
  }
}

/** Closed: its events are numbered by what it has seen, so one decided on old state shows. */
@Aggregate()
class Row extends AggregateRoot<'rowId'> {
  @ProjectionId() readonly rowId!: string;
  readonly numbers: number[] = [];

  @Command()
  async grow(pause: Pause) {
    await pause();
    this.emit(Grown, { n: this.numbers.length + 1 });
  }

  @Command()
  async growAndRefuse(pause: Pause) {
    this.emit(Grown, { n: this.numbers.length + 1 });
    await pause();
    throw new Refused('after all');
  }

  @Command()
  async look() {}

  @Handles(Grown)
  protected grown(event: Grown) {
    this.numbers.push(event.n);
  }
}

const poison = 13;

/** What a reader sees of a purse; it cannot take a movement of thirteen. */
@Projection()
class Sight {
  @ProjectionId() purseId!: string;
  readonly movements: number[] = [];

  @Handles(Filled)
  filled(event: Filled) {
    this.move(event.amount);
  }

  @Handles(Given, { purseId: 'from' })
  gave(event: Given) {
    this.move(-event.amount);
  }

  @Handles(Given, { purseId: 'to' })
  got(event: Given) {
    this.move(event.amount);
  }

  private move(amount: number) {
    this.movements.push(amount);
    if (Math.abs(amount) === poison) throw new Error('poison');
  }
}

const purseIds = ['a', 'b', 'c'];
const rowIds = ['x', 'y'];

interface Step {
  readonly kind: 'fill' | 'give' | 'fillAndRefuse' | 'grow' | 'growAndRefuse';
  readonly instance: number;
  readonly to: string;
  readonly amount: number;
  readonly pauses: number;
}

interface Operation {
  readonly steps: readonly Step[];
  readonly how: 'one by one' | 'at once';
  readonly attempts: number;
  /** Catches what a step throws, and goes on. */
  readonly isForgiving: boolean;
  readonly refusesAtTheEnd: boolean;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('fill', 'fill', 'give', 'give', 'grow', 'grow', 'fillAndRefuse', 'growAndRefuse'),
  instance: fc.nat(11),
  to: fc.constantFrom(...purseIds),
  amount: fc.integer({ min: 1, max: 20 }),
  pauses: fc.nat(3),
});

const anyOperation: fc.Arbitrary<Operation> = fc.record({
  steps: fc.array(anyStep, { minLength: 1, maxLength: 4 }),
  how: fc.constantFrom('one by one', 'at once'),
  attempts: fc.integer({ min: 1, max: 4 }),
  isForgiving: fc.boolean(),
  refusesAtTheEnd: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});

interface World {
  readonly store: InMemoryEventStore;
  readonly systems: readonly EventSourcing[];
  /** Per system, two instances of each purse. */
  readonly purses: readonly Purse[];
  readonly rows: readonly Row[];
}

/** Two systems on one store, as two processes would be: their locks do not meet. */
async function openWorld(): Promise<World> {
  const store = new InMemoryEventStore();
  const systems = [
    await EventSourcing.open({ store, classes: [Purse, Row, Sight] }),
    await EventSourcing.open({ store, classes: [Purse, Row] }),
  ];
  // Heard, or they would be warnings of the process.
  systems[0]?.projections.errors().subscribe();
  const twice = systems.flatMap((es) => [es, es]);
  return {
    store,
    systems,
    purses: await Promise.all(purseIds.flatMap((purseId) => twice.map((es) => es.loadOrCreate(Purse, { purseId })))),
    rows: await Promise.all(rowIds.flatMap((rowId) => twice.map((es) => es.loadOrCreate(Row, { rowId })))),
  };
}

describe('aggregates under any history and interleaving', () => {
  it('store all of what succeeds and nothing of what fails, lose no update, and equal a plain fold of the log', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOperation, { minLength: 1, maxLength: 10 }), fc.scheduler(), async (operations, scheduler) => {
        const world = await openWorld();
        const outcomes = await scheduler.waitFor(
          Promise.all(operations.map((operation, index) => outcomeOf(world, operation, index, scheduler))),
        );
        const log: RecordedEvent[] = [];
        for await (const event of world.store.read({})) log.push(event);
        checkOutcomes(log, outcomes);
        checkLog(log);
        await checkInstances(world, log);
        await checkProjection(world, log);
        await Promise.all(world.systems.map((es) => es.close()));
      }),
      { numRuns: 300 },
    );
  });
});

interface Outcome {
  readonly error: unknown;
  /** How many events the operation emitted, if it succeeded. */
  readonly emitted: number;
}

async function outcomeOf(world: World, operation: Operation, index: number, scheduler: fc.Scheduler): Promise<Outcome> {
  const side = index % 2;
  const es = world.systems[side] as EventSourcing;
  let emitted = 0;
  const step = async (each: Step) => {
    try {
      await run(world, side, each, scheduler);
      emitted += 1;
    } catch (error) {
      if (!operation.isForgiving) throw error;
    }
  };
  const work = async () => {
    emitted = 0;
    if (operation.how === 'at once') {
      const results = await Promise.allSettled(operation.steps.map(step));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } else for (const each of operation.steps) await step(each);
    if (operation.refusesAtTheEnd) throw new Refused('at the end');
  };
  try {
    const { attempts, steps } = operation;
    await es.withMetadata({ operation: index }, () =>
      steps.length === 1 && !operation.refusesAtTheEnd ? work() : es.transaction(work, { attempts }),
    );
    return { error: undefined, emitted };
  } catch (error) {
    return { error, emitted: 0 };
  }
}

function run(world: World, side: number, { kind, instance, to, amount, pauses }: Step, scheduler: fc.Scheduler): Promise<void> {
  const pause = async () => {
    for (let turn = 0; turn < pauses; turn += 1) await scheduler.schedule(Promise.resolve(), kind);
  };
  const ofSide = <T>(instances: readonly T[]): T => {
    const own = instances.filter((_, index) => Math.floor((index % 4) / 2) === side);
    return own[instance % own.length] as T;
  };
  switch (kind) {
    case 'fill':
      return ofSide(world.purses).fill(amount, pause);
    case 'give':
      return ofSide(world.purses).give(to, amount, pause);
    case 'fillAndRefuse':
      return ofSide(world.purses).fillAndRefuse(amount, pause);
    case 'grow':
      return ofSide(world.rows).grow(pause);
    case 'growAndRefuse':
      return ofSide(world.rows).growAndRefuse(pause);
  }
}

/** Each operation is stored as a whole, or not at all, and fails for no reason but these two. */
function checkOutcomes(log: readonly RecordedEvent[], outcomes: readonly Outcome[]): void {
  for (const [index, { error, emitted }] of outcomes.entries()) {
    const stored = log.flatMap(({ metadata }, place) => (metadata.operation === index ? place : []));
    expect(stored).toHaveLength(emitted);
    if (stored.length > 0) expect((stored.at(-1) as number) - (stored[0] as number)).toBe(stored.length - 1);
    if (error !== undefined && !(error instanceof Refused) && !(error instanceof OptimisticLockError)) throw error;
  }
}

/** Versions have no holes, no purse was ever overdrawn, no number of a row was given twice. */
function checkLog(log: readonly RecordedEvent[]): void {
  const versions = new Map<string, number>();
  for (const { stream, version } of log) {
    expect(version).toBe((versions.get(stream) ?? 0) + 1);
    versions.set(stream, version);
  }
  for (const purseId of purseIds) {
    let balance = 0;
    for (const amount of movementsOf(log, purseId)) {
      balance += amount;
      expect(balance).toBeGreaterThanOrEqual(amount < 0 ? 0 : balance);
    }
  }
  for (const rowId of rowIds) {
    const numbers = numbersOf(log, rowId);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  }
}

/** Every instance that was used equals a plain fold, once it is refreshed; so does a new one. */
async function checkInstances({ systems, purses, rows }: World, log: readonly RecordedEvent[]): Promise<void> {
  const fresh = systems[0] as EventSourcing;
  const allPurses = [...purses, ...(await Promise.all(purseIds.map((purseId) => fresh.loadOrCreate(Purse, { purseId }))))];
  const allRows = [...rows, ...(await Promise.all(rowIds.map((rowId) => fresh.loadOrCreate(Row, { rowId }))))];
  for (const aggregate of [...allPurses, ...allRows]) {
    await aggregate.look();
    const stream = aggregate instanceof Purse ? `Purse:${aggregate.purseId}` : `Row:${aggregate.rowId}`;
    expect(versionOf(aggregate)).toBe(log.filter((event) => event.stream === stream).length);
    expect(uncommittedEvents(aggregate)).toEqual([]);
  }
  for (const { purseId, movements, balance } of allPurses) {
    expect(movements).toEqual(movementsOf(log, purseId));
    expect(balance).toBe(movementsOf(log, purseId).reduce((sum, amount) => sum + amount, 0));
  }
  for (const { rowId, numbers } of allRows) expect(numbers).toEqual(numbersOf(log, rowId));
}

/** A reader sees each purse up to its first poisonous movement, and all others in full. */
async function checkProjection({ systems }: World, log: readonly RecordedEvent[]): Promise<void> {
  const { projections } = systems[0] as EventSourcing;
  await projections.caughtUp(Sight);
  for (const purseId of purseIds) {
    const all = movementsOf(log, purseId);
    const seen = (await projections.get(Sight, { purseId }))?.movements ?? [];
    expect(seen).toEqual(beforePoison(log, purseId));
    const parked = (await projections.parked(Sight)).filter(({ ids }) => ids?.purseId === purseId);
    expect(parked).toHaveLength(seen.length < all.length ? 1 : 0);
  }
}

function beforePoison(log: readonly RecordedEvent[], purseId: string): number[] {
  const end = log.findIndex((event) => movementsOf([event], purseId).some((amount) => Math.abs(amount) === poison));
  return movementsOf(end === -1 ? log : log.slice(0, end), purseId);
}

/** Written without the framework. */
function movementsOf(log: readonly RecordedEvent[], purseId: string): number[] {
  return log.flatMap(({ type, data }) => {
    const event = data as Record<string, unknown>;
    const amount = event.amount as number;
    if (type === 'purse.filled') return event.purseId === purseId ? [amount] : [];
    if (type !== 'purse.given') return [];
    return [...(event.from === purseId ? [-amount] : []), ...(event.to === purseId ? [amount] : [])];
  });
}

function numbersOf(log: readonly RecordedEvent[], rowId: string): number[] {
  return log.flatMap(({ data }) => {
    const event = data as { rowId?: string; n?: number };
    return event.rowId === rowId ? [event.n as number] : [];
  });
}
