import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { EventSourcing } from '../../event-sourcing';
import type { Class } from '../../events/event-class';
import { NotRegisteredError } from '../../metadata/registry';
import { type ConsistencyMetadata, consistencyKey } from './consistency-interceptor';
import { defaultName } from './tokens';

/** A route that waits, or all of a controller. */
interface ConsistentRoute extends ConsistencyMetadata {
  readonly route: string;
}

const scanner = new MetadataScanner();

/** @returns what is wrong with routes that wait for an instance, or for one that nobody opens. */
export function consistencyMistakes(
  modules: ModulesContainer,
  es: EventSourcing,
  name: string,
  isOpened: (name: string) => boolean,
): string[] {
  return [...modules.values()]
    .flatMap(({ controllers }) => [...controllers.values()].flatMap(({ metatype }) => consistentRoutes(metatype)))
    .flatMap(({ route, projections, instance = defaultName }) => {
      if (!isOpened(instance)) return [`${route} waits for the instance "${instance}", which is nowhere opened.`];
      if (instance !== name) return [];
      return (projections ?? []).flatMap((target) => mistakeOf(es, target) ?? []).map((mistake) => `${route} waits: ${mistake}`);
    });
}

function consistentRoutes(controller: unknown): ConsistentRoute[] {
  if (typeof controller !== 'function') return [];
  const { name, prototype } = controller as Class;
  const handlers = scanner.getAllMethodNames(prototype).map((method) => [`${name}.${method}`, prototype[method]] as const);
  return [[name, controller] as const, ...handlers].flatMap(([route, decorated]) => {
    const metadata: ConsistencyMetadata | undefined = Reflect.getMetadata(consistencyKey, decorated);
    return metadata === undefined ? [] : [{ ...metadata, route: `@Consistent of ${route}` }];
  });
}

function mistakeOf(es: EventSourcing, target: Class): string | undefined {
  try {
    es.projections.of(target);
    return undefined;
  } catch (error) {
    if (error instanceof NotRegisteredError) return error.message;
    throw error;
  }
}
