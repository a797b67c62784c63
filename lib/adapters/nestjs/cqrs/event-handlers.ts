import type { ModulesContainer } from '@nestjs/core';
import type { Class } from '../../../events/event-class';
import { classModel, eventModel } from '../../../metadata/class-model';

/** Where `@EventsHandler` of `@nestjs/cqrs` leaves the events. */
const eventsKey = '__eventsHandler__';

/** How Nest knows a provider. */
export interface ProvidedHandler {
  readonly instance: unknown;
  readonly metatype: unknown;
  isDependencyTreeStatic(): boolean;
}

/** A class with `@EventsHandler`, and those of its events that are recorded. */
export interface EventHandler {
  readonly target: Class;
  readonly provided: ProvidedHandler;
  readonly events: readonly Class[];
}

/** @returns the handlers of an application that handle recorded events: those that `@Event` declares. */
export function eventHandlers(modules: ModulesContainer): EventHandler[] {
  const found = new Map<Class, EventHandler>();
  for (const { providers } of modules.values()) {
    for (const provided of providers.values()) {
      const target = provided.metatype as Class | null;
      if (typeof target !== 'function' || found.has(target)) continue;
      const declared = (Reflect.getMetadata(eventsKey, target) ?? []) as readonly Class[];
      const events = [...new Set(declared)].filter((event) => eventModel(event) !== undefined);
      if (events.length > 0) found.set(target, { target, provided, events });
    }
  }
  return [...found.values()];
}

/** @returns the events that the classes of an instance handle, or are. */
export function eventsOf(classes: readonly Class[]): Class[] {
  const own = (target: Class): Class[] =>
    eventModel(target) === undefined ? classModel(target).handlers.map(({ event }) => event.class) : [target];
  return [...new Set(classes.flatMap(own))];
}
