import { EventSourcingError } from '../event-sourcing-error';
import type { OnInvalid } from '../events/checked-upcasting';
import { type Class, isClass, nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { type Upcaster, upcasterName } from '../events/upcaster';
import type { Upcasting } from '../events/upcasting';
import { type AsyncApiDocument, type AsyncApiOptions, toAsyncApi } from './async-api';
import { Boundaries, criteriaOf, streamName } from './boundaries';
import { type ClassModel, type EventModel, eventModel, type HandlerModel } from './class-model';
import type {
  BoundaryDescription,
  ClassDescription,
  EventDescription,
  HandlerDescription,
  UpcasterDescription,
} from './descriptions';
import { eventSchema } from './event-schema';
import { formerForms } from './former-forms';
import { givenIdentity } from './identity';
import type { JsonSchema } from './json-schema';
import { ListedClasses, type ModelCheck } from './listed-classes';
import { listedUpcasters, type UpcasterSource } from './listed-upcasters';
import { toMarkdown } from './markdown';
import { toMermaid } from './mermaid';
import { type Mistake, StartUpError } from './mistake';
import { UpcasterChains } from './upcaster-chains';

/** A class that was not given to `EventSourcing.open` is used with it. */
export class NotRegisteredError extends EventSourcingError {
  override readonly code = 'NOT_REGISTERED';

  constructor(subject: unknown, wanted: string) {
    super(`${nameOf(subject)} is no registered ${wanted}. List it in EventSourcing.open({ classes: […] }).`);
  }
}

/** How events are read that were stored under other names or versions. */
export interface EvolutionOptions {
  /** Classes with `@Upcasts` on methods, instances of them, or what `upcasts(…)` returned. */
  readonly upcasters?: readonly UpcasterSource[];
  /**
   * Stored names that the application has no use for, or families of them such as `billing.*`: their events are passed over, and
   * are no error.
   */
  readonly passOver?: readonly string[];
  /** Hears of stored events that break the rules of their classes, when they are read; nobody looks unless given. */
  readonly onInvalid?: OnInvalid;
}

/**
 * What a set of annotated classes comes to: the only reader of what the decorators recorded, and what introspection
 * answers from. Immutable.
 */
export class Registry {
  /** What stored events are read as. */
  readonly upcasting: Upcasting;
  /** Which events instances share, and how those of one are found. */
  readonly boundaries: Boundaries;
  private readonly listed: ListedClasses;
  private readonly upcastersListed: readonly Upcaster[];
  private readonly mistakes: readonly Mistake[];
  /** That upcasters do not fit together. */
  private readonly upcasterMistakes: readonly Mistake[];

  private constructor(
    readonly classes: readonly Class[],
    private readonly check: ModelCheck,
    private readonly evolution: EvolutionOptions,
  ) {
    this.listed = new ListedClasses(classes, check);
    const { upcasters, mistakes } = listedUpcasters(evolution.upcasters ?? []);
    this.upcastersListed = upcasters;
    const { passOver = [], onInvalid } = evolution;
    const chains = new UpcasterChains({ events: this.allEvents(), upcasters, passOver, onInvalid });
    this.mistakes = [...this.listed.mistakes, ...mistakes];
    this.upcasterMistakes = chains.mistakes;
    this.upcasting = chains.upcasting();
    this.boundaries = new Boundaries(this.listed, this.upcasting);
  }

  /**
   * Resolves `classes`: aggregates, projections, reactors and, where no handler names them, events.
   *
   * @throws {@link StartUpError} with every mistake there is.
   */
  static of(classes: readonly unknown[], check: ModelCheck = () => [], evolution: EvolutionOptions = {}): Registry {
    if (!Array.isArray(classes)) throw new InvalidArgumentError(`A registry takes classes, an array, not ${nameOf(classes)}.`);
    const registry = new Registry(classes as readonly Class[], check, evolution);
    const mistakes = [...registry.mistakes, ...registry.upcasterMistakes];
    if (mistakes.length > 0) throw new StartUpError(mistakes);
    return registry;
  }

  /**
   * Resolves `classes` also where upcasters do not fit together, for who tells of that in another way than a start does.
   *
   * @internal
   * @throws {@link StartUpError} with every other mistake there is.
   */
  static withUpcasterMistakes(
    classes: readonly unknown[],
    evolution: EvolutionOptions,
  ): { readonly registry: Registry; readonly mistakes: readonly Mistake[] } {
    const registry = new Registry(classes as readonly Class[], () => [], evolution);
    const { mistakes, upcasterMistakes } = registry;
    if (mistakes.length > 0) throw new StartUpError([...mistakes, ...upcasterMistakes]);
    return { registry, mistakes: upcasterMistakes };
  }

  /** @throws {@link StartUpError} as {@link Registry.of}; this registry stays as it is. */
  with(classes: readonly unknown[]): Registry {
    return Registry.of([...this.classes, ...classes], this.check, this.evolution);
  }

  /** @returns every event that a class handles or that was listed, in order of their stored names. */
  events(): EventDescription[] {
    const events = [...this.listed.eventsByType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
    return events.map(({ class: target, type, schemaVersion, aliases }) => ({
      class: target.name,
      type,
      schemaVersion,
      ...(aliases.length > 0 && { aliases: [...aliases] }),
      handledBy: [...new Set(this.listed.handlersOfType(type).map(({ model }) => model.class.name))],
    }));
  }

  /** @returns the upcasters in the order they were listed. */
  upcasters(): UpcasterDescription[] {
    const nameFor = (event: Class | string) => {
      const model = typeof event === 'string' ? this.listed.eventsByName.get(event) : eventModel(event);
      return model?.type ?? String(event);
    };
    return this.upcastersListed.map((upcaster) => ({
      name: upcasterName(upcaster),
      from: { type: nameFor(upcaster.source), version: upcaster.from },
      into: upcaster.into.map(({ event, version }) => ({ type: nameFor(event), version })),
    }));
  }

  /** @returns the aggregates in the order they were listed. */
  aggregates(): ClassDescription[] {
    return this.modelsOf('aggregate').map((model) => this.describeModel(model));
  }

  /** @returns the projections in the order they were listed. */
  projections(): ClassDescription[] {
    return this.modelsOf('projection').map((model) => this.describeModel(model));
  }

  /** @returns the reactors in the order they were listed. */
  reactors(): ClassDescription[] {
    return this.modelsOf('reactor').map((model) => this.describeModel(model));
  }

  /**
   * @param event An event class, or a name that it is stored under.
   * @returns every handler of the event, over all classes.
   */
  handlersOf(event: Class | string): HandlerDescription[] {
    const type = typeof event === 'string' ? (this.listed.eventsByName.get(event)?.type ?? event) : this.eventOf(event).type;
    return this.listed.handlersOfType(type).map(({ model, handler }) => describeHandler(model, handler));
  }

  /** @throws {@link NotRegisteredError} when `target` is no registered aggregate, projection or reactor. */
  describe(target: Class): ClassDescription {
    return this.describeModel(this.modelOf(target));
  }

  /** @returns the names of the properties that identify an instance of the class; none for a class with one instance. */
  projectionIds(target: Class): string[] {
    return [...this.modelOf(target).ids];
  }

  /**
   * Tells which events an instance depends on.
   *
   * @param ids The instance's ids. Without them the answer is the pattern for all: tags such as `from:<accountId>`.
   * @throws {@link InvalidIdError} when `ids` are given and do not fit the class.
   */
  boundaryOf(target: Class, ids?: object): BoundaryDescription {
    const model = this.modelOf(target);
    const values = ids === undefined ? model.ids.map((id) => `<${id}>`) : givenIdentity(model, ids).values;
    const stream = model.aggregate && !this.boundaries.isOpen(model) ? streamName(model, values) : undefined;
    return { ...(stream === undefined ? {} : { stream }), criteria: criteriaOf(model, values, this.upcasting) };
  }

  /** @returns the class that was listed under this name, to go from a description back to the class. */
  classOf(name: string): Class | undefined {
    for (const target of [...this.listed.models.keys(), ...[...this.listed.eventsByType.values()].map((event) => event.class)]) {
      if (target.name === name) return target;
    }
    return undefined;
  }

  /**
   * @returns a Mermaid flow chart of events, their handlers, and the names they are read from, which GitHub draws in a fence
   * marked `mermaid`.
   */
  toMermaid(): string {
    return toMermaid(this.source());
  }

  /**
   * @returns by stored name, the JSON Schema (draft 7) of the form that each event is stored in: from class-validator's rules,
   * class-transformer's decorators, the types that compilers emit, and the values that a new instance has. A `$comment` tells of
   * other names and versions that it is read from.
   */
  toJsonSchema(): Record<string, JsonSchema> {
    const [schemas, upcasters] = [this.schemas(), this.upcasters()];
    return Object.fromEntries(
      this.events().map((event): [string, JsonSchema] => {
        const schema = schemas.get(event.type) ?? {};
        const comment = formerForms(event, upcasters);
        return [event.type, comment === '' ? schema : { ...schema, $comment: comment }];
      }),
    );
  }

  /**
   * @returns a document of AsyncAPI 3: a channel for each event, and an operation for each class that handles it. Messages tell
   * what they are read from as `x-aliases` and `x-read-from`; what is read as nothing stands in `info` as `x-not-read`.
   */
  toAsyncApi(options: AsyncApiOptions): AsyncApiDocument {
    for (const key of ['title', 'version'] as const)
      if (typeof options?.[key] !== 'string' || options[key] === '')
        throw new InvalidArgumentError(`registry.toAsyncApi takes { title, version }; ${key} is ${nameOf(options?.[key])}.`);
    return toAsyncApi({ ...this.source(), schemas: this.schemas() }, options);
  }

  /** @returns a page in Markdown about each event, what it holds, who handles it and what it is read from, with the diagram. */
  toMarkdown(title = 'Events'): string {
    return toMarkdown({ ...this.source(), schemas: this.schemas(), diagram: this.toMermaid() }, title);
  }

  /**
   * @param kind A reactor goes for a projection.
   * @throws {@link NotRegisteredError} when `target` is no registered aggregate, projection or reactor, or not of `kind`.
   */
  modelOf(target: unknown, kind?: 'aggregate' | 'projection'): ClassModel {
    const model = this.listed.models.get(target as Class);
    if (model === undefined || (kind !== undefined && model[kind] === undefined)) {
      throw new NotRegisteredError(target, kind ?? 'aggregate, projection or reactor');
    }
    return model;
  }

  /** @throws {@link NotRegisteredError} when no registered class handles `event` and it was not listed. */
  eventOf(event: unknown): EventModel {
    const model = isClass(event) ? eventModel(event) : undefined;
    if (model === undefined || this.listed.eventsByType.get(model.type)?.class !== event)
      throw new NotRegisteredError(event, 'event');
    return model;
  }

  /** @returns the event that is stored under `type`, if it is known. */
  eventByType(type: string): EventModel | undefined {
    return this.listed.eventsByType.get(type);
  }

  /** @returns every registered event. */
  allEvents(): readonly EventModel[] {
    return [...this.listed.eventsByType.values()];
  }

  /** @returns every registered aggregate, projection and reactor. */
  allModels(): readonly ClassModel[] {
    return [...this.listed.models.values()];
  }

  private schemas(): Map<string, JsonSchema> {
    const events = this.events().map(({ type }) => this.listed.eventsByType.get(type) as EventModel);
    return new Map(events.map((event) => [event.type, eventSchema(event)]));
  }

  private source() {
    const { passOver = [] } = this.evolution;
    return { events: this.events(), classes: this.described(), upcasters: this.upcasters(), passOver };
  }

  private described(): ClassDescription[] {
    return [...this.aggregates(), ...this.projections(), ...this.reactors()];
  }

  private describeModel(model: ClassModel): ClassDescription {
    const shared = [...model.byType.keys()].map(
      (type) => [type, this.boundaries.sharers(model, type).map((other) => other.class.name)] as const,
    );
    const { snapshot } = model.aggregate ?? model.projection ?? {};
    return {
      kind: kindsOf(model)[0] as ClassDescription['kind'],
      class: model.class.name,
      name: model.name,
      ids: [...model.ids],
      handlers: model.handlers.map((handler) => describeHandler(model, handler)),
      commands: model.commands.map(({ name }) => name),
      ...(model.aggregate && {
        guard: this.boundaries.isOpen(model) ? ('boundary' as const) : ('stream' as const),
        sharedWith: Object.fromEntries(shared.filter(([, others]) => others.length > 0)),
      }),
      ...(model.projection && !model.projection.reactor && { mode: model.projection.mode }),
      ...(snapshot && { snapshot }),
    };
  }

  private modelsOf(kind: ClassDescription['kind']): ClassModel[] {
    return [...this.listed.models.values()].filter((model) => kindsOf(model).includes(kind));
  }
}

/** @returns what a class is: more than one thing only where that is a mistake. */
function kindsOf({ aggregate, projection }: ClassModel): ClassDescription['kind'][] {
  return [
    ...(aggregate ? (['aggregate'] as const) : []),
    ...(projection ? [projection.reactor ? ('reactor' as const) : ('projection' as const)] : []),
  ];
}

function describeHandler(model: ClassModel, { event, method, sources }: HandlerModel): HandlerDescription {
  const ids = model.ids.map((id, index) => {
    const source = sources[index] ?? id;
    return [id, typeof source === 'string' ? source : { computed: String(source) }] as const;
  });
  return { class: model.class.name, method: String(method), event: event.type, ids: Object.fromEntries(ids) };
}
