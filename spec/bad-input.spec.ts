import {
  Aggregate,
  AggregateRoot,
  ClosedError,
  Command,
  createEvent,
  DecoratorError,
  Event,
  EventSourcing,
  EventSourcingError,
  ForeignEventError,
  HandlerError,
  Handles,
  InMemoryEventStore,
  InvalidAppendError,
  InvalidArgumentError,
  InvalidIdError,
  InvalidPayloadError,
  InvalidPositionError,
  InvalidQueryError,
  MisplacedEmitError,
  NotParkedError,
  NotRegisteredError,
  Projection,
  ProjectionId,
  Registry,
  StartUpError,
  StoreClosedError,
  UnhandledEmitError,
  UnstorablePayloadError,
  uncommittedEvents,
  versionOf,
} from 'eventfold';
import { firstValueFrom, toArray } from 'rxjs';
import { Counted, Credited, dataOf, openWallets, Tally, Wallet } from './controls/wallets';

// biome-ignore lint/suspicious/noExplicitAny: what no compiler would let pass.
type Loose = any;

type ErrorClass = abstract new (...args: never[]) => EventSourcingError;

@Event('note.taken')
class Noted {
  noteId!: string;
  what?: unknown;
}

@Aggregate()
class Note extends AggregateRoot<'noteId'> {
  @ProjectionId() readonly noteId!: string;
  count = 0;

  @Command()
  async emitAny(...args: unknown[]) {
    (this.emit as Loose)(...args);
  }

  @Command()
  async take() {
    this.emit(Noted, {});
  }

  emitLoose() {
    this.emit(Noted, {});
  }

  @Handles(Noted)
  protected noted(event: Noted): unknown {
    this.count += 1;
    if (event.what === 'reject') return Promise.reject(new Error('late'));
    if (event.what === 'throw') throw new Error('at once');
    return undefined;
  }
}

@Projection()
class Notes {
  @ProjectionId() noteId!: string;
  count = 0;

  @Handles(Noted)
  noted(event: Noted): unknown {
    this.count += 1;
    return event.what === 'reject-in-projection' ? Promise.reject(new Error('late')) : undefined;
  }
}

@Projection({ mode: 'live' })
class LiveNotes {
  @ProjectionId() noteId!: string;

  @Handles(Noted)
  noted() {}
}

class Undecorated {}

@Event('never.registered')
class Unregistered {
  noteId!: string;
}

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

/** What is neither a class, nor an object with options, nor a function. */
const nonsense = [null, 0, Number.NaN, '', 'text', true, 5n, Symbol('x'), []];

interface World {
  readonly es: EventSourcing;
  readonly store: InMemoryEventStore;
  readonly note: Note;
  readonly loose: { readonly es: Loose; readonly store: Loose; readonly note: Loose; readonly projections: Loose };
}

async function openWorld(): Promise<World> {
  const store = new InMemoryEventStore();
  const es = await EventSourcing.open({ store, classes: [Note, Notes, LiveNotes] });
  const note = await es.loadOrCreate(Note, { noteId: 'n' });
  return { es, store, note, loose: { es, store, note, projections: es.projections } };
}

type Row = [
  what: string,
  call: (world: World['loose'] & { readonly foreign: string }) => unknown,
  error: ErrorClass,
  says?: RegExp | undefined,
];

const each = (
  what: string,
  values: readonly unknown[],
  call: (value: Loose, world: Parameters<Row[1]>[0]) => unknown,
  error: ErrorClass,
  says?: RegExp | undefined,
): Row[] => values.map((value) => [`${what}: ${describeValue(value)}`, (world) => call(value, world), error, says]);

const ids = { noteId: 'n' };
const noted = () => createEvent(Noted, { noteId: 'n' });

