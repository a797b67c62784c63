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
  type StartUpdate,
  type Update,
  type UpdatesOptions,
} from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import { filter, firstValueFrom, skip, take, toArray } from 'rxjs';
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

/** What a reader of {@link Fussy} has against the names of the moment. */
const faults = { refused: '', hidden: '' };

/** Refuses some, and hides others. */
@Projection({ retry: { attempts: 1 } })
class Fussy {
  @ProjectionId() taskId!: string;
  begun = 0;

  @Handles(Begun)
  onBegun({ taskId }: Begun, context: ProjectionContext) {
    if (taskId === faults.refused) throw new Error('It is refused.');
    if (taskId === faults.hidden) context.delete();
    this.begun += 1;
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
    es = await EventSourcing.open({ store, classes: [Account, AccountBalance, OpenTask, Fussy, Deposited] });
    Object.assign(faults, { refused: '', hidden: '' });
    es.projections.errors().subscribe();
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
    expect(start).toStrictEqual({ kind: 'start', position: before, edition: '1', hasMissed: false });
    expect(updates.map(({ position }) => position === es.lastAppended)).toStrictEqual([false, false, true]);
    expect(updates.find((update) => update.kind === 'instance' && update.state === undefined)).toMatchObject({
      ids: { taskId: 'other' },
    });
    const again = await taken(4, before);
    expect(again[0]).toStrictEqual({ kind: 'start', position: before, edition: '1', hasMissed: false });
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
    expect(await updates(2)).toStrictEqual({ kind: 'start', position: before, edition: '1', hasMissed: false });
    expect(await updates(1)).toStrictEqual({ kind: 'start', position: es.lastAppended, edition: '1', hasMissed: true });
  });

  it('begins where it is, when that is before the position', async () => {
    const shown = await append(begun('a'));
    await es.projections.caughtUp();
    await es.projections.pause(OpenTask);
    const ahead = await append(begun('a'));
    expect(await firstValueFrom(es.projections.updates(OpenTask, { after: ahead }))).toMatchObject({ position: shown });
  });

  it('tells of an instance that is retried, also when it was parked while somebody listened', async () => {
    faults.refused = 'a';
    const told: unknown[] = [];
    const watched: unknown[] = [];
    es.projections.updates(Fussy).subscribe(({ position, ...update }) => told.push(update));
    es.projections.watch(Fussy, { taskId: 'a' }).subscribe((state) => watched.push(state?.begun));
    await es.projections.caughtUp();
    await append(begun('a'), begun('b'));
    await es.projections.caughtUp();
    faults.refused = '';
    const isTold = firstValueFrom(es.projections.changes(Fussy).pipe(filter(({ taskId }) => taskId === 'a')));
    await es.projections.retry(Fussy);
    expect(await isTold).toMatchObject({ begun: 1 });
    expect(told.at(-1)).toMatchObject({ ids: { taskId: 'a' }, state: { begun: 1 }, edition: '1' });
    expect(watched).toStrictEqual([undefined, 1]);
  });

  it('tells who was away to read anew when an instance was retried meanwhile, and not when it stands still as before', async () => {
    faults.refused = 'a';
    await append(begun('a'), begun('b'));
    await es.projections.caughtUp();
    const away = async () => {
      const { position, edition } = await firstValueFrom(es.projections.updates(Fussy));
      return { after: position, edition };
    };
    const back = async (told: UpdatesOptions<Fussy>) =>
      (await firstValueFrom(es.projections.updates(Fussy, told))) as StartUpdate;
    const told = await away();
    await append(begun('c'));
    await es.projections.caughtUp();
    expect((await back(told)).hasMissed).toBe(false);
    faults.refused = '';
    await es.projections.retry(Fussy);
    expect(await back(told)).toStrictEqual({ kind: 'start', position: es.lastAppended, edition: '1', hasMissed: true });
    expect((await back(await away())).hasMissed).toBe(false);
    expect((await back({ after: told.after })).hasMissed).toBe(false);
  });

  it('says after a rebuild that everything is to be read anew, to who listens and to who was away', async () => {
    await append(begun('a'), begun('b'));
    await es.projections.caughtUp();
    const told: Update<Fussy>[] = [];
    const isGone = firstValueFrom(es.projections.watch(Fussy, { taskId: 'a' }).pipe(filter((state) => state === undefined)));
    const isAnew = firstValueFrom(es.projections.updates(Fussy).pipe(skip(1)));
    es.projections.updates(Fussy).subscribe((update) => told.push(update));
    const { position: after, edition } = await firstValueFrom(es.projections.updates(Fussy));
    faults.hidden = 'a';
    await es.projections.rebuild(Fussy);
    const anew = { kind: 'start', position: es.lastAppended, edition: '2', hasMissed: true };
    expect(await isAnew).toStrictEqual(anew);
    await isGone;
    expect(told.slice(1)).toStrictEqual([anew]);
    expect(await firstValueFrom(es.projections.updates(Fussy, { after, edition }))).toStrictEqual(anew);
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
