import { randomUUID } from 'node:crypto';
import { EventSourcing, type EventStore, Handles, InMemoryEventStore, Projection, ProjectionId } from 'eventfold';
import { type Health, healthOf } from 'eventfold/http';
import { Account, AccountBalance } from '../../samples/bank/account';
import { over } from '../controls/place-over';
import { Added, added, Poisoned, poisoned } from '../controls/tally';

let gate: Promise<void> = Promise.resolve();

/** Waits at its gate. */
@Projection({ retry: { attempts: 1 } })
class Gated {
  @ProjectionId() id!: string;

  @Handles(Added)
  async added() {
    await gate;
  }

  @Handles(Poisoned)
  poisoned({ reason }: Poisoned) {
    throw new Error(reason);
  }
}

describe('healthOf', () => {
  let now: number;
  let es: EventSourcing;

  beforeEach(() => {
    gate = Promise.resolve();
  });

  const open = async (store: EventStore, run: 'auto' | 'manual' = 'auto') => {
    now = Date.parse('2026-01-01T00:00:00Z');
    es = await EventSourcing.open({
      store,
      classes: [Account, AccountBalance, Gated],
      clock: () => new Date(now),
      projections: { run },
    });
  };
  const deposit = async () => (await es.loadOrCreate(Account, { accountId: randomUUID() })).deposit(1);
  const only = ({ projections }: Health) => projections[0];
  const gated = ({ projections }: Health) => projections[1];

  afterEach(() => es.close());

  it('is well when projections show what is stored', async () => {
    await open(new InMemoryEventStore());
    await deposit();
    await es.projections.caughtUp();
    expect(await healthOf(es)).toStrictEqual({
      isHealthy: true,
      store: { isReachable: true, milliseconds: expect.any(Number) },
      projections: [
        {
          projection: 'AccountBalance',
          state: 'live',
          lag: { events: 0, seconds: 0 },
          parked: 0,
          isStalled: false,
          isHealthy: true,
        },
        expect.objectContaining({ projection: 'Gated', isHealthy: true }),
      ],
    });
  });

  it('says that a projection is stalled that nobody runs, once it lags', async () => {
    await open(new InMemoryEventStore(), 'manual');
    expect(await healthOf(es)).toMatchObject({ isHealthy: true });
    await deposit();
    const health = await healthOf(es);
    expect(health.isHealthy).toBe(false);
    expect(only(health)).toMatchObject({ state: 'stopped', lag: { events: 1 }, isStalled: true });
  });

  it('says that one is stalled that has made no progress between calls, and not one that goes on', async () => {
    await open(new InMemoryEventStore());
    let release: () => void = () => undefined;
    gate = new Promise((resolve) => {
      release = resolve;
    });
    await es.appendUnguarded('a', [added('a', 1)]);
    const options = { stalledAfterSeconds: 0.001 };
    expect(gated(await healthOf(es, options))).toMatchObject({ lag: { events: 1 }, isStalled: false, isHealthy: true });
    let health = await healthOf(es, options);
    while (!gated(health)?.isStalled) health = await healthOf(es, options);
    expect(health.isHealthy).toBe(false);
    release();
    await es.projections.caughtUp();
    expect(gated(await healthOf(es, options))).toMatchObject({ lag: { events: 0 }, isStalled: false, isHealthy: true });
    gate = new Promise((resolve) => {
      release = resolve;
    });
    await es.appendUnguarded('a', [added('a', 1)]);
    expect(gated(await healthOf(es, options))).toMatchObject({ lag: { events: 1 }, isStalled: false });
    release();
  });

  it('takes one that is paused for healthy', async () => {
    await open(new InMemoryEventStore());
    await es.projections.pause(AccountBalance);
    await deposit();
    now += 60_000;
    const health = await healthOf(es);
    expect(only(health)).toMatchObject({ state: 'paused', lag: { events: 1, seconds: 60 }, isHealthy: true });
  });

  it('counts parked events, and minds them as far as it is told to', async () => {
    await open(new InMemoryEventStore());
    es.projections.errors().subscribe();
    await es.appendUnguarded('a', [poisoned('a')]);
    await es.projections.caughtUp();
    expect(gated(await healthOf(es))).toMatchObject({ parked: 1, isHealthy: true });
    expect((await healthOf(es, { maxParked: 0 })).isHealthy).toBe(false);
  });

  it('says that one is late whose oldest event has waited for too long', async () => {
    await open(new InMemoryEventStore(), 'manual');
    await deposit();
    now += 20_000;
    expect(only(await healthOf(es, { maxLagSeconds: 30 }))?.lag.seconds).toBe(20);
    expect(only(await healthOf(es, { maxLagSeconds: 10 }))).toMatchObject({ isHealthy: false });
  });

  it('says within its time that the store does not answer, or answers with an error, and tells nothing of that', async () => {
    let head: () => Promise<undefined> = async () => undefined;
    await open(over<EventStore>(new InMemoryEventStore(), { head: () => head() }));
    head = () => new Promise(() => undefined);
    expect(await healthOf(es, { timeoutMs: 20 })).toMatchObject({
      isHealthy: false,
      store: { isReachable: false },
      projections: [],
    });
    head = () => Promise.reject(new Error('SELECT secret'));
    const health = await healthOf(es);
    expect(health.store.isReachable).toBe(false);
    expect(JSON.stringify(health)).not.toContain('secret');
    await es.close();
    expect((await healthOf(es)).isHealthy).toBe(false);
  });
});
