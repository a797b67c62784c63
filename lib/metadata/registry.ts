import { EventSourcingError } from '../event-sourcing-error';
import { type Criterion, tag } from '../events/criterion';
import { type Class, isClass, nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { classMistakes } from './class-checks';
import { type ClassModel, classModel, type EventModel, eventModel, type HandlerModel } from './class-model';
import type { BoundaryDescription, ClassDescription, EventDescription, HandlerDescription } from './descriptions';
import { givenIdentity, type IdValue, tagName, tagsOf } from './identity';
import { toMermaid } from './mermaid';
import { type Mistake, StartUpError } from './mistake';

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
  /** The event's property; where a function of a class gives the value, `Class.id()`. */
  readonly property: string;
  /** What its tags begin with, up to the colon. */
  readonly tagName: string;
  /** The class that looks for it, or the first of several. */
  readonly class: string;
  /** The id that it tells. */
  readonly id: string;
}

/** Looks for mistakes that only a later layer can see; given to {@link Registry.of}. */
export type ModelCheck = (model: ClassModel) => readonly Mistake[];

/**
 * What a set of annotated classes comes to: the only reader of what the decorators recorded, and what introspection
 * answers from. Immutable.
 */
export class Registry {
  private readonly models = new Map<Class, ClassModel>();
  private readonly eventsByType = new Map<string, EventModel>();
  private readonly handlersByType = new Map<string, { model: ClassModel; handler: HandlerModel }[]>();
  private readonly openness = new Map<ClassModel, boolean>();
  /** By event type: the handlers whose classes ask for tags. */
  private readonly taggedBy = new Map<string, readonly { model: ClassModel; handler: HandlerModel }[]>();
  private readonly mistakes: Mistake[] = [];

  private constructor(
    readonly classes: readonly Class[],
    private readonly check: ModelCheck,
  ) {
    for (const listed of classes) this.add(listed);
    for (const model of this.models.values()) {
      for (const handler of model.handlers) this.addHandler(model, handler);
      for (const ignored of model.aggregate?.ignores ?? []) this.addIgnored(ignored);
    }
    this.findDuplicateNames();
  }

  /**
   * Resolves `classes`: aggregates, projections and, where no handler names them, events.
   *
   * @throws {@link StartUpError} with every mistake there is.
   */
  static of(classes: readonly unknown[], check: ModelCheck = () => []): Registry {
    if (!Array.isArray(classes)) throw new InvalidArgumentError(`A registry takes classes, an array, not ${nameOf(classes)}.`);
    const registry = new Registry(classes as readonly Class[], check);
    if (registry.mistakes.length > 0) throw new StartUpError(registry.mistakes);
    return registry;
  }

  /** @throws {@link StartUpError} as {@link Registry.of}; this registry stays as it is. */
  with(classes: readonly unknown[]): Registry {
    return Registry.of([...this.classes, ...classes], this.check);
  }

