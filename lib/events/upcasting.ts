import { decode, type EventIdentity } from './decode';
import { UnknownEventTypeError } from './event-errors';
import { nearestName } from './nearest-name';
import type { RecordedEvent } from './recorded-event';
import { upcast } from './upcast';
import { type NamedEvents, UpcastWays } from './upcast-way';

/** What stored events are read as: by their names, aliases and upcasters. */
export interface UpcastingOptions {
  /** By stored name. */
  readonly names: ReadonlyMap<string, NamedEvents>;
  /** By the name of a registered event: the stored names that lead to it, its own first. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
  /** Stored names that this application has no use for. */
  readonly passedOver: Pick<ReadonlySet<string>, 'has'>;
}

const none: readonly RecordedEvent[] = Object.freeze([]);

/** Turns stored events into those that the classes of today declare. What is stored stays as it is. */
export class Upcasting {
  private readonly current = new Map<string, EventIdentity>();
  /** By stored name: the names of the registered events that it may lead to. */
  private readonly results = new Map<string, string[]>();
  private readonly ways: UpcastWays;

  constructor(private readonly options: UpcastingOptions) {
    this.ways = new UpcastWays(options.names);
    for (const [name, { event }] of options.names) if (event?.type === name) this.current.set(name, event);
    for (const [type, names] of options.sources)
      for (const name of names) this.results.set(name, [...(this.results.get(name) ?? []), type]);
  }

  /** @returns what reads events of these classes as they are stored, under their names and aliases. */
  static of(events: Iterable<EventIdentity & { readonly aliases: readonly string[] }>): Upcasting {
    const names = new Map<string, NamedEvents>();
    const sources = new Map<string, readonly string[]>();
    for (const event of events) {
      const own = [event.type, ...event.aliases];
      for (const name of own) names.set(name, { event, steps: new Map() });
      sources.set(event.type, own);
    }
    return new Upcasting({ names, sources, passedOver: new Set() });
  }

  /**
   * @returns the event with its data as an instance of its class; undefined where it is stored under another name or
   * version, and {@link parts} is to be asked.
   * @throws {@link UnreadablePayloadError} when the stored data is not what the class declares.
   */
  asStored(recorded: RecordedEvent): RecordedEvent | undefined {
    const event = this.current.get(recorded.type);
    return event !== undefined && event.schemaVersion === recorded.schemaVersion ? decode(recorded, event) : undefined;
  }

  /**
   * @returns the events that a stored event stands for: one, several, or none when it was dropped or is passed over.
   * @throws {@link UnknownEventTypeError}, {@link MissingUpcasterError}, {@link NewerEventError}, {@link UpcastError} or
   * {@link UnreadablePayloadError}, each with type, id and position.
   */
  parts(recorded: RecordedEvent): readonly RecordedEvent[] {
    const way = this.ways.from(recorded.type, recorded.schemaVersion);
    if (way === undefined) {
      if (this.options.passedOver.has(recorded.type)) return none;
      throw new UnknownEventTypeError(recorded, nearestName(recorded.type, this.options.names.keys()));
    }
    return upcast(recorded, way);
  }

  /** @returns the stored names that lead to a registered event, its own first. */
  namesOf(type: string): readonly string[] {
    return this.options.sources.get(type) ?? [type];
  }

  /** @returns the names and versions that lead to a registered event: its own name alone where there are no others. */
  lineOf(type: string): readonly string[] {
    const { names } = this.options;
    return this.namesOf(type).flatMap((name) => {
      const steps = [...(names.get(name)?.steps.entries() ?? [])];
      return [name, ...steps.map(([version, { targets }]) => `${version} → ${targets.map((to) => `${to.type} ${to.version}`)}`)];
    });
  }

  /** @returns the steps that a stored name is led on by, and what it becomes by them; none where no upcaster reads it. */
  stepsFrom(name: string): readonly string[] {
    const reached = new Set([name]);
    const steps: string[] = [];
    for (const type of reached) {
      for (const [version, { targets }] of this.options.names.get(type)?.steps ?? []) {
        steps.push(`${type} ${version} → ${targets.map((to) => `${to.type} ${to.version}`)}`);
        for (const to of targets) reached.add(to.type);
      }
    }
    return steps.sort();
  }

  /** @returns the names of the registered events that a stored name may lead to. */
  typesFrom(name: string): readonly string[] {
    return this.results.get(name) ?? [];
  }

  /** @returns how events of a stored name and version are read: why they cannot be, where that is so. */
  reads(name: string, version: number): 'current' | 'upcast' | 'passed over' | 'unknown' | 'newer' | 'no upcaster' {
    const named = this.options.names.get(name);
    if (named === undefined) return this.options.passedOver.has(name) ? 'passed over' : 'unknown';
    if (named.event?.schemaVersion === version) return 'current';
    if (named.steps.has(version)) return 'upcast';
    return named.event !== undefined && version > named.event.schemaVersion ? 'newer' : 'no upcaster';
  }

  /** @returns every stored name that something is known of. */
  get knownNames(): IterableIterator<string> {
    return this.options.names.keys();
  }

  /** @returns the version that the code knows under a stored name. */
  knownVersion(name: string): number | undefined {
    return this.options.names.get(name)?.event?.schemaVersion;
  }
}
