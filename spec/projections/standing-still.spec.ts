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
import { Outages } from '../../lib/projections/running/outages';
import { Added, AsyncTally, added, FussyTally, Gate, openTally, Poisoned, poisoned } from '../controls/tally';

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