  /** @returns every event that a class handles or that was listed, in order of their stored names. */
  events(): EventDescription[] {
    const events = [...this.eventsByType.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
    return events.map(({ class: target, type, schemaVersion }) => ({
      class: target.name,
      type,
      schemaVersion,
      handledBy: [...new Set(this.handlersOfType(type).map(({ model }) => model.class.name))],
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

  /**
   * @param event An event class, or its stored name.
   * @returns every handler of the event, over all classes.
   */
  handlersOf(event: Class | string): HandlerDescription[] {
    const type = typeof event === 'string' ? event : this.eventOf(event).type;
    return this.handlersOfType(type).map(({ model, handler }) => describeHandler(model, handler));
  }

  /** @throws {@link NotRegisteredError} when `target` is no registered aggregate or projection. */
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
    return { ...(stream === undefined ? {} : { stream }), criteria: criteriaOf(model, values) };
  }

  /** @returns the class that was listed under this name, to go from a description back to the class. */
  classOf(name: string): Class | undefined {
    for (const target of [...this.models.keys(), ...[...this.eventsByType.values()].map((event) => event.class)]) {
      if (target.name === name) return target;
    }
    return undefined;
  }

  /** @returns a Mermaid flow chart of events and their handlers, which GitHub draws in a fence marked `mermaid`. */
  toMermaid(): string {
    return toMermaid(this.events(), [...this.aggregates(), ...this.projections()]);
  }

  /** @throws {@link NotRegisteredError} when `target` is no registered aggregate or projection, or not of `kind`. */
  modelOf(target: unknown, kind?: 'aggregate' | 'projection'): ClassModel {
    const model = this.models.get(target as Class);
    if (model === undefined || (kind !== undefined && model[kind] === undefined)) {
      throw new NotRegisteredError(target, kind ?? 'aggregate or projection');
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

  /** @returns every registered aggregate and projection. */
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
          const key = JSON.stringify([type, property]);
          if (wanted.has(key)) continue;
          wanted.set(key, { type, property, tagName: name, class: model.name, id: model.ids[index] ?? '' });
        }
      }
    }
    return [...wanted.values()];
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
    const others = this.handlersOfType(type).filter((other) => other.model !== model && other.model.aggregate !== undefined);
    return [...new Set(others.map((other) => other.model))];
  }

  private describeModel(model: ClassModel): ClassDescription {
    const shared = [...model.byType.keys()].map(
      (type) => [type, this.sharers(model, type).map((other) => other.class.name)] as const,
    );
    const { snapshot } = model.aggregate ?? model.projection ?? {};
    return {
      kind: model.aggregate ? 'aggregate' : 'projection',
      class: model.class.name,
      name: model.name,
      ids: [...model.ids],
      handlers: model.handlers.map((handler) => describeHandler(model, handler)),
      commands: model.commands.map(({ name }) => name),
      ...(model.aggregate && {
        guard: this.isOpen(model) ? ('boundary' as const) : ('stream' as const),
        sharedWith: Object.fromEntries(shared.filter(([, others]) => others.length > 0)),
      }),
      ...(model.projection && { mode: model.projection.mode }),
      ...(snapshot && { snapshot }),
    };
  }

  private handlersOfType(type: string): readonly { model: ClassModel; handler: HandlerModel }[] {
    return this.handlersByType.get(type) ?? [];
  }

  private modelsOf(kind: 'aggregate' | 'projection'): ClassModel[] {
    return [...this.models.values()].filter((model) => model[kind] !== undefined);
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
      this.models.set(listed, model);
      this.mistakes.push(...classMistakes(model), ...this.check(model));
    } else if (event === undefined) {
      const remedy = 'Put @Aggregate(), @Projection() or @Event() on it; a subclass does not inherit them';
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
    const known = this.eventsByType.get(event.type);
    if (known === undefined) this.eventsByType.set(event.type, event);
    if (known === undefined || known.class === event.class) return;
    const problem = `its stored name "${event.type}" is that of another class ${known.class.name}`;
    const mistake: Mistake = {
      code: 'DUPLICATE_EVENT_NAME',
      class: event.class.name,
      problem,
      remedy: "Give one of them another name: @Event('…')",
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

/** @returns the name of the stream in which an aggregate instance's events lie. */
export function streamName(model: ClassModel, values: readonly IdValue[]): string {
  if (values.length === 0) return model.name;
  if (values.length === 1) return `${model.name}:${String(values[0])}`;
  return `${model.name}:${values.map((value) => String(value).replace(/[\\|]/g, '\\$&')).join('|')}`;
}

/** @returns the query that an instance's state depends on: its event types, each under its ids' tags. */
export function criteriaOf(model: ClassModel, values: readonly IdValue[]): Criterion[] {
  const byTags = new Map<string, { types: string[]; tags: string[] }>();
  for (const { event, sources } of model.handlers) {
    const tags = sources.map((source, index) => tag(tagName(model, source, index), values[index]));
    const criterion = byTags.get(tags.join('\n')) ?? { types: [], tags };
    if (!criterion.types.includes(event.type)) criterion.types.push(event.type);
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
