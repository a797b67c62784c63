import { type Class, nameOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import type { Position } from '../events/recorded-event';
import type { Registry } from '../metadata/registry';
import type { EventStore } from '../store/event-store';

/** Which events `es.events` gives. */
export interface EventsOptions<C extends Class = Class> {
  /** Only later ones: all from the start, unless given. Exclusive. */
  readonly after?: Position | string | undefined;
  /** Only instances of these classes: all registered ones unless given, where an unknown type is an error. */
  readonly types?: readonly C[];
}

/** @throws {@link InvalidArgumentError} when an option is unknown or not possible. */
export function checkEvents(options: EventsOptions): void {
  checkOptions('es.events', options, ['after', 'types']);
  if (options.types !== undefined && !Array.isArray(options.types))
    throw new InvalidArgumentError(`es.events takes types as an array of event classes, not ${nameOf(options.types)}.`);
}

/** @returns what is read of the store, and what of that is told. */
export function feedOf({ types: given, after: from }: EventsOptions, registry: Registry, store: EventStore) {
  const wanted = given?.map((event) => registry.eventOf(event).type);
  const types = wanted && [...new Set(wanted.flatMap((type) => registry.upcasting.namesOf(type)))];
  const after = from === undefined ? undefined : store.position(from);
  const query = { ...(after !== undefined && { after }), ...(types && { criteria: [{ types }] }) };
  return { query, types: wanted && new Set(wanted) };
}
