import { type InjectionToken, Scope } from '@nestjs/common';
import type { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Class } from '../../events/event-class';
import type { Services } from '../../projections/services';
import { ModuleStartError } from './module-start-error';

/** What handlers, custom projections and reactors are given by the application's container. */
export function containerServices(name: string, moduleRef: ModuleRef, modules: ModulesContainer): Required<Services> {
  const get = (token: unknown): object => moduleRef.get(token as InjectionToken, { strict: false }) as object;
  return {
    resolve: get,
    instances: (target) => {
      const scope = scopeOf(modules, target);
      if (scope === undefined) return undefined;
      if (scope !== Scope.DEFAULT)
        throw new ModuleStartError(
          name,
          `${target.name} is a provider of scope ${Scope[scope]}, but there is one for all events. Leave its scope out.`,
        );
      // It is asked for when all providers have been made: one may need the EventSourcing itself.
      return () => get(target);
    },
  };
}

/** @returns undefined for a class that no module provides. */
function scopeOf(modules: ModulesContainer, target: Class): Scope | undefined {
  for (const { providers } of modules.values()) {
    const provided = providers.get(target as never);
    if (provided !== undefined) return provided.scope ?? Scope.DEFAULT;
  }
  return undefined;
}
