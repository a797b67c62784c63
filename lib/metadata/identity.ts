import { EventSourcingError } from '../event-sourcing-error';
import { tag } from '../events/criterion';
import { nameOf } from '../events/event-class';
import type { ClassModel, HandlerModel } from './class-model';
import type { IdSource } from './slots';

/** What an id may be. Two ids are the same when their texts are. */
export type IdValue = string | number | bigint | boolean;

/** Which instance of a class is meant: the values of its ids in order, and one text for all of them. */
export interface Identity {
  readonly key: string;
  readonly values: readonly IdValue[];
}

/** An id that a caller gave is missing, unknown or of a wrong type. */
export class InvalidIdError extends EventSourcingError {
  override readonly code = 'INVALID_ID';

  constructor(
    readonly className: string,
    readonly property: string,
    problem: string,
  ) {
    super(`${className}.${property} ${problem}. An id is text of one character or more, a finite number, a bigint or a boolean.`);
  }
}

/** An event does not say which instance of a class it belongs to. */
export class UnresolvedIdError extends EventSourcingError {
  override readonly code = 'UNRESOLVED_ID';

  constructor(
    readonly className: string,
    readonly property: string,
    readonly eventType: string,
    readonly source: string,
    value: unknown,
  ) {
    super(
      `${className}.${property} cannot be read off ${eventType}: ${source} gives ${nameOf(value)}. ` +
        `Give it a value, or map it: @Handles(…, { ${property}: … }).`,
    );
  }
}

/** What no database keeps in a text. */
const unkept = /[\0\p{Surrogate}]/u;

const solitary: Identity = { key: '', values: [] };

/**
 * Reads the identity that a caller gave as `{ accountId }`.
 *
 * @throws {@link InvalidIdError} when an id of the class is missing or no id value, or when one is given that it lacks.
 */
export function givenIdentity(model: Pick<ClassModel, 'name' | 'ids'>, ids: unknown): Identity {
  if (ids !== undefined && (typeof ids !== 'object' || ids === null))
    throw new InvalidIdError(model.name, 'ids', `is ${nameOf(ids)}, not an object of ids`);
  const given = (ids ?? {}) as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (!model.ids.includes(key))
      throw new InvalidIdError(model.name, key, `is no id of it; its ids are: ${model.ids.join(', ') || 'none'}`);
  }
  return identityOf(
    model.ids.map((id) => {
      const value = Object.hasOwn(given, id) ? given[id] : undefined;
      if (typeof value === 'string' && unkept.test(value))
        throw new InvalidIdError(model.name, id, 'holds NUL or half a surrogate pair, which no database keeps');
      if (isIdValue(value)) return value;
      throw new InvalidIdError(
        model.name,
        id,
        value === undefined ? 'is missing' : `is ${value === '' ? 'empty text' : nameOf(value)}`,
      );
    }),
  );
}

/**
 * Reads off an event which instances of the class it belongs to: none for an empty array, several for a longer one.
 *
 * @throws {@link UnresolvedIdError} when an id has no usable value.
 */
export function identitiesOf(model: ClassModel, handler: HandlerModel, event: object): readonly Identity[] {
  if (handler.sources.length === 0) return [solitary];
  const choices = handler.sources.map((source, index) => idValues(model, handler, source, index, event));
  if (choices.length === 1)
    return [...new Map((choices[0] as IdValue[]).map((value) => [String(value), identityOf([value])])).values()];
  const tuples = choices.reduce<IdValue[][]>(
    (done, values) => done.flatMap((tuple) => values.map((value) => [...tuple, value])),
    [[]],
  );
  return [...new Map(tuples.map((values) => [keyOf(values), identityOf(values)])).values()];
}

/** Says at once, for the usual case of one id that is a text property, whether the event is this instance's alone. */
export function isSolelyOf({ sources }: HandlerModel, event: object, key: string): boolean {
  const [source] = sources;
  if (sources.length !== 1 || typeof source !== 'string' || key === '') return false;
  return (event as Record<string, unknown>)[source] === key;
}

/** Says whether the event belongs to the instance `key` of the class. */
export function belongsTo(model: ClassModel, handler: HandlerModel, event: object, key: string): boolean {
  const [source] = handler.sources;
  if (typeof source === 'string' && handler.sources.length === 1) {
    const value = (event as Record<string, unknown>)[source];
    if (typeof value === 'string') return value === key;
  }
  return identitiesOf(model, handler, event).some((identity) => identity.key === key);
}

/** @returns the tags that the class's boundary looks for on this event. */
export function tagsOf(model: ClassModel, handler: HandlerModel, event: object): string[] {
  return handler.sources.flatMap((source, index) =>
    idValues(model, handler, source, index, event).map((value) => tag(tagName(model, source, index), value)),
  );
}

/** @returns the tags of an event by one of its properties; none where it holds nothing that could be an id. */
export function propertyTags(property: string, event: object): string[] {
  const value = (event as Record<string, unknown>)[property];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter(isIdValue).map((each) => tag(property, each));
}

/** @returns the name of the tag under which an id source is indexed: the property, or `Class.id` of a function. */
export function tagName(model: ClassModel, source: IdSource, index: number): string {
  return typeof source === 'string' ? source : `${model.name}.${model.ids[index]}`;
}

export function identityOf(values: readonly IdValue[]): Identity {
  return values.length === 0 ? solitary : { key: keyOf(values), values };
}

/** One text for a tuple of ids; different for different tuples of one length. */
function keyOf(values: readonly IdValue[]): string {
  if (values.length === 1) return String(values[0]);
  return values.map((value) => String(value).replace(/[\\|]/g, '\\$&')).join('|');
}

function idValues(model: ClassModel, handler: HandlerModel, source: IdSource, index: number, event: object): readonly IdValue[] {
  const value: unknown = typeof source === 'string' ? (event as Record<string, unknown>)[source] : source(event as never);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const item of values) {
    if (isIdValue(item)) continue;
    const name = typeof source === 'string' ? `"${source}"` : 'the function of its id map';
    throw new UnresolvedIdError(model.name, model.ids[index] ?? '', handler.event.type, name, item);
  }
  return values as readonly IdValue[];
}

function isIdValue(value: unknown): value is IdValue {
  if (typeof value === 'string') return value !== '';
  return typeof value === 'number' ? Number.isFinite(value) : typeof value === 'bigint' || typeof value === 'boolean';
}