const calls: readonly Row[] = [
  // Classes and ids
  ...each(
    'load a class',
    [...nonsense, undefined, {}, Undecorated, Noted, Notes, Tally, () => 1, Object, Date],
    (value, { es }) => es.load(value, ids),
    NotRegisteredError,
    /List it in EventSourcing.open/,
  ),
  ...each('create a class', [undefined, null, {}, Undecorated], (value, { es }) => es.create(value, ids), NotRegisteredError),
  ...each(
    'loadOrCreate a class',
    [undefined, null, {}, Undecorated],
    (value, { es }) => es.loadOrCreate(value, ids),
    NotRegisteredError,
  ),
  ...each('statsOf a class', [undefined, null, {}, Undecorated], (value, { es }) => es.statsOf(value, ids), NotRegisteredError),
  ...each('streamOf a class', [undefined, null, {}, Undecorated], (value, { es }) => es.streamOf(value, ids), NotRegisteredError),
  ...each(
    'load with ids',
    [undefined, null, 5, 'n', [], {}, { id: 'n' }, { noteId: 'n', more: 1 }],
    (value, { es }) => es.load(Note, value),
    InvalidIdError,
  ),
  ...(['load', 'create', 'loadOrCreate', 'statsOf', 'streamOf'] as const).flatMap((method) =>
    each(
      `${method} with the id`,
      [undefined, null, '', Number.NaN, Number.POSITIVE_INFINITY, {}, [], ['n'], () => 1, Symbol('x'), new Date(), Object('n')],
      (value, { es }) => es[method](Note, { noteId: value }),
      InvalidIdError,
      /Note\.noteId .*An id is text/,
    ),
  ),
  ['load with an inherited id', ({ es }) => es.load(Note, Object.create({ noteId: 'n' })), InvalidIdError],
  ['load with the id __proto__', ({ es }) => es.load(Note, JSON.parse('{"__proto__":"n","noteId":"n"}')), InvalidIdError],

  // Emitting
  ...each(
    'emit of',
    [...nonsense, undefined, {}, Undecorated, Unregistered, Counted, () => 1],
    (value, { note }) => note.emitAny(value, {}),
    UnhandledEmitError,
    /Add a method with @Handles/,
  ),
  ...each(
    'emit with the payload',
    [...nonsense.filter((value) => value !== undefined), () => 1],
    (value, { note }) => note.emitAny(Noted, value),
    InvalidPayloadError,
  ),
  ...each(
    'emit with the value',
    [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      () => 1,
      Symbol('x'),
      new Date('x'),
      cyclic,
      Promise.resolve(1),
      new Error('x'),
      JSON.parse('{"__proto__":1}'),
    ],
    (value, { note }) => note.emitAny(Noted, { what: value }),
    UnstorablePayloadError,
    /note\.taken: "what/,
  ),
  [
    'emit with a payload that holds __proto__',
    ({ note }) => note.emitAny(Noted, JSON.parse('{"__proto__":1}')),
    InvalidPayloadError,
  ],
  ['emit of another instance', ({ note }) => note.emitAny(Noted, { noteId: 'other' }), ForeignEventError, /belongs to .*other/],
  ...each(
    'emit with the id',
    [null, '', Number.NaN, {}, () => 1],
    (value, { note }) => note.emitAny(Noted, { noteId: value }),
    EventSourcingError,
  ),
  ['emit outside of a command', ({ note }) => note.emitLoose(), MisplacedEmitError, /@Command/],
  ['a handler that throws', ({ note }) => note.emitAny(Noted, { what: 'throw' }), HandlerError, /Note\.noted threw/],
  [
    'a handler that returns a rejected promise',
    ({ note }) => note.emitAny(Noted, { what: 'reject' }),
    HandlerError,
    /returned a promise/,
  ],

  // Transactions and metadata
  ...each(
    'a transaction of',
    [...nonsense, undefined, {}],
    (value, { es }) => es.transaction(value),
    InvalidArgumentError,
    /es\.transaction takes a function/,
  ),
  ...each(
    'a transaction with attempts',
    [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, {}],
    (value, { es }) => es.transaction(() => 1, { attempts: value }),
    InvalidArgumentError,
    /1 or more/,
  ),
  ...each(
    'a transaction with options',
    [null, 5, 'x', []],
    (value, { es }) => es.transaction(() => 1, value),
    InvalidArgumentError,
  ),
  [
    'a transaction with a misspelt option',
    ({ es }) => es.transaction(() => 1, { attemps: 3 }),
    InvalidArgumentError,
    /"attemps".*attempts/,
  ],
  ...each(
    'metadata',
    [...nonsense, undefined, new Map(), new Date(), () => 1],
    (value, { es, note }) => es.withMetadata(value, () => note.take()),
    InvalidArgumentError,
    /es\.withMetadata/,
  ),
  ...each(
    'metadata with the value',
    [Number.NaN, () => 1, Symbol('x'), cyclic],
    (value, { es, note }) => es.withMetadata({ value }, () => note.take()),
    UnstorablePayloadError,
  ),
  ...each(
    'metadata with the correlation id',
    [5, null, {}],
    (value, { es, note }) => es.withMetadata({ correlationId: value }, () => note.take()),
    InvalidArgumentError,
    /correlationId/,
  ),
  ...each('withMetadata around', [undefined, null, {}, 'x'], (value, { es }) => es.withMetadata({}, value), InvalidArgumentError),
  ...each(
    'causedBy',
    [...nonsense, undefined, {}, { id: 5, metadata: {} }, { id: 'x' }],
    (value, { es, note }) => es.causedBy(value, () => note.take()),
    InvalidArgumentError,
    /es\.causedBy/,
  ),
  ...each(
    'causedBy around',
    [undefined, null, {}],
    (value, { es }) => es.causedBy({ id: 'x', metadata: {} }, value),
    InvalidArgumentError,
  ),

  // Appending
  ...each(
    'append to the stream',
    [undefined, null, '', 5, {}, Symbol('x')],
    (value, { es }) => es.appendUnguarded(value, [createEvent(Noted, { noteId: 'n' })]),
    EventSourcingError,
  ),
  [
    "append into a stream that is not the instance's",
    ({ es }) => es.appendUnguarded('Note:other', [noted()]),
    ForeignEventError,
    /"Note:n".*es\.streamOf/,
  ],
  ...each(
    'append the events',
    [...nonsense.filter((value) => !Array.isArray(value)), undefined, {}, noted()],
    (value, { es }) => es.appendUnguarded('Note:n', value),
    InvalidArgumentError,
    /array/,
  ),
  ...each(
    'append the event',
    [null, undefined, 5, 'x'],
    (value, { es }) => es.appendUnguarded('Note:n', [value]),
    InvalidArgumentError,
    /createEvent/,
  ),
  ...each(
    'append an event of no registered class',
    [
      {},
      { noteId: 'n' },
      [],
      Object.create(null),
      new Undecorated(),
      Object.assign(new Unregistered(), { noteId: 'n' }),
      new Date(),
      new Map(),
    ],
    (value, { es }) => es.appendUnguarded('Note:n', [value]),
    NotRegisteredError,
  ),
  ...each(
    'append an event with the value',
    [Number.NaN, () => 1, cyclic],
    (value, { es }) => es.appendUnguarded('Note:n', [Object.assign(new Noted(), { noteId: 'n', what: value })]),
    UnstorablePayloadError,
  ),
  ...each(
    'append an event with the id',
    [undefined, null, '', Number.NaN, {}],
    (value, { es }) => es.appendUnguarded('Note:n', [Object.assign(new Noted(), { noteId: value })]),
    EventSourcingError,
  ),
  [
    'append a good event and a bad one',
    ({ es }) => es.appendUnguarded('Note:n', [noted(), Object.assign(new Noted(), { noteId: 'n', what: Number.NaN })]),
    UnstorablePayloadError,
  ],
  ...each(
    'append with the guard',
    [undefined, null, { version: 'any' }, Object.create({ version: 'any' })],
    (value, { es }) => es.append('Note:n', [noted()], value),
    InvalidArgumentError,
    /appendUnguarded/,
  ),
  ...each(
    'append with the guard',
    [
      {},
      5,
      'none',
      [],
      { verson: 0 },
      { version: -1 },
      { version: 1.5 },
      { version: Number.NaN },
      { version: '0' },
      { version: undefined },
      { version: 'ANY' },
      { version: 0, condition: {} },
      { condition: undefined },
      { condition: null },
      { condition: {} },
      { condition: { criteria: 'x' } },
    ],
    (value, { es }) => es.append('Note:n', [noted()], value),
    InvalidAppendError,
    /guard/,
  ),
  [
    'append with a guard at a made-up position',
    ({ es }) => es.append('Note:n', [noted()], { condition: { criteria: [{}], after: 'x' } }),
    InvalidPositionError,
  ],
  [
    'append with a guard at a foreign position',
    ({ es, foreign }) => es.append('Note:n', [noted()], { condition: { criteria: [{}], after: foreign } }),
    InvalidPositionError,
  ],
  ...each(
    'append with the criterion',
    [null, 5, 'x', { types: 'x' }, { tags: 5 }, { typs: ['x'] }],
    (value, { es }) => es.append('Note:n', [noted()], { condition: { criteria: [value], after: undefined } }),
    EventSourcingError,
  ),
  ...each('createEvent of', [...nonsense, undefined, {}], (value) => createEvent(value, {} as never), InvalidPayloadError),
  ...each(
    'createEvent with',
    [...nonsense.filter((value) => value !== undefined), () => 1],
    (value) => createEvent(Noted, value),
    InvalidPayloadError,
  ),

  // Following events
  ...each('events with options', [null, 5, 'x', []], (value, { es }) => es.events(value), InvalidArgumentError, /es\.events/),
  ['events with a misspelt option', ({ es }) => es.events({ affter: 'x' }), InvalidArgumentError, /"affter".*after/],
  ...each(
    'events after',
    ['x', '', 5, null, {}, Number.NaN],
    (value, { es }) => es.events({ after: value }),
    InvalidPositionError,
  ),
  ['events after a foreign position', ({ es, foreign }) => es.events({ after: foreign }), InvalidPositionError],
  ...each(
    'events of types',
    [null, 'x', 5, {}, Noted],
    (value, { es }) => es.events({ types: value }),
    InvalidArgumentError,
    /types/,
  ),
  ...each(
    'events of the type',
    [null, undefined, 'note.taken', Undecorated, Unregistered, Note],
    (value, { es }) => es.events({ types: [value] }),
    NotRegisteredError,
  ),

  // Projections
  ...(['get', 'watch', 'changes', 'all', 'parked', 'caughtUp'] as const).flatMap((method) =>
    each(
      `projections.${method} of`,
      [null, 5, 'x', {}, Undecorated, Note, Noted, () => 1],
      (value, { projections }) => projections[method](value, ids),
      NotRegisteredError,
    ),
  ),
  ...(['retry', 'skip'] as const).flatMap((method) => [
    ...each(
      `projections.${method} of`,
      [Undecorated, Note, Noted, () => 1],
      (value, { projections }) => projections[method](value, ids),
      NotRegisteredError,
    ),
    ...each(
      `projections.${method} of`,
      [null, 5, 'x', {}],
      (value, { projections }) => projections[method](value, ids),
      InvalidArgumentError,
    ),
  ]),
  ...(['get', 'watch', 'retry', 'skip'] as const).flatMap((method) =>
    each(
      `projections.${method} with the id`,
      [undefined, null, '', Number.NaN, {}, []],
      (value, { projections }) => projections[method](Notes, { noteId: value }),
      InvalidIdError,
    ),
  ),
  ...each(
    'projections.get with ids',
    [undefined, null, 5, 'n', {}, { id: 'n' }],
    (value, { projections }) => projections.get(Notes, value),
    InvalidIdError,
  ),
  ['projections.skip without ids', ({ projections }) => projections.skip(Notes), EventSourcingError],
  ['projections.skip where nothing is parked', ({ projections }) => projections.skip(Notes, ids), NotParkedError],
  ['projections.all of a live one', ({ projections }) => projections.all(LiveNotes), EventSourcingError],
  ...each(
    'caughtUp to',
    ['x', '', 5, null, {}],
    (value, { projections }) => projections.caughtUp(Notes, { position: value }),
    InvalidPositionError,
  ),
  ...each(
    'caughtUp with options',
    [null, 5, 'x'],
    (value, { projections }) => projections.caughtUp(Notes, value),
    EventSourcingError,
  ),
  ...each(
    'caughtUp within',
    [-1, Number.NaN, 'x', null, {}],
    (value, { projections }) => projections.caughtUp(Notes, { timeoutMs: value }),
    EventSourcingError,
  ),
  [
    'caughtUp with a misspelt option',
    ({ projections }) => projections.caughtUp(Notes, { timeout: 1 }),
    EventSourcingError,
    /"timeout"/,
  ],
  ...each(
    'projections.register',
    [null, undefined, 5, Undecorated, {}],
    (value, { projections }) => projections.register(value),
    StartUpError,
  ),
  ['projections.register of an aggregate', ({ projections }) => projections.register(Tally), EventSourcingError],

  // Introspection
  ...each(
    'registry.describe',
    [...nonsense, undefined, {}, Undecorated, Noted],
    (value, { es }) => es.registry.describe(value),
    NotRegisteredError,
  ),
  ...each(
    'registry.projectionIds',
    [null, undefined, Undecorated],
    (value, { es }) => es.registry.projectionIds(value),
    NotRegisteredError,
  ),
  ...each(
    'registry.boundaryOf',
    [null, undefined, Undecorated],
    (value, { es }) => es.registry.boundaryOf(value),
    NotRegisteredError,
  ),
  ...each(
    'registry.boundaryOf with',
    [null, 5, {}, { noteId: '' }, { id: 'n' }],
    (value, { es }) => es.registry.boundaryOf(Note, value),
    InvalidIdError,
  ),
  ...each(
    'registry.handlersOf',
    [null, undefined, 5, {}, Undecorated, Unregistered],
    (value, { es }) => es.registry.handlersOf(value),
    NotRegisteredError,
  ),

  // The store
  ...each(
    'store.append',
    [null, undefined, {}, 'x', [null], [5], [{}], [{ stream: 's' }], [{ stream: 's', events: [] }]],
    (value, { store }) => store.append(value),
    InvalidAppendError,
  ),
  ...each(
    'store.append of the event',
    [
      null,
      5,
      {},
      { type: '' },
      { type: 'x' },
      { type: 'x', data: null },
      { type: 'x', data: [] },
      { type: 'x', data: {}, id: 5 },
      { type: 'x', data: {}, schemaVersion: 0 },
      { type: 'x', data: {}, time: 'noon' },
    ],
    (value, { store }) => store.append([{ stream: 's', events: [value], guard: { version: 'any' } }]),
    InvalidAppendError,
  ),
  ...each(
    'store.append of the data',
    [{ a: Number.NaN }, cyclic, { a: () => 1 }],
    (value, { store }) => store.append([{ stream: 's', events: [{ type: 'x', data: value }], guard: { version: 'any' } }]),
    UnstorablePayloadError,
  ),
  ...each(
    'store.read',
    [null, 5, { limit: -1 }, { limit: 1.5 }, { direction: 'up' }, { afterVersion: 1 }, { criteria: 'x' }],
    (value, { store }) => drain(store.read(value)),
    InvalidQueryError,
  ),
  ...each('store.read after', ['x', '', 5], (value, { store }) => drain(store.read({ after: value })), InvalidPositionError),
  ...each(
    'store.page',
    [{}, { first: 0 }, { first: -1 }, { last: Number.NaN }, { first: 1, last: 1 }],
    (value, { store }) => store.page({}, value),
    InvalidQueryError,
  ),
  ...each('store.position', ['x', '', null, undefined, 5], (value, { store }) => store.position(value), InvalidPositionError),

  // Opening
  ...each(
    'open',
    [...nonsense, undefined, {}],
    (value) => EventSourcing.open(value),
    InvalidArgumentError,
    /EventSourcing\.open/,
  ),
  ...each(
    'open with the store',
    [undefined, null, {}, 5, InMemoryEventStore],
    (value) => EventSourcing.open({ store: value, classes: [] }),
    InvalidArgumentError,
    /store/,
  ),
  ...each(
    'open with classes',
    [undefined, null, {}, Note],
    (value) => EventSourcing.open({ store: new InMemoryEventStore(), classes: value }),
    InvalidArgumentError,
    /classes/,
  ),
  ...each(
    'open with the class',
    [null, undefined, 5, 'Note', {}, () => 1, Undecorated],
    (value) => EventSourcing.open({ store: new InMemoryEventStore(), classes: [value] }),
    StartUpError,
  ),
  ...each(
    'open with the clock',
    [null, 5, 'x', new Date()],
    (value) => EventSourcing.open({ store: new InMemoryEventStore(), classes: [], clock: value }),
    InvalidArgumentError,
    /clock/,
  ),
  ...each(
    'open with ids',
    [null, 5, 'x'],
    (value) => EventSourcing.open({ store: new InMemoryEventStore(), classes: [], ids: value }),
    InvalidArgumentError,
    /ids/,
  ),
  [
    'open with a misspelt option',
    () => EventSourcing.open({ store: new InMemoryEventStore(), clases: [] } as Loose),
    InvalidArgumentError,
    /"clases"/,
  ],
  ...each('Registry.of', [null, undefined, 5, {}], (value) => Registry.of(value), EventSourcingError),

  // Decorating
  ...each('@Event with the name', [null, 5, '', ' ', 'a:b', 'a\nb', {}], (value) => Event(value), DecoratorError),
  ...each(
    '@Event with options',
    [null, 5, 'x', [], { versoin: 1 }, { version: 0 }, { version: Number.NaN }],
    (value) => Event('x', value),
    DecoratorError,
  ),
  ...each(
    '@Aggregate with options',
    [
      null,
      5,
      'x',
      [],
      { gaurd: 'boundary' },
      { guard: 'none' },
      { name: '' },
      { ignores: [undefined] },
      { ignores: Noted },
      { ignores: null },
      { strict: 'yes' },
    ],
    (value) => Aggregate(value),
    DecoratorError,
  ),
  ...each(
    '@Projection with options',
    [null, 5, [], { mdoe: 'live' }, { mode: 'sync' }, { name: 5 }, { retry: null }, { retry: { attempts: 0 } }],
    (value) => Projection(value),
    DecoratorError,
  ),
  ...each('@Command with options', [null, 5, [], { nmae: 'x' }, { name: '' }], (value) => Command(value), DecoratorError),
  ...each(
    '@Handles of',
    [null, undefined, 5, 'x', {}, () => 1],
    (value) => Handles(value)(Note.prototype as Loose, 'take', { value: () => 1 } as Loose),
    DecoratorError,
  ),
  ...each(
    '@Handles with the map',
    [null, 5, 'x', [], { noteId: 5 }, { noteId: null }],
    (value) => Handles(Noted, value)(Note.prototype as Loose, 'take', { value: () => 1 } as Loose),
    DecoratorError,
  ),
];

