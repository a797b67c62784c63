import type { InjectionToken } from '@nestjs/common';
import type { AnyAggregate } from '../../aggregates/aggregate-root';
import { EventSourcing } from '../../event-sourcing';
import type { Class } from '../../events/event-class';

/** The name of the instance that is meant where none is given. */
export const defaultName = 'default';

/**
 * @param name The instance's name; the default instance unless given.
 * @returns the token of an `EventSourcing`: the class itself for the default instance, so that its type is enough to inject it.
 */
export function getEventSourcingToken(name: string = defaultName): InjectionToken<EventSourcing> {
  return name === defaultName ? EventSourcing : `EventSourcing:${name}`;
}

/** @returns the token of an instance's `EventStore`, which a test may override. */
export function getEventStoreToken(name: string = defaultName): InjectionToken {
  return `EventStore:${name}`;
}

/** @returns the token of the {@link AggregateRepository} of one class. */
export function getAggregatesToken(target: Class<AnyAggregate>, name: string = defaultName): InjectionToken {
  return tokenOf(target, 'aggregates', name);
}

/** @returns the token of the {@link ProjectionReader} of one class. */
export function getProjectionToken(target: Class, name: string = defaultName): InjectionToken {
  return tokenOf(target, 'projection', name);
}

/** The token by which the module's own providers find the instance, also where it is not to be seen everywhere. */
export function openedToken(name: string): string {
  return `EventSourcing of EventSourcingModule:${name}`;
}

const tokens = new WeakMap<Class, Map<string, symbol>>();

/** Two classes may have one name. */
function tokenOf(target: Class, kind: string, name: string): symbol {
  const known = tokens.get(target) ?? new Map<string, symbol>();
  tokens.set(target, known);
  const key = `${target.name} ${kind}:${name}`;
  const token = known.get(key) ?? Symbol(key);
  known.set(key, token);
  return token;
}
