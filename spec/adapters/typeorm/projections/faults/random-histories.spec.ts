import {
  type Class,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  Projection,
  type ProjectionContext,
  ProjectionId,
} from 'eventfold';
import fc from 'fast-check';
import { Column, type DataSource, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { type DatabasePlace, describeDatabases, pglite, sqliteInMemory } from '../../../../controls/databases';
import { Credited, credited, Line, linesOf, type Notes, Shared, Spoiled, shared, spoiled } from './ledgers';
import { ledgerPlace } from './place';

@Event('ledger.closed')
class Closed {
  id!: string;
}

/** An event that makes no instance. */
@Event('ledger.mentioned')
class Mentioned {
  id!: string;
  note!: string;
}

/** The notes of the spoiled events that are taken by now. */
const cured = new Set<string>();

abstract class Book {
  abstract id: string;
  abstract notes: string;

  protected add(note: string): void {
    this.notes += `${note} `;
  }

  @Handles(Credited)
  credited({ note }: Credited) {
    this.add(note);
  }

  @Handles(Shared, { id: 'ids' })
  shared({ note }: Shared) {
    this.add(note);
  }

  @Handles(Mentioned)
  mentioned({ note }: Mentioned, context: ProjectionContext) {
    this.add(note);
    context.ignore();
  }

  @Handles(Closed)
  closed(_event: Closed, context: ProjectionContext) {
    context.delete();
  }
}

abstract class FussyBook extends Book {
  @Handles(Spoiled)
  spoiled({ note }: Spoiled) {
    this.add(note);
    if (!cured.has(note)) throw new Error(`spoiled ${note}`);
  }
}

@Entity('fault_book_rows')
@Projection()
class RowBook extends FussyBook {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('text') notes: string = '';
}

@Projection()
class DocumentBook extends FussyBook {
  @ProjectionId() id!: string;
  notes: string = '';
}

@Entity('fault_inline_book_rows')
@Projection({ mode: 'inline' })
class InlineBook extends Book {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('text') notes: string = '';
}

@Projection({ kind: 'custom', reset: (manager: EntityManager) => manager.clear(Line) })
class CustomBook {
  @ProjectionId() id!: string;

  private async add(note: string, { manager }: ProjectionContext<EntityManager>): Promise<void> {
    await manager.insert(Line, { id: this.id, note });
  }

  @Handles(Credited)
  credited({ note }: Credited, context: ProjectionContext<EntityManager>) {
    return this.add(note, context);
  }

  @Handles(Shared, { id: 'ids' })
  shared({ note }: Shared, context: ProjectionContext<EntityManager>) {
    return this.add(note, context);
  }

  @Handles(Spoiled)
  async spoiled({ note }: Spoiled, context: ProjectionContext<EntityManager>) {
    await this.add(note, context);
    if (!cured.has(note)) throw new Error(`spoiled ${note}`);
  }

  @Handles(Closed)
  async closed(_event: Closed, { manager }: ProjectionContext<EntityManager>) {
    await manager.delete(Line, { id: this.id });
  }
}

const fussyBooks: Class<object>[] = [RowBook, DocumentBook, CustomBook];
const books: Class<object>[] = [...fussyBooks, InlineBook];

interface Happening {
  readonly type: 'credited' | 'shared' | 'mentioned' | 'closed' | 'spoiled';
  readonly ids: readonly string[];
  readonly note: string;
}

/** What a fussy or a plain book shows, told as plainly as can be. */
class Model {
  readonly notes = new Map<string, string[]>();
  readonly queues = new Map<string, Happening[]>();

  constructor(private readonly kind: 'fussy' | 'plain' | 'custom') {}

  take(event: Happening): void {
    if (event.type === 'spoiled' && this.kind === 'plain') return;
    if (event.type === 'mentioned' && this.kind === 'custom') return;
    for (const id of new Set(event.ids)) {
      const queue = this.queues.get(id) ?? [];
      this.queues.set(id, [...queue, event]);
      if (queue.length === 0) this.goOn(id);
    }
  }

  goOn(id: string): void {
    const queue = this.queues.get(id) ?? [];
    while (queue[0] !== undefined && (queue[0].type !== 'spoiled' || cured.has(queue[0].note)))
      this.apply(id, queue.shift() as Happening);
    if (queue.length === 0) this.queues.delete(id);
    else this.queues.set(id, queue);
  }

  skip(id: string): void {
    this.queues.get(id)?.shift();
    this.goOn(id);
  }

  get shown(): Notes {
    return Object.fromEntries(this.notes);
  }

  private apply(id: string, { type, note }: Happening): void {
    const notes = this.notes.get(id);
    if (type === 'closed') this.notes.delete(id);
    else if (notes !== undefined || type !== 'mentioned') this.notes.set(id, [...(notes ?? []), note]);
  }
}

const id = fc.constantFrom('a', 'b', 'c', 'd');
const happening = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('credited' as const), ids: fc.tuple(id) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('shared' as const), ids: fc.array(id, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('mentioned' as const), ids: fc.tuple(id) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('closed' as const), ids: fc.tuple(id) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('spoiled' as const), ids: fc.tuple(id) }) },
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('append' as const), events: fc.array(happening, { minLength: 1, maxLength: 12 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constantFrom('stop' as const, 'start' as const, 'reopen' as const, 'check' as const) }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('retry' as const, 'skip' as const), id }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** One store, what is done to it, and what it should show. */
class World {
  private readonly models = new Map(
    books.map((book) => [book, new Model(book === InlineBook ? 'plain' : book === CustomBook ? 'custom' : 'fussy')]),
  );
  private es: EventSourcing | undefined;
  private last = 0;
  private hasSkipped = false;

