import { type Class, EventSourcing, type EventStore, InMemoryEventStore, type RecordedEvent } from 'eventfold';

/** Events in one place, to which any number of processes open a store. */
export interface Place {
  open(): Promise<EventStore>;
  /** Ends it with all it holds. */
  drop(): Promise<void>;
}

/** A kind of store, held to its promises. */
export interface Kind {
  readonly name: string;
  make(): Promise<Place>;
}

/** Every kind of store that there is. A new one is added here, and all promises are asked of it. */
const kinds: readonly Kind[] = [
  {
    name: 'InMemoryEventStore',
    make: async () => {
      const store = new InMemoryEventStore();
      return { open: async () => store, drop: () => store.close() };
    },
  },
];

/** What a promise is tried with: an empty place before each rule, and processes on it. */
export class Trial {
  private place: Place | undefined;
  private readonly processes: EventSourcing[] = [];

  constructor(private readonly kind: Kind) {}

  async begin(): Promise<void> {
    this.place = await this.kind.make();
  }

  async end(): Promise<void> {
    for (const es of this.processes.splice(0)) await es.close();
    await this.place?.drop();
  }

  /** A store on the place, as another process has it. */
  store(): Promise<EventStore> {
    if (this.place === undefined) throw new Error('The trial has not begun.');
    return this.place.open();
  }

  /** A process of its own. Failures of projections are expected, so it listens to them. */
  async process(...classes: Class[]): Promise<EventSourcing> {
    const es = await EventSourcing.open({ store: await this.store(), classes });
    es.projections.errors().subscribe();
    this.processes.push(es);
    return es;
  }

  /** Everything that is stored, in order. */
  async stored(): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of (await this.store()).read({})) events.push(event);
    return events;
  }
}

/** Asks a promise of every kind of store. */
export function promise(title: string, rules: (trial: Trial) => void): void {
  describe.each(kinds)(`${title} ($name)`, (kind) => {
    const trial = new Trial(kind);
    beforeEach(() => trial.begin());
    afterEach(() => trial.end());
    rules(trial);
  });
}

export const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
