import { type Class, EventSourcing, type EventStore, InMemoryEventStore, type RecordedEvent } from 'eventfold';
import type { DataSource } from 'typeorm';
import { type Database, type DatabasePlace, databases } from '../controls/databases';

/** Events in one place, to which any number of processes open a store. */
export interface Place {
  /** Opens it as another process does. */
  open(): Promise<EventStore>;
  /** Removes all it holds. Whatever was opened is closed by then. */
  clear(): Promise<void>;
  /** Ends it. */
  drop(): Promise<void>;
}

/** A kind of store, held to its promises. */
export interface Kind {
  readonly name: string;
  readonly isMissing: boolean;
  make(): Promise<Place>;
}

class MemoryPlace implements Place {
  private store = new InMemoryEventStore();

  async open(): Promise<EventStore> {
    return this.store;
  }

  async clear(): Promise<void> {
    await this.store.close();
    this.store = new InMemoryEventStore();
  }

  async drop(): Promise<void> {
    await this.store.close();
  }
}

/** So many processes have connections of their own; connections of earlier ones are taken again after `clear`. */
const manyProcesses = 4;

class SqlPlace implements Place {
  private readonly dataSources: Promise<DataSource>[] = [];
  private opened = 0;

  constructor(
    private readonly place: DatabasePlace,
    private readonly isShared: boolean,
  ) {}

  async open(): Promise<EventStore> {
    const index = this.isShared ? this.opened % manyProcesses : 0;
    this.opened += 1;
    // The first makes the tables.
    this.dataSources[0] ??= this.place.dataSource();
    this.dataSources[index] ??= this.dataSources[0].then(() => this.place.connect());
    return this.place.open({}, await this.dataSources[index]);
  }

  async clear(): Promise<void> {
    this.opened = 0;
    await this.place.clear();
  }

  async drop(): Promise<void> {
    await this.place.drop();
  }
}

/** Every kind of store that there is. A new one is added here, and all promises are asked of it. */
export const kinds: readonly Kind[] = [
  { name: 'InMemoryEventStore', isMissing: false, make: async () => new MemoryPlace() },
  ...databases.map(
    (database: Database): Kind => ({
      name: database.name,
      isMissing: database.isMissing,
      make: async () => {
        const place = await database.make();
        await place.dataSource();
        return new SqlPlace(place, database.isShared);
      },
    }),
  ),
];

/** What a promise is tried with: an empty place before each rule, and processes on it. */
export class Trial {
  private place: Place | undefined;
  private reader: Promise<EventStore> | undefined;
  private readonly processes: EventSourcing[] = [];

  constructor(readonly kind: Kind) {}

  /** Whether the place is in this process, where all is faster. */
  get isInMemory(): boolean {
    return this.kind.name === 'InMemoryEventStore';
  }

  /** Makes the place, which takes a while where a database is started. */
  async prepare(): Promise<void> {
    this.place ??= await this.kind.make();
  }

  async begin(): Promise<void> {
    if (this.place === undefined) await this.prepare();
    else await this.place.clear();
  }

  async end(): Promise<void> {
    for (const es of this.processes.splice(0)) await es.close();
    await (await this.reader)?.close();
    this.reader = undefined;
  }

  /** Ends the place itself. */
  async drop(): Promise<void> {
    await this.place?.drop();
    this.place = undefined;
  }

  /** A store on the place, as another process has it. */
  store(): Promise<EventStore> {
    if (this.place === undefined) throw new Error('The trial has not begun.');
    return this.place.open();
  }

  /** A process of its own. Failures of projections are expected, so it listens to them. */
  async process(...classes: Class[]): Promise<EventSourcing> {
    const es = await EventSourcing.open({ store: await this.store(), classes });
    return this.adopt(es);
  }

  /** Has a process that was opened otherwise closed at the end. */
  adopt(es: EventSourcing): EventSourcing {
    es.projections.errors().subscribe();
    this.processes.push(es);
    return es;
  }

  /** Everything that is stored, in order. */
  async stored(): Promise<RecordedEvent[]> {
    this.reader ??= this.store();
    const events: RecordedEvent[] = [];
    for await (const event of (await this.reader).read({})) events.push(event);
    return events;
  }
}

/** Asks rules of every kind of store; those of a missing one are reported as skipped. */
export function promise(title: string, rules: (trial: Trial) => void): void {
  for (const kind of kinds) {
    (kind.isMissing ? describe.skip : describe)(`${title} (${kind.name})`, () => {
      const trial = new Trial(kind);
      beforeAll(() => trial.prepare(), 60_000);
      beforeEach(() => trial.begin());
      afterEach(() => trial.end());
      afterAll(() => trial.drop());
      rules(trial);
    });
  }
}

export const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
