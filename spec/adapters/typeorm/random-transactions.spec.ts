import { EventSourcing, Handles, Projection, ProjectionId, type RecordedEvent } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import { array, asyncProperty, assert as check, constantFrom, letrec, oneof, record, tuple } from 'fast-check';
import type { DataSource, EntityManager } from 'typeorm';
import { type DatabasePlace, describeDatabases } from '../../controls/databases';
import { connectWithNotes, note, notesIn, storeOn } from '../../controls/notes';
import { Counted, Refused, Tally } from '../../controls/wallets';

/** What a user does in a transaction. */
type Step =
  | {
      readonly kind: 'count' | 'count twice' | 'append' | 'bare' | 'refuse' | 'poison' | 'load' | 'outside';
      readonly tally: 'a' | 'b';
    }
  | { readonly kind: 'savepoint'; readonly steps: readonly Step[]; readonly end: 'commit' | 'rollback' };

interface Program {
  readonly steps: readonly Step[];
  readonly end: 'commit' | 'rollback';
}

const ends = constantFrom('commit' as const, 'rollback' as const);
const { program } = letrec<{ program: Program; step: Step; savepoint: Step }>((tie) => ({
  step: oneof(
    { maxDepth: 3, depthIdentifier: 'savepoints' },
    record({
      kind: constantFrom('count', 'count twice', 'append', 'bare', 'refuse', 'poison', 'load', 'outside'),
      tally: constantFrom('a', 'b'),
    }),
    tie('savepoint'),
  ) as never,
  savepoint: record({
    kind: constantFrom('savepoint'),
    steps: array(tie('step'), { maxLength: 4, depthIdentifier: 'savepoints' }),
    end: ends,
  }) as never,
  program: record({ steps: array(tie('step'), { maxLength: 6, depthIdentifier: 'savepoints' }), end: ends }) as never,
}));

/** The sum that each tally has, folded within appends. It refuses 13. */
@Projection({ mode: 'inline' })
class InlineSteps {
  @ProjectionId() tallyId!: string;
  steps: number[] = [];

  @Handles(Counted)
  counted(event: Counted) {
    this.steps.push(event.by);
    if (event.by === 13) throw new Error('thirteen');
  }
}

