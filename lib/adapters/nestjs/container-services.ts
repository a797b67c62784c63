import { type InjectionToken, Scope } from '@nestjs/common';
import type { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Class } from '../../events/event-class';
import { projectionSlot } from '../../metadata/slots';
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

/** @returns what is wrong with reactors and custom projections whose dependencies are made for each request. */
export function scopeMistakes(modules: ModulesContainer, classes: readonly Class[]): string[] {
  return classes
    .filter((target) => {
      const made = projectionSlot.own(target);
      const isGiven = made !== undefined && (made.isCustom || made.reactor !== undefined);
      return isGiven && providedBy(modules, target)?.isDependencyTreeStatic() === false;
    })
    .map(
      ({ name }) =>
        `${name} needs a provider of scope REQUEST, but there is one ${name} for all events, and no request. Have it need singletons only.`,
    );
}

/** @returns undefined for a class that no module provides. */
function scopeOf(modules: ModulesContainer, target: Class): Scope | undefined {
  const provided = providedBy(modules, target);
  return provided && (provided.scope ?? Scope.DEFAULT);
}

function providedBy(modules: ModulesContainer, target: Class) {
  for (const { providers } of modules.values()) {
    const provided = providers.get(target as never);
    if (provided !== undefined) return provided;
  }
  return undefined;
}
