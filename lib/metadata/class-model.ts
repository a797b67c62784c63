import type { Class } from '../events/event-class';
import type { StandardSchema } from '../events/standard-schema';
import { classChain } from './metadata-slot';
import {
  type AggregateRecord,
  aggregateSlot,
  type CommandRecord,
  commandSlot,
  eventSlot,
  type HandlerRecord,
  handlerSlot,
  type IdSource,
  type ProjectionRecord,
  projectionIdSlot,
  projectionSlot,
} from './slots';

/** An event class as its decorator declares it. */
export interface EventModel {
  readonly class: Class;
  readonly type: string;
  readonly schemaVersion: number;
  /** Names under which it was stored before, and is read. */
  readonly aliases: readonly string[];
  /** What its data has to be like, beside the rules of its class. */
  readonly schema?: StandardSchema;
}

/** A handler with an id source for each id of its class, in the order of the class's ids. */
export interface HandlerModel {
  readonly event: EventModel;
  readonly method: string | symbol;
  readonly sources: readonly IdSource[];
  /** The id map as the user wrote it. */
  readonly map: Readonly<Record<string, IdSource>>;
}

/** What the decorators along a class chain say of one aggregate, projection or reactor. */
export interface ClassModel {
  readonly class: Class;
  readonly name: string;
  readonly aggregate: AggregateRecord | undefined;
  /** A reactor's as well, which says so in `reactor`. */
  readonly projection: ProjectionRecord | undefined;
  readonly ids: readonly string[];
  readonly handlers: readonly HandlerModel[];
  /** The handlers by event type, in the order they were written. */
  readonly byType: ReadonlyMap<string, readonly HandlerModel[]>;
  /** The same by event class. */
  readonly byClass: ReadonlyMap<Class, readonly HandlerModel[]>;
  readonly commands: readonly CommandRecord[];
  /** Event classes that are handled but lack `@Event`, with the method. */
  readonly undeclared: readonly HandlerRecord[];
}

const models = new WeakMap<Class, ClassModel>();

/** @returns the event that `target` declares by its own `@Event`, if any. */
export function eventModel(target: Class): EventModel | undefined {
  const record = eventSlot.own(target);
  return record && { class: target, ...record };
}

/** Resolves the decorators of an aggregate or projection, its ancestors' included. The same object for the same class. */
export function classModel(target: Class): ClassModel {
  const known = models.get(target);
  if (known !== undefined) return known;
  const model = resolve(target);
  models.set(target, model);
  return model;
}

function resolve(target: Class): ClassModel {
  const aggregate = aggregateSlot.own(target);
  const projection = projectionSlot.own(target);
  const ids = [...new Set(projectionIdSlot.chain(target).flat())];
  const records = latestPerMethod(classChain(target).map((link) => handlerSlot.own(link) ?? []));
  const handlers = records.flatMap((record) => handlerModel(record, ids) ?? []);
  return {
    class: target,
    name: aggregate?.name ?? projection?.name ?? target.name,
    aggregate,
    projection,
    ids,
    handlers,
    byType: groupBy(handlers, ({ event }) => event.type),
    byClass: groupBy(handlers, ({ event }) => event.class),
    commands: latestPerMethod(classChain(target).map((link) => commandSlot.own(link) ?? [])),
    undeclared: records.filter(({ event }) => eventSlot.own(event) === undefined),
  };
}

/** What a subclass records about a method replaces all that its ancestors recorded about it. */
function latestPerMethod<R extends { readonly method: string | symbol }>(links: readonly (readonly R[])[]): R[] {
  return links.reduce<R[]>((merged, own) => {
    const replaced = new Set(own.map(({ method }) => method));
    return [...merged.filter(({ method }) => !replaced.has(method)), ...own];
  }, []);
}

function handlerModel({ event, method, ids: map }: HandlerRecord, ids: readonly string[]): HandlerModel | undefined {
  const model = eventModel(event);
  return model && { event: model, method, map, sources: ids.map((id) => (Object.hasOwn(map, id) ? (map[id] as IdSource) : id)) };
}

function groupBy<K>(handlers: readonly HandlerModel[], keyOf: (handler: HandlerModel) => K): Map<K, HandlerModel[]> {
  const groups = new Map<K, HandlerModel[]>();
  for (const handler of handlers) groups.set(keyOf(handler), [...(groups.get(keyOf(handler)) ?? []), handler]);
  return groups;
}