  constructor(private readonly place: DatabasePlace) {}

  async open(): Promise<void> {
    await this.es?.close();
    this.es = await EventSourcing.open({ store: await this.place.open(), classes: [...books, Closed, Mentioned] });
    this.es.projections.errors().subscribe();
  }

  async take(step: Step): Promise<void> {
    const { projections } = this.opened;
    if (step.does === 'append') return this.append(step.events);
    if (step.does === 'stop') return projections.stop();
    if (step.does === 'start') return projections.start();
    if (step.does === 'reopen') return this.open();
    await this.check();
    if (!('id' in step)) return;
    await this.deal(step.does, step.id);
  }

  /** Waits until everything is applied, and holds all that is shown against the models. */
  async check(): Promise<void> {
    const { projections } = this.opened;
    await projections.start();
    await projections.caughtUp(undefined, { timeoutMs: 20_000 });
    for (const [book, model] of this.models) {
      expect([book.name, await this.shownBy(book)]).toStrictEqual([book.name, model.shown]);
      const parked = await projections.parked(book);
      const expected = [...model.queues].map(([id, queue]) => [id, queue[0]?.note, queue.length - 1]);
      expect(parked.map(({ ids, event, waiting }) => [ids?.id, (event.data as Spoiled).note, waiting]).toSorted()).toStrictEqual(
        expected.toSorted(),
      );
    }
  }

  /** Everything is mended, and folded anew. */
  async end(): Promise<void> {
    await this.check();
    for (const id of ['a', 'b', 'c', 'd']) await this.deal('retry', id, 'whole queue');
    await this.check();
    if (this.hasSkipped) return;
    for (const book of [RowBook, DocumentBook, CustomBook]) await this.opened.projections.rebuild(book);
    await this.check();
    await this.opened.close();
  }

  async close(): Promise<void> {
    await this.es?.close();
  }

  private get opened(): EventSourcing {
    return this.es as EventSourcing;
  }

  private async append(happenings: readonly Omit<Happening, 'note'>[]): Promise<void> {
    const named = happenings.map((happening) => {
      this.last += 1;
      return { ...happening, note: String(this.last) };
    });
    await this.opened.appendUnguarded('s', named.map(eventOf));
    for (const model of this.models.values()) for (const each of named) model.take(each);
  }

  private async deal(does: 'retry' | 'skip', id: string, how?: 'whole queue'): Promise<void> {
    for (const book of fussyBooks) {
      const model = this.models.get(book) as Model;
      const queue = model.queues.get(id);
      if (queue?.[0] === undefined) continue;
      if (does === 'retry') for (const { note } of how === undefined ? [queue[0]] : queue) cured.add(note);
      if (does === 'skip') this.hasSkipped = true;
      if (does === 'skip') await this.opened.projections.skip(book, { id });
      else await this.opened.projections.retry(book, { id });
      if (does === 'skip') model.skip(id);
      else model.goOn(id);
    }
  }

  private async shownBy(book: Class<object>): Promise<Notes> {
    if (book === CustomBook) return linesOf((await this.place.dataSource()) as DataSource);
    const states = (await this.opened.projections.all(book)) as { id: string; notes: string }[];
    return Object.fromEntries(states.map(({ id, notes }) => [id, notes.split(' ').slice(0, -1)]));
  }
}

function eventOf({ type, ids, note }: Happening): object {
  const [id] = ids as [string];
  if (type === 'credited') return credited(id, note);
  if (type === 'shared') return shared([...ids], note);
  if (type === 'spoiled') return spoiled(id, note);
  return type === 'closed' ? createEvent(Closed, { id }) : createEvent(Mentioned, { id, note });
}

describeDatabases(
  'Projections of every kind, under random histories',
  (database) => {
    let place: DatabasePlace;
    beforeAll(async () => {
      place = await ledgerPlace(database, [RowBook, InlineBook, Line]);
    });
    afterAll(() => place?.drop());

    it('show what a naive fold of the stored events shows, through failures and restarts, and after a rebuild', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
          cured.clear();
          await place.clear();
          const world = new World(place);
          await world.open();
          try {
            for (const step of steps) await world.take(step);
            await world.end();
          } finally {
            await world.close();
          }
        }),
        { numRuns: Number(process.env.RUNS ?? 8) },
      );
    }, 300_000);
  },
  [sqliteInMemory, pglite],
);
