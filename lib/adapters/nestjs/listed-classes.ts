import type { ModulesContainer } from '@nestjs/core';
import { type Class, nameOf } from '../../events/event-class';
import { ModuleStartError } from './module-start-error';

/** Classes that a module lists for an instance. */
export interface ListedClasses {
  readonly name: string;
  /** A function for what follows from the classes that are listed otherwise; asked again, it gives the same. */
  readonly classes: readonly Class[] | ((listed: readonly Class[], modules: ModulesContainer) => readonly Class[]);
}

/** The token of a module's {@link ListedClasses}, which is a value: it is there before any provider is made. */
export const listedClassesToken = Symbol.for('eventfold:nestjs:listed-classes');

/** @returns `classes`, and those that all modules of an application list for an instance, each once. */
export function listedClasses(modules: ModulesContainer, name: string, classes: readonly Class[]): Class[] {
  const lists = [...modules.values()]
    .map(({ providers }) => providers.get(listedClassesToken)?.instance as ListedClasses | undefined)
    .filter((list) => list !== undefined && list.name === name);
  const listed = new Set([
    ...lists.flatMap((list) => (typeof list?.classes === 'function' ? [] : (list?.classes ?? []))),
    ...classes,
  ]);
  const following = lists.flatMap((list) => (typeof list?.classes === 'function' ? list.classes([...listed], modules) : []));
  return [...new Set([...listed, ...following])];
}

/** @throws {@link ModuleStartError} for what is no list of classes, such as one that a circular import leaves a hole in. */
export function checkClasses(name: string, call: string, classes: readonly unknown[]): void {
  if (!Array.isArray(classes)) throw new ModuleStartError(name, `${call} takes classes, an array, not ${nameOf(classes)}.`);
  for (const [index, target] of classes.entries()) {
    if (typeof target === 'function') continue;
    const reason = target === undefined ? ' Do two files import each other?' : '';
    throw new ModuleStartError(name, `${call} takes classes, but the one at index ${index} is ${nameOf(target)}.${reason}`);
  }
}