describe('bad input', () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  beforeAll(() => process.on('unhandledRejection', note));
  afterAll(() => process.off('unhandledRejection', note));

  it.each(calls.map(([what, call, errorClass, says]) => ({ what, call, errorClass, says })))(
    'is refused by name, with a way out, and changes nothing: $what',
    async ({ call, errorClass, says }) => {
      const { es, store, note: instance, loose } = await openWorld();
      const error = await outcome(() => call({ ...loose, foreign: 'm00000000-1' }));
      expect(error).toBeInstanceOf(EventSourcingError);
      expect(error).toBeInstanceOf(errorClass);
      const { name, code, message } = error as EventSourcingError;
      expect(name).toBe((error as object).constructor.name);
      expect(code).toMatch(/^[A-Z_]+$/);
      expect(message).toMatch(/[.\]]$/);
      expect(message).not.toContain('[object');
      if (says !== undefined) expect(message).toMatch(says);
      expect(await dataOf(store)).toEqual([]);

      await instance.take();
      expect(instance.count).toBe(1);
      expect((await es.load(Note, { noteId: 'n' })).count).toBe(1);
      expect(await dataOf(store)).toHaveLength(1);
      await es.close();
      await turn();
      expect(unhandled).toEqual([]);
    },
  );

  it('is refused with a position of another store, wherever one is taken', async () => {
    const { es: other } = await openWallets();
    await (await other.create(Wallet, { walletId: 'a' })).credit(1);
    const { es, store, loose } = await openWorld();
    const foreign = (await other.append('Wallet:b', [createEvent(Credited, { walletId: 'b', amount: 1 })], { version: 'none' }))
      .position;
    const taking = [
      () => es.events({ after: foreign }),
      () => es.projections.caughtUp(Notes, { position: foreign }),
      () => drain(loose.store.read({ after: foreign })),
      () => drain(loose.store.read({ before: foreign })),
      () => store.page({}, { first: 1, after: foreign as string }),
      () => loose.store.compare(foreign, foreign),
    ];
    for (const call of taking) expect(await outcome(call)).toBeInstanceOf(InvalidPositionError);
  });

  it('does not end what an instance can do that was made with new', async () => {
    for (const value of [undefined, null, '', Number.NaN, {}]) {
      const made: Loose = Object.assign(new Note(), { noteId: value });
      expect(await outcome(() => made.take())).toBeInstanceOf(InvalidIdError);
      expect(uncommittedEvents(made)).toEqual([]);
      made.noteId = 'n';
      await made.take();
      expect(uncommittedEvents(made)).toHaveLength(1);
    }
  });

  it.each(nonsense)('is refused by what asks for an aggregate: %p', (value) => {
    expect(() => uncommittedEvents(value as Loose)).toThrow(InvalidArgumentError);
    expect(() => versionOf(value as Loose)).toThrow(InvalidArgumentError);
  });

  it('of a handler of a projection is parked, and no rejection is left unhandled', async () => {
    const { es, note: instance } = await openWorld();
    es.projections.errors().subscribe();
    await instance.emitAny(Noted, { what: 'reject-in-projection' });
    await es.projections.caughtUp(Notes);
    expect(await es.projections.parked(Notes)).toHaveLength(1);
    await turn();
    expect(unhandled).toEqual([]);
    await es.close();
  });
});

