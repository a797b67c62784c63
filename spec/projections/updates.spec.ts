import {
  createEvent,
  Event,
  EventSourcing,
  type EventStore,
  Handles,
  InMemoryEventStore,
  InvalidArgumentError,
  InvalidIdError,
  InvalidPositionError,
  Projection,
  type ProjectionContext,
  ProjectionId,
  type Update,
} from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import { firstValueFrom, take, toArray } from 'rxjs';
import { Account, AccountBalance, Deposited } from '../../samples/bank/account';
import { sqlite } from '../controls/databases';

@Event('task.begun')
class Begun {
  taskId!: string;
}

@Event('task.done')
class Done {
  taskId!: string;
}

let isStuck = false;

@Projection()
class OpenTask {
  @ProjectionId() taskId!: string;
  begun = 0;

  @Handles(Begun)
  onBegun() {
    if (isStuck) throw new Error('stuck');
    this.begun += 1;
  }

  @Handles(Done)
  onDone(_event: Done, context: ProjectionContext) {
    context.delete();
  }
}

const places: [string, () => Promise<{ store: EventStore; drop: () => Promise<void> }>][] = [
  ['in memory', async () => ({ store: new InMemoryEventStore(), drop: async () => undefined })],
  [
    'SQLite',
    async () => {
      const place = await sqlite.make();
      return { store: new TypeOrmEventStore(await place.connect()), drop: () => place.drop() };
    },
  ],
];

describe.each(places)('es.projections.updates (%s)', (_name, make) => {
  let store: EventStore;
  let drop: () => Promise<void>;
  let es: EventSourcing;

  beforeEach(async () => {
    ({ store, drop } = await make());
    es = await EventSourcing.open({ store, classes: [Account, AccountBalance, OpenTask, Deposited] });
  });

  afterEach(async () => {
    await es.close();
    await drop();
  });

  const begun = (taskId: string) => createEvent(Begun, { taskId });
  const append = async (...events: object[]) => (await es.appendUnguarded('tasks', events)).position as string;
  const taken = (count: number, after?: string): Promise<Update<OpenTask>[]> =>
    firstValueFrom(es.projections.updates(OpenTask, { after }).pipe(take(count), toArray()));

  it('tells deleted instances too, and has the last of what one commit changed say that it was the last', async () => {
    const before = await append(begun('other'));
    await es.projections.caughtUp();
    const live = taken(4);
    await es.projections.caughtUp();
    await append(begun('a'), begun('b'), createEvent(Done, { taskId: 'other' }));
    const [start, ...updates] = await live;
    expect(start).toStrictEqual({ kind: 'start', position: before, hasMissed: false });
    expect(updates.map(({ position }) => position === es.lastAppended)).toStrictEqual([false, false, true]);
    expect(updates.find((update) => update.kind === 'instance' && update.state === undefined)).toMatchObject({
      ids: { taskId: 'other' },
    });
    const again = await taken(4, before);
    expect(again[0]).toStrictEqual({ kind: 'start', position: before, hasMissed: false });
    expect(again.slice(1).map((update) => (update.kind === 'instance' ? update.ids : undefined))).toStrictEqual([
      { taskId: 'a' },
      { taskId: 'b' },
      { taskId: 'other' },
    ]);
    expect(again.map(({ position }) => position === es.lastAppended)).toStrictEqual([false, false, false, true]);
  });

  it('tells of an instance that was parked since, and is retried', async () => {
    const totals: (number | undefined)[] = [];
    es.projections.watch(OpenTask, { taskId: 'stuck' }).subscribe((task) => totals.push(task?.begun));
    await append(begun('stuck'));
    await es.projections.caughtUp();
    isStuck = true;
    es.projections.errors().subscribe();
    await append(begun('stuck'));
    await es.projections.caughtUp();
    isStuck = false;
    await es.projections.retry(OpenTask);
    await es.projections.caughtUp();
    while (totals.at(-1) !== 2) await new Promise((turn) => setTimeout(turn, 5));
    expect(totals).toStrictEqual([undefined, 1, 2]);
  });

  it('says that there is more than may be looked at', async () => {
    const before = await append(begun('a'));
    await append(begun('a'), begun('b'));
    await es.projections.caughtUp();
    const updates = (maxEvents: number) => firstValueFrom(es.projections.updates(OpenTask, { after: before, maxEvents }));
    expect(await updates(2)).toStrictEqual({ kind: 'start', position: before, hasMissed: false });
    expect(await updates(1)).toStrictEqual({ kind: 'start', position: es.lastAppended, hasMissed: true });
  });

  it('begins where it is, when that is before the position', async () => {
    const shown = await append(begun('a'));
    await es.projections.caughtUp();
    await es.projections.pause(OpenTask);
    const ahead = await append(begun('a'));
    expect(await firstValueFrom(es.projections.updates(OpenTask, { after: ahead }))).toMatchObject({ position: shown });
  });

  it('tells of one instance as watch does', async () => {
    const position = await append(begun('a'));
    await es.projections.caughtUp();
    const now = await firstValueFrom(es.projections.of(OpenTask).updates({ ids: { taskId: 'a' } }));
    expect(now).toMatchObject({ kind: 'instance', ids: { taskId: 'a' }, state: { begun: 1 }, position });
  });

  it('refuses options that are not possible', () => {
    const updates = (options: object) => () => es.projections.updates(OpenTask, options);
    expect(updates({ ids: { taskId: '' } })).toThrow(InvalidIdError);
    expect(updates({ after: 'made up' })).toThrow(InvalidPositionError);
    expect(updates({ ids: { taskId: 'a' }, after: '1' })).toThrow(InvalidArgumentError);
    expect(updates({ maxEvents: -1 })).toThrow(InvalidArgumentError);
    expect(updates({ since: '1' })).toThrow('knows no option "since"');
  });
});
