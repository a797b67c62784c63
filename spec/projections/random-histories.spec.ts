import {
  type Class,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  Projection,
  ProjectionError,
  ProjectionId,
  type RecordedEvent,
} from 'eventfold';
import fc from 'fast-check';
import { ChunkedStore } from '../controls/chunked-store';
import { Added, AsyncTally, added, InlineTally, LiveTally, Moved, moved, Poisoned, poisoned } from '../controls/tally';

@Event('random.refused')
class Refused {
  id!: string;
}

/** The reasons of poisoned events that do no harm any more. */
let cured: Set<string>;

type Mark = number | string;

/** Refuses what is not cured, after it has changed half of its state. */
class Picky {
  @ProjectionId() id!: string;
  seen: Mark[] = [];

  protected see(mark: Mark, reason?: string) {
    this.seen.push(mark);
    if (reason !== undefined && !cured.has(reason)) throw new Error(reason);
  }
}

@Projection()
class PickyNow extends Picky {
  @Handles(Added)
  added({ amount }: Added) {
    this.see(amount);
  }

  @Handles(Moved, { id: 'from' })
  sent({ amount }: Moved) {
    this.see(-amount);
  }

  @Handles(Moved, { id: 'to' })
  received({ amount }: Moved) {
    this.see(amount);
  }

  @Handles(Poisoned)
  poisoned({ reason }: Poisoned) {
    this.see(reason, reason);
  }
}

@Projection({ retry: { attempts: 2, delayMs: 0 } })
class PickyLater extends Picky {
  @Handles(Added)
  async added({ amount }: Added) {
    await Promise.resolve();
    this.see(amount);
  }

  @Handles(Moved, { id: 'from' })
  sent({ amount }: Moved) {
    this.see(-amount);
  }

  @Handles(Moved, { id: 'to' })
  async received({ amount }: Moved) {
    this.see(amount);
    await Promise.resolve();
  }

  @Handles(Poisoned)
  async poisoned({ reason }: Poisoned) {
    this.seen.push('half');
    await Promise.resolve();
    this.seen.pop();
    this.see(reason, reason);
  }
}

/** Sees everything in the append, and refuses to have some of it stored. */
@Projection({ mode: 'inline' })
class Gatekeeper extends Picky {
  @Handles(Added)
  async added({ amount }: Added) {
    await Promise.resolve();
    this.see(amount);
  }

  @Handles(Refused)
  refused() {
    this.seen.push('refused');
    throw new Error('refused');
  }
}

const pickies: Class<Picky>[] = [PickyNow, PickyLater];
const tallies: Class<AsyncTally>[] = [AsyncTally, InlineTally];

/** What every process knows from its start: it refuses appends, or asks for tags that all have to write. */
const always: Class[] = [Gatekeeper, LiveTally, Added, Moved, Poisoned];
const ids = ['a', 'b', 'c'];

/** What one instance shows, told as plainly as can be. */
class NaiveInstance {
  readonly seen: Mark[] = [];
  readonly queue: { mark: Mark; reason?: string }[] = [];

  take(step: { mark: Mark; reason?: string }) {
    this.queue.push(step);
    if (this.queue.length === 1) this.goThrough();
  }

  goThrough() {
    for (let step = this.queue[0]; step !== undefined; step = this.queue[0]) {
      if (step.reason !== undefined && !cured.has(step.reason)) return;
      this.seen.push(step.mark);
      this.queue.shift();
    }
  }

  skip() {
    this.queue.shift();
    this.goThrough();
  }
}

/** All instances of a picky projection, which all processes share. */
class NaiveModel {
  readonly instances = new Map(ids.map((id) => [id, new NaiveInstance()]));
  private taken = 0;

  read(log: readonly RecordedEvent[]) {
    for (const { data } of log.slice(this.taken))
      for (const [id, ...steps] of stepsOf(data)) for (const step of steps) this.instances.get(id)?.take(step);
    this.taken = log.length;
  }
}

