import { EventSourcingError } from '../event-sourcing-error';
import type { OnInvalid } from '../events/checked-upcasting';
import { type Criterion, tag } from '../events/criterion';
import { digest } from '../events/digest';
import { type Class, isClass, nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { type Upcaster, upcasterName } from '../events/upcaster';
import type { Upcasting } from '../events/upcasting';
import { type AsyncApiDocument, type AsyncApiOptions, toAsyncApi } from './async-api';
import { classMistakes } from './class-checks';
import { type ClassModel, classModel, type EventModel, eventModel, type HandlerModel } from './class-model';
import type {
  BoundaryDescription,
  ClassDescription,
  EventDescription,
  HandlerDescription,
  UpcasterDescription,
} from './descriptions';
import { eventSchema } from './event-schema';
import { formerForms } from './former-forms';
import { givenIdentity, type IdValue, tagName, tagsOf } from './identity';
import type { JsonSchema } from './json-schema';
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

/** A tag that a boundary looks for on the events of a type. */
export interface WantedTag {
  readonly type: string;
  /** What the store knows it by: of stored events that upcasters read, with what tells these upcasters from others. */
  readonly property: string;
  /** The event's property; where a function of a class gives the value, `Class.id()`. */
  readonly source: string;
  /** Upcasters may have changed what it says: a tag that is there may be that of the stored value. */
  readonly isUpcast: boolean;
  /** What its tags begin with, up to the colon. */
  readonly tagName: string;
  /** The class that looks for it, or the first of several. */
  readonly class: string;
  /** The id that it tells. */
  readonly id: string;
}

const upcastBy = ' upcast by ';

function upcastProperty(property: string, steps: readonly string[]): string {
  return `${property}${upcastBy}${digest(steps)}`;
}

/** Says whether that is what the store knows a tag by that upcasters give. */
export function isUpcastProperty(property: string): boolean {
  return property.includes(upcastBy);
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

/** Looks for mistakes that only a later layer can see, also beside classes that were listed before; given to {@link Registry.of}. */
export type ModelCheck = (model: ClassModel, before: readonly ClassModel[]) => readonly Mistake[];

/**
 * What a set of annotated classes comes to: the only reader of what the decorators recorded, and what introspection
 * answers from. Immutable.
 */
export class Registry {
  /** What stored events are read as. */
  readonly upcasting: Upcasting;
  private readonly models = new Map<Class, ClassModel>();
  private readonly eventsByType = new Map<string, EventModel>();
  /** By every name that an event is read under. */
  private readonly eventsByName = new Map<string, EventModel>();
  private readonly upcastersListed: readonly Upcaster[];
  private readonly handlersByType = new Map<string, { model: ClassModel; handler: HandlerModel }[]>();
  private readonly openness = new Map<ClassModel, boolean>();
  /** By event type: the handlers whose classes ask for tags. */
  private readonly taggedBy = new Map<string, readonly { model: ClassModel; handler: HandlerModel }[]>();
  private readonly mistakes: Mistake[] = [];
  /** That upcasters do not fit together. */
  private readonly upcasterMistakes: readonly Mistake[];

  private constructor(
    readonly classes: readonly Class[],
    private readonly check: ModelCheck,
    private readonly evolution: EvolutionOptions,
  ) {
    for (const listed of classes) this.add(listed);
    for (const model of this.models.values()) {
      for (const handler of model.handlers) this.addHandler(model, handler);
      for (const ignored of model.aggregate?.ignores ?? []) this.addIgnored(ignored);
    }
    this.findDuplicateNames();
    const { upcasters, mistakes } = listedUpcasters(evolution.upcasters ?? []);
    this.upcastersListed = upcasters;
    const { passOver = [], onInvalid } = evolution;
    const chains = new UpcasterChains({ events: this.allEvents(), upcasters, passOver, onInvalid });
    this.mistakes.push(...mistakes);
    this.upcasterMistakes = chains.mistakes;
    this.upcasting = chains.upcasting();
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
    const events = [...this.eventsByType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
    return events.map(({ class: target, type, schemaVersion, aliases }) => ({
      class: target.name,
      type,
      schemaVersion,
      ...(aliases.length > 0 && { aliases: [...aliases] }),
      handledBy: [...new Set(this.handlersOfType(type).map(({ model }) => model.class.name))],
    }));
  }

  /** @returns the upcasters in the order they were listed. */
  upcasters(): UpcasterDescription[] {
    const nameFor = (event: Class | string) => {
      const model = typeof event === 'string' ? this.eventsByName.get(event) : eventModel(event);
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
    const type = typeof event === 'string' ? (this.eventsByName.get(event)?.type ?? event) : this.eventOf(event).type;
    return this.handlersOfType(type).map(({ model, handler }) => describeHandler(model, handler));
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
    const stream = model.aggregate && !this.isOpen(model) ? streamName(model, values) : undefined;
    return { ...(stream === undefined ? {} : { stream }), criteria: criteriaOf(model, values, this.upcasting) };
  }

  /** @returns the class that was listed under this name, to go from a description back to the class. */
  classOf(name: string): Class | undefined {
    for (const target of [...this.models.keys(), ...[...this.eventsByType.values()].map((event) => event.class)]) {
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
    const model = this.models.get(target as Class);
    if (model === undefined || (kind !== undefined && model[kind] === undefined)) {
      throw new NotRegisteredError(target, kind ?? 'aggregate, projection or reactor');
    }
    return model;
  }

  /** @throws {@link NotRegisteredError} when no registered class handles `event` and it was not listed. */
  eventOf(event: unknown): EventModel {
    const model = isClass(event) ? eventModel(event) : undefined;
    if (model === undefined || this.eventsByType.get(model.type)?.class !== event) throw new NotRegisteredError(event, 'event');
    return model;
  }

  /** @returns the event that is stored under `type`, if it is known. */
  eventByType(type: string): EventModel | undefined {
    return this.eventsByType.get(type);
  }

  /** @returns every registered event. */
  allEvents(): readonly EventModel[] {
    return [...this.eventsByType.values()];
  }

  /** @returns every registered aggregate, projection and reactor. */
  allModels(): readonly ClassModel[] {
    return [...this.models.values()];
  }

  /** Says whether an event of the aggregate may lie outside of its own stream, so that its boundary guards it. */
  isOpen(model: ClassModel): boolean {
    const known = this.openness.get(model);
    if (known !== undefined) return known;
    const isOpen = model.aggregate?.guard === 'boundary' || model.handlers.some((handler) => this.isShared(model, handler));
    this.openness.set(model, isOpen);
    return isOpen;
  }

  /** @returns the closed aggregate whose stream holds all events of the type, and its handler, if there is one. */
  ownerOf(type: string): { model: ClassModel; handler: HandlerModel } | undefined {
    return this.handlersOfType(type).find(({ model }) => model.aggregate !== undefined && !this.isOpen(model));
  }

  /** @returns the tags to index the event under: those that an open aggregate or a live projection asks for. */
  tagsOf(type: string, event: object): string[] {
    const askers = this.askersFor(type);
    if (askers.length === 0) return [];
    return [...new Set(askers.flatMap(({ model, handler }) => tagsOf(model, handler, event)))];
  }

  /** @returns what {@link tagsOf} tags events by: each property or function once for each event type. */
  wantedTags(): readonly WantedTag[] {
    const wanted = new Map<string, WantedTag>();
    for (const type of this.handlersByType.keys()) {
      for (const { model, handler } of this.askersFor(type)) {
        for (const [index, source] of handler.sources.entries()) {
          const name = tagName(model, source, index);
          const property = typeof source === 'string' ? name : `${name}()`;
          const tag = { source: property, tagName: name, class: model.name, id: model.ids[index] ?? '' };
          for (const stored of this.upcasting.namesOf(type)) {
            const steps = this.upcasting.stepsFrom(stored);
            const upcast = { ...tag, type: stored, property: upcastProperty(property, steps), isUpcast: true };
            for (const one of [{ ...tag, type: stored, property, isUpcast: false }, ...(steps.length > 0 ? [upcast] : [])]) {
              const key = JSON.stringify([stored, one.property]);
              if (!wanted.has(key)) wanted.set(key, one);
            }
          }
        }
      }
    }
    return [...wanted.values()];
  }

  private schemas(): Map<string, JsonSchema> {
    const events = this.events().map(({ type }) => this.eventsByType.get(type) as EventModel);
    return new Map(events.map((event) => [event.type, eventSchema(event)]));
  }

  private source() {
    const { passOver = [] } = this.evolution;
    return { events: this.events(), classes: this.described(), upcasters: this.upcasters(), passOver };
  }

  private described(): ClassDescription[] {
    return [...this.aggregates(), ...this.projections(), ...this.reactors()];
  }

  private askersFor(type: string): readonly { model: ClassModel; handler: HandlerModel }[] {
    let askers = this.taggedBy.get(type);
    if (askers === undefined) {
      askers = this.handlersOfType(type).filter(({ model }) => this.asksForTags(model));
      this.taggedBy.set(type, askers);
    }
    return askers;
  }

  private asksForTags(model: ClassModel): boolean {
    return model.projection?.mode === 'live' || (model.aggregate !== undefined && this.isOpen(model));
  }

  private isShared(model: ClassModel, handler: HandlerModel): boolean {
    if (handler.sources.some((source) => typeof source === 'function')) return true;
    if ((model.byType.get(handler.event.type)?.length ?? 0) > 1) return true;
    return this.sharers(model, handler.event.type).length > 0;
  }

  private sharers(model: ClassModel, type: string): ClassModel[] {
    // What was stored as one event may belong to several classes by now.
    const types = new Set(this.upcasting.namesOf(type).flatMap((name) => this.upcasting.typesFrom(name)));
    const handlers = [...types.add(type)].flatMap((each) => this.handlersOfType(each));
    const others = handlers.filter((other) => other.model !== model && other.model.aggregate !== undefined);
    return [...new Set(others.map((other) => other.model))];
  }

  private describeModel(model: ClassModel): ClassDescription {
    const shared = [...model.byType.keys()].map(
      (type) => [type, this.sharers(model, type).map((other) => other.class.name)] as const,
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
        guard: this.isOpen(model) ? ('boundary' as const) : ('stream' as const),
        sharedWith: Object.fromEntries(shared.filter(([, others]) => others.length > 0)),
      }),
      ...(model.projection && !model.projection.reactor && { mode: model.projection.mode }),
      ...(snapshot && { snapshot }),
    };
  }

  private handlersOfType(type: string): readonly { model: ClassModel; handler: HandlerModel }[] {
    return this.handlersByType.get(type) ?? [];
  }

  private modelsOf(kind: ClassDescription['kind']): ClassModel[] {
    return [...this.models.values()].filter((model) => kindsOf(model).includes(kind));
  }

  private add(listed: unknown): void {
    if (!isClass(listed)) {
      const remedy = listed === undefined ? 'Break the circular import that leaves it undefined' : 'List classes only';
      this.mistakes.push({ code: 'NOT_A_CLASS', class: nameOf(listed), problem: 'it is no class', remedy });
      return;
    }
    const model = classModel(listed);
    const event = eventModel(listed);
    if (event !== undefined) this.addEvent(event);
    if (this.models.has(listed)) {
      this.mistakes.push({ code: 'LISTED_TWICE', class: listed.name, problem: 'it is listed twice', remedy: 'List it once' });
    } else if (model.aggregate || model.projection) {
      const before = [...this.models.values()];
      this.models.set(listed, model);
      this.mistakes.push(...classMistakes(model), ...this.check(model, before));
    } else if (event === undefined) {
      const remedy = 'Put @Aggregate(), @Projection(), @Reactor() or @Event() on it; a subclass does not inherit them';
      this.mistakes.push({ code: 'UNDECORATED_CLASS', class: listed.name, problem: 'it has no decorator', remedy });
    }
  }

  private addHandler(model: ClassModel, handler: HandlerModel): void {
    this.addEvent(handler.event);
    const { type } = handler.event;
    this.handlersByType.set(type, [...this.handlersOfType(type), { model, handler }]);
  }

  /** What a strict aggregate ignores is known all the same, or it could not be told from an unknown type. */
  private addIgnored(ignored: Class): void {
    const event = eventModel(ignored);
    if (event !== undefined) this.addEvent(event);
  }

  private addEvent(event: EventModel): void {
    if (this.eventsByName.get(event.type)?.class === event.class) return;
    const [claimed] = [event.type, ...event.aliases].flatMap((name) => {
      const known = this.eventsByName.get(name);
      return known === undefined ? [] : [{ name, known }];
    });
    if (claimed === undefined) {
      this.eventsByType.set(event.type, event);
      for (const name of [event.type, ...event.aliases]) this.eventsByName.set(name, event);
      return;
    }
    const { name, known } = claimed;
    const problem = `its ${kindOf(event, name)} "${name}" is the ${kindOf(known, name)} of another class ${known.class.name}`;
    const mistake: Mistake = {
      code: 'DUPLICATE_EVENT_NAME',
      class: event.class.name,
      problem,
      remedy: "Give one of them another name: @Event('…'), or remove the alias",
    };
    if (!this.mistakes.some((other) => other.code === mistake.code && other.class === mistake.class)) this.mistakes.push(mistake);
  }

  private findDuplicateNames(): void {
    const names = new Map<string, ClassModel>();
    for (const model of this.models.values()) {
      const first = names.get(model.name);
      names.set(model.name, first ?? model);
      if (first === undefined) continue;
      const problem = `its name "${model.name}" is that of another class ${first.class.name}`;
      this.mistakes.push({
        code: 'DUPLICATE_NAME',
        class: model.class.name,
        problem,
        remedy: "Give one of them another: { name: '…' }",
      });
    }
  }
}

/** @returns what a class is: more than one thing only where that is a mistake. */
function kindsOf({ aggregate, projection }: ClassModel): ClassDescription['kind'][] {
  return [
    ...(aggregate ? (['aggregate'] as const) : []),
    ...(projection ? [projection.reactor ? ('reactor' as const) : ('projection' as const)] : []),
  ];
}

function kindOf(event: EventModel, name: string): string {
  return event.type === name ? 'stored name' : 'alias';
}

/** @returns the name of the stream in which an aggregate instance's events lie. */
export function streamName(model: ClassModel, values: readonly IdValue[]): string {
  if (values.length === 0) return model.name;
  if (values.length === 1) return `${model.name}:${String(values[0])}`;
  return `${model.name}:${values.map((value) => String(value).replace(/[\\|]/g, '\\$&')).join('|')}`;
}

/** @returns the query that an instance's state depends on: every name its events are stored under, with its ids' tags. */
export function criteriaOf(model: ClassModel, values: readonly IdValue[], upcasting: Upcasting): Criterion[] {
  const byTags = new Map<string, { types: string[]; tags: string[] }>();
  for (const { event, sources } of model.handlers) {
    const tags = sources.map((source, index) => tag(tagName(model, source, index), values[index]));
    const criterion = byTags.get(tags.join('\n')) ?? { types: [], tags };
    for (const name of upcasting.namesOf(event.type)) if (!criterion.types.includes(name)) criterion.types.push(name);
    byTags.set(tags.join('\n'), criterion);
  }
  return [...byTags.values()];
}

function describeHandler(model: ClassModel, { event, method, sources }: HandlerModel): HandlerDescription {
  const ids = model.ids.map((id, index) => {
    const source = sources[index] ?? id;
    return [id, typeof source === 'string' ? source : { computed: String(source) }] as const;
  });
  return { class: model.class.name, method: String(method), event: event.type, ids: Object.fromEntries(ids) };
}