describe('after close', () => {
  const late: readonly (readonly [string, (world: World) => unknown, ErrorClass])[] = [
    ['load', ({ es }) => es.load(Note, ids), ClosedError],
    ['create', ({ es }) => es.create(Note, ids), ClosedError],
    ['loadOrCreate', ({ es }) => es.loadOrCreate(Note, ids), ClosedError],
    ['statsOf', ({ es }) => es.statsOf(Note, ids), ClosedError],
    ['transaction', ({ es }) => es.transaction(() => 1), ClosedError],
    ['append', ({ es }) => es.append('Note:n', [noted()], { version: 'none' }), ClosedError],
    ['appendUnguarded', ({ es }) => es.appendUnguarded('Note:n', [noted()]), ClosedError],
    ['a command that emits', ({ note }) => note.take(), ClosedError],
    ['projections.caughtUp', ({ es }) => es.projections.caughtUp(Notes), ClosedError],
    ['projections.register', ({ es }) => es.projections.register(Notes), ClosedError],
    [
      'store.append',
      ({ store }) => store.append([{ stream: 's', events: [{ type: 'x', data: {} }], guard: { version: 'any' } }]),
      StoreClosedError,
    ],
  ];

  it.each(late)('%s is refused', async (_what, call, errorClass) => {
    const world = await openWorld();
    await world.es.close();
    expect(await outcome(() => call(world))).toBeInstanceOf(errorClass);
    expect(await dataOf(world.store)).toEqual([]);
  });

  it('close is harmless', async () => {
    const { es } = await openWorld();
    await Promise.all([es.close(), es.close()]);
    await es.close();
  });

  it('a command that was running fails, and stores nothing', async () => {
    const { es, data } = await openWallets();
    const tally = await es.create(Tally, { tallyId: 'a' });
    expect(await outcome(() => tally.count(1, () => es.close()))).toBeInstanceOf(ClosedError);
    expect(await data()).toEqual([]);
  });

  it('what follows events or a projection completes', async () => {
    const { es, note: instance } = await openWorld();
    await instance.take();
    const following = [
      firstValueFrom(es.events().pipe(toArray())),
      firstValueFrom(es.projections.watch(Notes, ids).pipe(toArray())),
      firstValueFrom(es.projections.changes(Notes).pipe(toArray())),
      firstValueFrom(es.projections.errors().pipe(toArray())),
    ];
    await es.close();
    await Promise.all(following);
    expect(await firstValueFrom(es.events().pipe(toArray()))).toEqual([]);
  });
});

/** @returns what the call throws, or what its promise rejects with. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function describeValue(value: unknown): string {
  if (typeof value === 'function') return value.name || 'a function';
  if (typeof value === 'object' && value !== null)
    return value === cyclic ? 'a cycle' : JSON.stringify(value).slice(0, 60) + value.constructor?.name;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