function stepsOf(event: object): [string, ...{ mark: Mark; reason?: string }[]][] {
  if (event instanceof Added) return [[event.id, { mark: event.amount }]];
  if (event instanceof Poisoned) return [[event.id, { mark: event.reason, reason: event.reason }]];
  if (event instanceof Moved)
    return [
      [event.from, { mark: -event.amount }],
      [event.to, { mark: event.amount }],
    ];
  return [];
}

function foldOf(log: readonly RecordedEvent[], id: string, ...types: Class[]): Mark[] {
  const events = log.map(({ data }) => data).filter((data) => types.some((type) => data instanceof type));
  return events.flatMap((event) =>
    stepsOf(event).flatMap(([owner, ...steps]) => (owner === id ? steps.map(({ mark }) => mark) : [])),
  );
}

/** One process: an `EventSourcing` on the shared store, and what it should show. */
interface Process {
  readonly es: EventSourcing;
  readonly registered: Set<Class>;
}

class World {
  readonly processes: Process[] = [];
  readonly pending: Promise<unknown>[] = [];
  readonly models = new Map(pickies.map((picky) => [picky as Class, new NaiveModel()]));
  private last = 0;

  constructor(readonly store: ChunkedStore) {}

  async open(classes: readonly Class[]) {
    const projections = { leaseMs: 100 };
    const es = await EventSourcing.open({ store: this.store, classes: [...always, ...classes], projections });
    es.projections.errors().subscribe();
    this.processes.push({ es, registered: new Set(classes) });
  }

  process(index: number): Process {
    return this.processes[index % this.processes.length] as Process;
  }

  next(): number {
    this.last += 1;
    return this.last;
  }

  async log(): Promise<RecordedEvent[]> {
    const { es } = this.process(0);
    const events: RecordedEvent[] = [];
    const head = await this.store.head();
    if (head === undefined) return [];
    for await (const event of es.events()) {
      events.push(event);
      if (event.position === head) return events;
    }
    return events;
  }

  /** Waits until everything has been appended and applied, and holds all that is shown against the naive models. */
  async check() {
    await Promise.all(this.processes.map(({ es }) => es.projections.start()));
    await Promise.all(this.pending.splice(0));
    const log = await this.log();
    for (const { es } of this.processes) await es.projections.caughtUp();
    for (const [picky, model] of this.models) if (this.processes.some(({ registered }) => registered.has(picky))) model.read(log);
    for (const { es, registered } of this.processes) {
      for (const id of ids) {
        for (const tally of [...tallies, LiveTally] as Class<AsyncTally>[]) {
          if (tally !== LiveTally && !registered.has(tally)) continue;
          const expected = foldOf(log, id, Added, Moved);
          expect((await es.projections.get(tally, { id }))?.seen ?? []).toStrictEqual(expected);
        }
        expect((await es.projections.get(Gatekeeper, { id }))?.seen ?? []).toStrictEqual(foldOf(log, id, Added));
      }
      for (const picky of pickies) {
        if (!registered.has(picky)) continue;
        await this.checkPicky(es, picky, this.models.get(picky) as NaiveModel);
      }
    }
  }

  private async checkPicky(es: EventSourcing, picky: Class<Picky>, model: NaiveModel) {
    const parked = await es.projections.parked(picky);
    for (const [id, { seen, queue }] of model.instances) {
      expect((await es.projections.get(picky, { id }))?.seen ?? []).toStrictEqual(seen);
      const found = parked.filter((event) => event.ids?.id === id);
      expect(found.map(({ event, waiting }) => [(event.data as Poisoned).reason, waiting])).toStrictEqual(
        queue.length === 0 ? [] : [[queue[0]?.mark, queueLength(queue) - 1]],
      );
    }
  }
}

/** A transfer of an instance to itself is two steps of one event. */
function queueLength(queue: readonly { mark: Mark }[]): number {
  return queue.filter(({ mark }, index) => index === 0 || mark !== -Number(queue[index - 1]?.mark)).length;
}