describeDatabases('Any transaction of the user’s', (database) => {
  let place: DatabasePlace;
  let dataSource: DataSource;
  let store: TypeOrmEventStore;
  let es: EventSourcing;
  let next = 100;

  beforeAll(async () => {
    place = await database.make();
    dataSource = await connectWithNotes(place, true);
  });
  afterAll(() => place?.drop());

  const stream = (tallyId: string) => es.streamOf(Tally, { tallyId });
  const number = () => {
    next += 1;
    return next;
  };

  /** What one tally is to show, and which notes there are. */
  interface World {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly notes: readonly string[];
  }

  async function run(manager: EntityManager, steps: readonly Step[], before: World, held: Map<string, Tally>): Promise<World> {
    let world = before;
    for (const step of steps) world = await runStep(manager, step, world, held);
    return world;
  }

  async function runStep(manager: EntityManager, step: Step, world: World, held: Map<string, Tally>): Promise<World> {
    if (step.kind === 'savepoint') {
      let inner = world;
      const savepoint = manager.transaction(async (nested) => {
        inner = await run(nested, step.steps, world, held);
        if (step.end === 'rollback') throw new Refused('no');
      });
      if (step.end === 'commit') await savepoint;
      else await expect(savepoint).rejects.toBeInstanceOf(Refused);
      return step.end === 'commit' ? inner : world;
    }
    const { tally: tallyId } = step;
    const tally = held.get(tallyId) as Tally;
    const counted = async (...numbers: number[]): Promise<World> => {
      await note(manager, String(numbers[0]));
      return { ...world, [tallyId]: [...world[tallyId], ...numbers], notes: [...world.notes, String(numbers[0])] };
    };
    const by = number();
    const event = { type: 'tally.counted', data: { tallyId, by } };
    switch (step.kind) {
      case 'count':
        await es.transaction(manager, () => tally.count(by));
        return counted(by);
      case 'count twice':
        await es.transaction(manager, async () => {
          await tally.count(by);
          await tally.count(by);
        });
        return counted(by, by);
      case 'append':
        await es.transaction(manager, () => es.appendUnguarded(stream(tallyId), [Object.assign(new Counted(), event.data)]));
        return counted(by);
      case 'bare':
        if (world[tallyId].length > 0) return world;
        await es.transaction(manager, () =>
          es.append(stream(tallyId), [Object.assign(new Counted(), event.data)], { version: 'none' }),
        );
        return counted(by);
      case 'refuse':
        await expect(es.transaction(manager, () => tally.countAndRefuse(by))).rejects.toBeInstanceOf(Refused);
        return world;
      case 'poison':
        await expect(es.transaction(manager, () => tally.count(13))).rejects.toThrow('thirteen');
        return world;
      case 'load':
        await es.transaction(manager, async () => {
          expect((await es.loadOrCreate(Tally, { tallyId })).steps).toStrictEqual(world[tallyId]);
          await tally.look();
          expect(tally.steps).toStrictEqual(world[tallyId]);
        });
        return world;
      default:
        expect((await es.projections.get(InlineSteps, { tallyId }))?.steps ?? []).toStrictEqual(committed[tallyId]);
        expect((await es.loadOrCreate(Tally, { tallyId })).steps).toStrictEqual(committed[tallyId]);
        return world;
    }
  }

  const nothing: World = { a: [], b: [], notes: [] };
  let committed = nothing;

  it('stores what it committed, shows it everywhere, and nothing else', async () => {
    await check(
      asyncProperty(tuple(program, program), async (programs) => {
        await place.clear();
        committed = nothing;
        store = storeOn(place, dataSource);
        es = await EventSourcing.open({ store, classes: [Tally, InlineSteps] });
        const heard: RecordedEvent[] = [];
        const following = es.events().subscribe((event) => heard.push(event));
        const held = new Map([
          ['a', await es.create(Tally, { tallyId: 'a' })],
          ['b', await es.loadOrCreate(Tally, { tallyId: 'b' })],
        ]);
        for (const { steps, end } of programs) {
          held.set('a', await es.loadOrCreate(Tally, { tallyId: 'a' }));
          let world = committed;
          const transaction = dataSource.transaction(async (manager) => {
            world = await run(manager, steps, committed, held);
            if (end === 'rollback') throw new Refused('no');
          });
          if (end === 'commit') await transaction;
          else await expect(transaction).rejects.toBeInstanceOf(Refused);
          if (end === 'commit') committed = world;
          await expectWorld(held);
        }
        await es.projections.caughtUp();
        const wanted = committed.a.length + committed.b.length;
        while (heard.length < wanted) await new Promise(setImmediate);
        following.unsubscribe();
        expect(heard.map(({ data }) => (data as Counted).by).sort()).toStrictEqual([...committed.a, ...committed.b].sort());
        await es.close();
      }),
      { numRuns: 10 },
    );
  });

  async function expectWorld(held: ReadonlyMap<string, Tally>): Promise<void> {
    expect(await notesIn(dataSource)).toStrictEqual([...committed.notes].sort());
    for (const tallyId of ['a', 'b'] as const) {
      const steps = committed[tallyId];
      const events: RecordedEvent[] = [];
      for await (const event of store.read({ stream: stream(tallyId) })) events.push(event);
      expect(events.map(({ data }) => (data as Counted).by)).toStrictEqual(steps);
      expect(events.map(({ version }) => version)).toStrictEqual(steps.map((_, index) => index + 1));
      expect((await es.projections.get(InlineSteps, { tallyId }))?.steps ?? []).toStrictEqual(steps);
      const tally = held.get(tallyId) as Tally;
      await tally.look();
      expect(tally.steps).toStrictEqual(steps);
    }
  }
});
