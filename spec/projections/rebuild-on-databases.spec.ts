import {
  type Class,
  ClosedError,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  Projection,
  type ProjectionContext,
  ProjectionId,
  RebuildFailedError,
} from 'eventfold';
import { eventStoreEntities } from 'eventfold/typeorm';
import {
  Column,
  type DataSource,
  type DataSourceOptions,
  Entity,
  type EntityManager,
  PrimaryColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../controls/databases';
import { ownPlace } from '../controls/own-place';
import { Gate } from '../controls/tally';

@Event('rebuilt.added')
class Added {
  id!: string;
  amount!: number;
}

@Event('rebuilt.removed')
class Removed {
  id!: string;
}

/** What the handlers do, which a release may change. */
let behaviour: { factor: number; refuses?: number; slow?: (amount: number) => Promise<void> | undefined; calls: number };

function add(state: { sum: number; count: number }, { amount }: Added, factor: number): Promise<void> | undefined {
  behaviour.calls += 1;
  if (amount === behaviour.refuses) throw new Error('refused');
  state.sum += amount * factor;
  state.count += 1;
  return behaviour.slow?.(amount);
}

@Projection({ name: 'Document' })
class AsyncDocument {
  @ProjectionId() id!: string;
  sum = 0;
  count = 0;

  @Handles(Added)
  added(event: Added) {
    return add(this, event, behaviour.factor);
  }

  @Handles(Removed)
  removed(_event: Removed, context: ProjectionContext) {
    context.delete();
  }
}

@Projection({ name: 'InlineDocument', mode: 'inline' })
class InlineDocument {
  @ProjectionId() id!: string;
  sum = 0;
  count = 0;

  @Handles(Added)
  added(event: Added) {
    return add(this, event, behaviour.factor);
  }

  @Handles(Removed)
  removed(_event: Removed, context: ProjectionContext) {
    context.delete();
  }
}

@Entity({ name: 'ef_async_rows' })
@Projection({ name: 'AsyncRow' })
class AsyncRow {
  @ProjectionId() @PrimaryColumn('varchar', { length: 40 }) id!: string;
  @Column('int') sum: number = 0;
  @Column('int') count: number = 0;
  @UpdateDateColumn() changedAt!: Date;
  @VersionColumn() revision!: number;

  @Handles(Added)
  added(event: Added) {
    return add(this, event, behaviour.factor);
  }

  @Handles(Removed)
  removed(_event: Removed, context: ProjectionContext) {
    context.delete();
  }
}

@Entity({ name: 'ef_inline_rows' })
@Projection({ name: 'InlineRow', mode: 'inline' })
class InlineRow {
  @ProjectionId() @PrimaryColumn('varchar', { length: 40 }) id!: string;
  @Column('int') sum: number = 0;
  @Column('int') count: number = 0;

  @Handles(Added)
  added(event: Added) {
    return add(this, event, behaviour.factor);
  }

  @Handles(Removed)
  removed(_event: Removed, context: ProjectionContext) {
    context.delete();
  }
}

/** What it has at first is never written again. */
@Entity({ name: 'ef_first_rows' })
@Projection({ name: 'FirstRow' })
class FirstRow {
  @ProjectionId() @PrimaryColumn('varchar', { length: 40 }) id!: string;
  @Column({ type: 'int', update: false }) first: number = 0;
  @Column('int') sum: number = 0;

  @Handles(Added)
  added({ amount }: Added) {
    if (this.sum === 0) this.first = amount;
    this.sum += amount;
  }

  @Handles(Removed)
  removed(_event: Removed, context: ProjectionContext) {
    context.delete();
  }
}

@Entity({ name: 'ef_volumes' })
class Volume {
  @PrimaryColumn('varchar', { length: 40 }) id!: string;
  @Column('int') sum!: number;
}

async function addVolume(manager: EntityManager, { id, amount }: Added): Promise<void> {
  const before = await manager.findOneBy(Volume, { id });
  await manager.save(Volume, { id, sum: (before?.sum ?? 0) + amount });
}

@Projection({
  name: 'Volumes',
  kind: 'custom',
  reset: (manager: EntityManager) => manager.createQueryBuilder().delete().from(Volume).execute(),
})
class Volumes {
  @Handles(Added)
  async added(event: Added, { manager }: ProjectionContext<EntityManager>) {
    await addVolume(manager, event);
  }
}

@Projection({
  name: 'Volumes',
  kind: 'custom',
  version: 2,
  reset: (manager: EntityManager) => manager.createQueryBuilder().delete().from(Volume).execute(),
})
class NextVolumes {
  @Handles(Added)
  async added({ id, amount }: Added, { manager }: ProjectionContext<EntityManager>) {
    await addVolume(manager, { id, amount: 2 * amount });
  }
}

/** The next release of each, which counts double. */
@Projection({ name: 'Document', version: 2 })
class NextDocument extends AsyncDocument {
  @Handles(Added)
  override added(event: Added) {
    return add(this, event, 2);
  }
}

@Projection({ name: 'InlineDocument', mode: 'inline', version: 2 })
class NextInlineDocument extends InlineDocument {
  @Handles(Added)
  override added(event: Added) {
    return add(this, event, 2);
  }
}

type State = { id: string; sum: number; count: number };

const kinds: readonly Class<State>[] = [AsyncDocument, InlineDocument, AsyncRow, InlineRow];
const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const added = (amount: number, id = `i${amount % 7}`) => createEvent(Added, { id, amount });
const removed = (id: string) => createEvent(Removed, { id });

describeDatabases(
  'rebuild',
  (database) => {
    let place: DatabasePlace;
    let dataSources: DataSource[];
    let processes: EventSourcing[];

    beforeAll(async () => {
      place = await ownPlace(database);
      dataSources = [await connect(place)];
      if (database.isShared) dataSources.push(await connect(place));
    });
    afterAll(() => place?.drop());
    beforeEach(async () => {
      behaviour = { factor: 1, calls: 0 };
      processes = [];
      await place.clear();
    });
    afterEach(async () => {
      for (const es of processes) await es.close();
    });

    /** Opens another process: on a connection of its own, where there can be several. */
    async function open(classes: Class[], run: 'auto' | 'manual' = 'auto'): Promise<EventSourcing> {
      const store = await place.open({}, dataSources[processes.length % dataSources.length]);
      const es = await EventSourcing.open({ store, classes, projections: { run, leaseMs: 1_500 } });
      es.projections.errors().subscribe();
      processes.push(es);
      return es;
    }
    async function statesOf(es: EventSourcing, target: Class<State>) {
      return Object.fromEntries((await es.projections.all(target)).map(({ id, sum, count }) => [id, [sum, count]]));
    }
    /** What a fold of the given amounts is. */
    function folded(amounts: readonly number[], factor = 1) {
      const states: Record<string, [number, number]> = {};
      for (const amount of amounts) {
        const [sum, count] = states[`i${amount % 7}`] ?? [0, 0];
        states[`i${amount % 7}`] = [sum + amount * factor, count + 1];
      }
      return states;
    }
    async function appendAll(es: EventSourcing, amounts: readonly number[]) {
      await es.appendUnguarded(
        's',
        amounts.map((amount) => added(amount)),
      );
    }
    const isShared = database.isShared;

    it.each(kinds)('folds the same again while %p is read, and appended to by two processes', async (target) => {
      const [one, two] = [await open([target]), await open([target])];
      await appendAll(one, range(700));
      await one.projections.caughtUp();
      let isOver = false;
      let next = 700;
      const isInline = one.registry.describe(target).mode === 'inline';
      const appending = async (es: EventSourcing) => {
        while (!isOver) {
          // Where the driver never waits, nothing else would have its turn.
          await new Promise((turn) => setTimeout(turn, 1));
          const amount = next;
          next += 1;
          const { position } = await es.appendUnguarded('s', [added(amount)]);
          if (!isInline) await es.projections.caughtUp(target, { position, timeoutMs: 20_000 });
          const state = await es.projections.get(target, { id: `i${amount % 7}` });
          // Whatever serves, what was appended is shown.
          expect(state?.sum).toBeGreaterThanOrEqual(folded(range(700))[`i${amount % 7}`]?.[0] ?? 0);
          expect(state?.count).toBeGreaterThan(100 + Math.floor((amount - 700 - 7) / 7) - 2);
        }
      };
      const both = Promise.all([appending(one), appending(two)]);
      both.catch(() => undefined);
      for (const round of range(3)) {
        const report = await (round % 2 === 0 ? two : one).projections.rebuild(target);
        expect(report.generation).toBe(round + 2);
      }
      isOver = true;
      await both;
      await one.projections.caughtUp();
      expect(await statesOf(one, target)).toStrictEqual(folded(range(next)));
      await appendAll(two, [next]);
      await Promise.all([one.projections.caughtUp(), two.projections.caughtUp()]);
      for (const es of [one, two]) expect(await statesOf(es, target)).toStrictEqual(folded(range(next + 1)));
      await one.projections.dropKept(target);
      const [status] = await two.projections.status();
      expect(status).toMatchObject({ generation: 4, kept: undefined, rebuild: undefined, lag: { events: 0 }, state: 'live' });
    });

    // Elsewhere a transaction that has read the table does not wait for the swap, or has the only connection.
    if (database === postgres)
      it('gives way to transactions that read the table and then append', async () => {
        const es = await open([InlineRow]);
        await appendAll(es, [1]);
        let isOver = false;
        let count = 1;
        const appending = async () => {
          while (!isOver) {
            await (dataSources[0] as DataSource).transaction(async (manager) => {
              await manager.getRepository(InlineRow).find();
              await new Promise((turn) => setTimeout(turn, 20));
              await es.transaction(manager, async () => es.appendUnguarded('s', [added(1)]));
            });
            count += 1;
          }
        };
        const all = Promise.all([appending(), appending()]);
        all.catch(() => undefined);
        for (const round of range(3)) expect((await es.projections.rebuild(InlineRow)).generation).toBe(round + 2);
        isOver = true;
        await all;
        expect(await statesOf(es, InlineRow)).toStrictEqual({ i1: [count, count] });
      });

    it('finds the same where an instance was removed and made again, in one chunk or in two', async () => {
      const es = await open([FirstRow]);
      await es.appendUnguarded('s', [added(1, 'one'), added(1, 'two')]);
      await es.projections.caughtUp();
      await es.appendUnguarded('s', [removed('one'), added(2, 'one'), removed('two')]);
      await es.projections.caughtUp();
      await es.appendUnguarded('s', [added(2, 'two')]);
      await es.projections.caughtUp();
      const rows = await es.projections.all(FirstRow);
      expect(rows.map(({ first, sum }) => [first, sum])).toStrictEqual([
        [2, 2],
        [2, 2],
      ]);
      expect(await es.projections.compare(FirstRow)).toMatchObject({ same: 2, differing: 0 });
    });

    it.each(kinds)('stops at the event that fails, and leaves %p as it serves', async (target) => {
      const es = await open([target]);
      await appendAll(es, range(600));
      await es.projections.caughtUp();
      behaviour.refuses = 555;
      const error = await es.projections.rebuild(target).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RebuildFailedError);
      expect(error).toMatchObject({ eventType: 'rebuilt.added', ids: { id: 'i2' } });
      delete behaviour.refuses;
      await appendAll(es, [600]);
      await es.projections.caughtUp();
      expect(await statesOf(es, target)).toStrictEqual(folded(range(601)));
      behaviour.factor = 3;
      expect(await es.projections.rebuild(target)).toMatchObject({ events: 601, applied: 601 });
      expect(await statesOf(es, target)).toStrictEqual(folded(range(601), 3));
    });

    it.each(kinds)('goes on with %p where a process left it that was closed', async (target) => {
      const first = await open([target]);
      await appendAll(first, range(3_000));
      await first.projections.caughtUp();
      const gate = new Gate();
      let isThere!: () => void;
      const reached = new Promise<void>((resolve) => {
        isThere = resolve;
      });
      behaviour.slow = (amount) => {
        if (amount !== 2_500) return undefined;
        isThere();
        return gate.opened;
      };
      const rebuilding = first.projections.rebuild(target);
      const closed = expect(rebuilding).rejects.toBeInstanceOf(ClosedError);
      await reached;
      delete behaviour.slow;
      const closing = first.close();
      gate.open();
      await Promise.all([closing, closed]);
      const second = await open([target]);
      const { events, applied, generation } = await second.projections.rebuild(target);
      expect([events, generation]).toStrictEqual([3_000, 2]);
      expect(applied).toBeLessThan(3_000);
      expect(await statesOf(second, target)).toStrictEqual(folded(range(3_000)));
    });

    (isShared ? it : it.skip)('is finished by the process that waits, when the other one is closed', async () => {
      const [one, two] = [await open([AsyncRow]), await open([AsyncRow], 'manual')];
      await appendAll(one, range(100));
      await one.projections.caughtUp();
      const gate = new Gate();
      behaviour.slow = (amount) => (amount === 50 ? gate.opened : undefined);
      const first = expect(one.projections.rebuild(AsyncRow)).rejects.toBeInstanceOf(ClosedError);
      while ((await two.projections.status())[0]?.rebuild?.owner === undefined) await new Promise((turn) => setTimeout(turn, 5));
      const second = two.projections.rebuild(AsyncRow);
      delete behaviour.slow;
      const closing = one.close();
      gate.open();
      await Promise.all([closing, first]);
      expect(await second).toMatchObject({ generation: 2, events: 100 });
      expect(await statesOf(two, AsyncRow)).toStrictEqual(folded(range(100)));
    });

    it.each(kinds)('rolls %p back to what served before, which catches up', async (target) => {
      const es = await open([target]);
      await appendAll(es, range(50));
      await es.projections.caughtUp();
      behaviour.factor = 10;
      await es.projections.rebuild(target);
      await appendAll(es, range(10, 50));
      await es.projections.caughtUp();
      expect(await statesOf(es, target)).toStrictEqual(folded(range(60), 10));
      behaviour.factor = 1;
      expect(await es.projections.rollback(target)).toMatchObject({ generation: 1, events: 60, applied: 10 });
      expect(await statesOf(es, target)).toStrictEqual(folded(range(60)));
      await appendAll(es, [60]);
      await es.projections.caughtUp();
      expect(await statesOf(es, target)).toStrictEqual(folded(range(61)));
    });

    it.each([
      [AsyncDocument, NextDocument],
      [InlineDocument, NextInlineDocument],
    ] as Class<State>[][])(
      'builds the next version of %p at start-up, and the older processes let go of it',
      async (target, next) => {
        const one = await open([target as Class<State>]);
        await appendAll(one, range(200));
        await one.projections.caughtUp();
        const two = await open([next as Class<State>]);
        let amount = 200;
        while ((await two.projections.status())[0]?.version !== 2) {
          await appendAll(one, [amount]);
          amount += 1;
          await new Promise((turn) => setTimeout(turn, 1));
        }
        for (const es of [two, one, one]) {
          await appendAll(es, [amount]);
          amount += 1;
        }
        await two.projections.caughtUp();
        expect(await statesOf(two, next as Class<State>)).toStrictEqual(folded(range(amount), 2));
        while ((await one.projections.status())[0]?.state !== 'stopped') await new Promise((turn) => setTimeout(turn, 5));
      },
    );

    it.each(kinds)('compares %p with what a rebuild would give, and changes nothing', async (target) => {
      const es = await open([target]);
      await appendAll(es, range(70));
      await es.projections.caughtUp();
      expect(await es.projections.compare(target)).toStrictEqual({
        projection: es.registry.describe(target).name,
        version: 1,
        same: 7,
        differing: 0,
        missing: 0,
        extra: 0,
        unsettled: 0,
        sample: [],
      });
      behaviour.factor = 2;
      // What the old handlers made of these is as the new ones do.
      await es.appendUnguarded('s', [removed('i1'), removed('i2'), added(8), added(3, 'other')]);
      await es.projections.caughtUp();
      let isOver = false;
      const appending = (async () => {
        for (let round = 0; !isOver; round += 1) {
          await es.appendUnguarded('s', [added(1, `n${round % 50}`)]);
          await new Promise((turn) => setTimeout(turn, 1));
        }
      })();
      const report = await es.projections.compare(target);
      isOver = true;
      await appending;
      expect(report).toMatchObject({ differing: 5, missing: 0, extra: 0, unsettled: 0 });
      expect(report.same).toBeGreaterThanOrEqual(2);
      expect(report.sample).toHaveLength(5);
      const [{ ids, served, rebuilt }] = report.sample as [(typeof report.sample)[0]];
      const [sum, count] = folded(range(70))[ids['id'] as string] as [number, number];
      expect([served, rebuilt]).toMatchObject([
        { sum, count },
        { sum: 2 * sum, count },
      ]);
      const [status] = await es.projections.status();
      expect(status).toMatchObject({ generation: 1, rebuild: undefined, kept: undefined });
    });

    it('empties a custom projection and fills it again, also for a next version, while two processes append', async () => {
      const volumes = async () => {
        const rows = await (dataSources[0] as DataSource).manager.find(Volume);
        return Object.fromEntries(rows.map(({ id, sum }) => [id, sum]));
      };
      const sums = (amounts: readonly number[], factor: number) =>
        Object.fromEntries(Object.entries(folded(amounts, factor)).map(([id, [sum]]) => [id, sum]));
      const [one, two] = [await open([Volumes]), await open([Volumes])];
      await appendAll(one, range(60));
      await one.projections.caughtUp();
      let next = 60;
      let isOver = false;
      const appending = async (es: EventSourcing) => {
        while (!isOver) {
          next += 1;
          await appendAll(es, [next - 1]);
          await new Promise((turn) => setTimeout(turn, 5));
        }
      };
      const both = Promise.all([appending(one), appending(two)]);
      both.catch(() => undefined);
      expect(await two.projections.rebuild(Volumes)).toMatchObject({ generation: 1, failures: [] });
      const three = await open([NextVolumes]);
      while ((await three.projections.status())[0]?.version !== 2) await new Promise((turn) => setTimeout(turn, 5));
      isOver = true;
      await both;
      await three.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      expect(await volumes()).toStrictEqual(sums(range(next), 2));
      expect((await three.projections.status())[0]).toMatchObject({ version: 2, kept: undefined, state: 'live' });
    });

    it.each(kinds)('holds %p up while it is paused, in every process', async (target) => {
      const [one, two] = [await open([target]), await open([target])];
      await appendAll(one, [1]);
      await one.projections.caughtUp();
      await two.projections.pause(target);
      for (const es of [one, two, one]) await appendAll(es, [8]);
      expect(await statesOf(one, target)).toStrictEqual({ i1: [1, 1] });
      expect((await one.projections.status())[0]).toMatchObject({ state: 'paused', lag: { events: 3 } });
      await one.projections.resume(target);
      await two.projections.caughtUp();
      expect(await statesOf(two, target)).toStrictEqual({ i1: [25, 4] });
    });
  },
  [postgres, mariadb, sqlite],
);

function connect(place: DatabasePlace): Promise<DataSource> {
  const { schema } = place.tables;
  return place.connect({
    entities: [...eventStoreEntities(place.type, place.tables), AsyncRow, InlineRow, FirstRow, Volume],
    ...(schema !== undefined && { schema }),
  } as Partial<DataSourceOptions>);
}