const id = fc.constantFrom(...ids);
const kind = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('added' as const), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('moved' as const), id, to: id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('poisoned' as const), id }) },
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('append' as const),
      at: fc.nat(2),
      events: fc.array(kind, { minLength: 1, maxLength: 5 }),
      isAwaited: fc.boolean(),
      isRefused: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('turns' as const), turns: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('check' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('register' as const), at: fc.nat(2), which: fc.nat(3), isAwaited: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('stop' as const, 'start' as const), at: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constantFrom('cure' as const, 'retry' as const, 'skip' as const), at: fc.nat(2), id }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(world: World, step: Step): Promise<void> {
  switch (step.does) {
    case 'append': {
      const { es } = world.process(step.at);
      const events: object[] = step.events.map((event) => {
        const number = world.next();
        if (event.kind === 'added') return added(event.id, number);
        return event.kind === 'moved' ? moved(event.id, event.to, number) : poisoned(event.id, `p${number}`);
      });
      if (step.isRefused) events.push(createEvent(Refused, { id: 'a' }));
      const appending = es.appendUnguarded(`s${step.at}`, events).then(
        () => expect(step.isRefused).toBe(false),
        (error: unknown) => {
          expect(error).toBeInstanceOf(ProjectionError);
          expect(step.isRefused).toBe(true);
        },
      );
      world.pending.push(appending);
      if (step.isAwaited) await appending;
      return;
    }
    case 'turns':
      for (let turn = 0; turn < step.turns; turn += 1) await Promise.resolve();
      return;
    case 'check':
      return world.check();
    case 'register': {
      const { es, registered } = world.process(step.at);
      const target = [...tallies, ...pickies][step.which] as Class;
      if (registered.has(target)) return;
      registered.add(target);
      const registering = es.projections.register(target);
      world.pending.push(registering);
      if (step.isAwaited) await registering;
      return;
    }
    case 'stop':
    case 'start':
      return world.process(step.at).es.projections[step.does]();
    case 'restart':
      if (world.processes.length < 3) await world.open([...tallies, ...pickies]);
      return;
    default:
      await world.check();
      return deal(world, step.does, step.at, step.id);
  }
}

async function deal(world: World, does: 'cure' | 'retry' | 'skip', at: number, id: string): Promise<void> {
  const { es, registered } = world.process(at);
  for (const picky of pickies) {
    const instance = (world.models.get(picky) as NaiveModel).instances.get(id) as NaiveInstance;
    const [first] = instance.queue;
    if (!registered.has(picky) || first === undefined) continue;
    if (does === 'cure') cured.add(first.reason as string);
    else {
      if (does === 'skip') await es.projections.skip(picky, { id });
      else await es.projections.retry(picky, { id });
      if (does === 'skip') instance.skip();
      else instance.goThrough();
    }
  }
}

describe('Projections, under random histories', () => {
  const { emitWarning } = process;
  beforeAll(() => {
    process.emitWarning = () => undefined; // What fails while a process opens has no listener yet.
  });
  afterAll(() => {
    process.emitWarning = emitWarning;
  });

  it('show what a naive fold of the stored events shows, through failures, late registrations and restarts', async () => {
    const world = fc.record({ chunkSize: fc.integer({ min: 1, max: 4 }), pause: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.subarray([...tallies, ...pickies] as Class[]),
        fc.array(step, { maxLength: 25 }),
        async (options, classes, steps) => {
          cured = new Set();
          const world = new World(new ChunkedStore(options.chunkSize, options.pause));
          await world.open(classes);
          try {
            for (const step of steps) await take(world, step);
            await world.check();
            await world.open([...tallies, ...pickies]);
            await world.check();
          } finally {
            for (const { es } of world.processes) await es.close();
          }
        },
      ),
      { numRuns: Number(process.env.RUNS ?? 150) },
    );
  }, 600_000);
});
