import type { Position, RecordedEvent } from '../../events/recorded-event';
import { identityOf } from '../../metadata/identity';
import type { EventStore } from '../../store/event-store';
import type {
  Changes,
  Failure,
  GenerationId,
  GenerationRecord,
  InstanceId,
  ProjectionStore,
  QueuedEvent,
  Role,
  SavedInstance,
  StateDefinition,
} from '../../store/projection-store';
import { append, notes } from '../event-store/steps';
import type { Tally } from './tally';

/** What a scene is made of. */
export interface SceneParts {
  readonly store: EventStore;
  readonly place: ProjectionStore;
  /** Opens the same place as another process would; undefined where that is not possible. */
  readonly another: () => Promise<ProjectionStore | undefined>;
  readonly definition: StateDefinition;
}

/** As long as no rule takes. */
export const longMs = 600_000;

/** What a rule is shown on: a place for projections, and a stream of nine events. */
export class Scene {
  private constructor(
    private readonly parts: SceneParts,
    readonly events: readonly RecordedEvent[],
  ) {}

  static async begin(parts: SceneParts): Promise<Scene> {
    const { events } = await append(parts.store, 'a', notes(9));
    return new Scene(parts, events);
  }

  get store(): EventStore {
    return this.parts.store;
  }

  get place(): ProjectionStore {
    return this.parts.place;
  }

  get definition(): StateDefinition {
    return this.parts.definition;
  }

  another(): Promise<ProjectionStore | undefined> {
    return this.parts.another();
  }

  /** @returns the event of that number: 1 to 9. */
  event(number: number): RecordedEvent {
    return this.events[number - 1] as RecordedEvent;
  }

  /** @returns the position of the event of that number: 1 to 9; undefined for 0. */
  at(number: number): Position | undefined {
    return this.events[number - 1]?.position;
  }

  /** @returns the same, for where there has to be one. */
  position(number: number): Position {
    return this.event(number).position;
  }

  id(name: string): InstanceId {
    return identityOf([name]);
  }

  tally(name: string, total = 0, note: string | null = null): Tally {
    return Object.assign(this.definition.create(this.id(name)), { total, note }) as Tally;
  }

  /** @returns a new instance to be kept. */
  made(name: string, total = 0, note: string | null = null): SavedInstance {
    return { id: this.id(name), state: this.tally(name, total, note), isNew: true };
  }

  /** @returns an instance to be kept that was there. */
  changed(name: string, total = 0, note: string | null = null): SavedInstance {
    return { ...this.made(name, total, note), isNew: false };
  }

  /** @returns changes that leave the checkpoint where `record` has it, unless told otherwise. */
  changes({ checkpoint }: GenerationRecord, given: Partial<Changes> = {}): Changes {
    return { from: checkpoint, to: checkpoint, saved: [], removed: [], queued: [], released: [], ...given };
  }

  /** Begins a generation, and takes its lease for the owner `one`. */
  async take(role: 'serving' | 'building' = 'serving', version = 1): Promise<GenerationRecord> {
    const created = await this.place.create(this.definition, version, role);
    return (await this.place.take(created, 'one', longMs)) as GenerationRecord;
  }

  /** Keeps changes, and fails when they are not kept. @returns the record afterwards. */
  async keep(record: GenerationRecord, given: Partial<Changes>): Promise<GenerationRecord> {
    if (!(await this.commit(record, given))) throw new Error('The changes were not kept.');
    return this.recordOf(record);
  }

  commit(record: GenerationRecord, given: Partial<Changes> = {}): Promise<boolean> {
    return this.place.commit(this.definition, record, this.changes(record, given));
  }

  async recordOf({ projection, generation }: GenerationId): Promise<GenerationRecord> {
    const records = await this.place.records(projection);
    return records.find((record) => record.generation === generation) as GenerationRecord;
  }

  /** @returns the roles of the projection's generations, in order of generation. */
  async roles(): Promise<Role[]> {
    return (await this.place.records(this.definition.projection)).map(({ role }) => role);
  }

  /** @returns what is kept of the instances, by name. */
  async load(names: readonly string[], role: Role = 'serving', place = this.place): Promise<Record<string, Tally>> {
    const ids = names.map((name) => this.id(name));
    const loaded = await place.load(this.definition, { projection: this.definition.projection, role }, ids);
    const found = names.filter((name) => loaded.has(this.id(name).key));
    return Object.fromEntries(found.map((name) => [name, loaded.get(this.id(name).key) as Tally]));
  }

  /** @returns the totals of all instances, by id. */
  async totals(role: Role = 'serving'): Promise<Record<string, number>> {
    const tallies = (await this.scanned(role)).flat().map(({ id, total }): [string, number] => [id, total]);
    return Object.fromEntries(tallies.sort());
  }

  /** @returns the chunks in which all instances are read. */
  async scanned(role: Role = 'serving'): Promise<Tally[][]> {
    const chunks: Tally[][] = [];
    const { definition } = this;
    for await (const chunk of this.place.scan(definition, { projection: definition.projection, role }))
      chunks.push(chunk as Tally[]);
    return chunks;
  }

  /** @returns an event that failed on an instance. */
  failed(name: string, number: number, given: Partial<Failure> = {}): QueuedEvent {
    return { ...this.waiting(name, number), failure: { ...failure, ...given } };
  }

  /** @returns an event that waits behind another one. */
  waiting(name: string, number: number): QueuedEvent {
    return { ...this.id(name), event: this.event(number), failure: undefined };
  }
}

/** How an event failed, unless told otherwise. */
export const failure: Failure = {
  message: 'It cannot be.',
  stack: 'Error: It cannot be.\n    at a place',
  attempts: 1,
  firstFailedAt: '2001-02-03T04:05:06.789Z',
  lastFailedAt: '2001-02-03T04:05:06.789Z',
  retryAt: undefined,
};

/** Waits until `look` gives something, looking again and again for up to four seconds. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + 4_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error('It did not come about in four seconds.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
