import type { Class } from './event-class';

/** @returns a new instance without data. The constructor runs only when it takes no arguments. */
export function blankInstance<E extends object>(target: Class<E>): E {
  if (target.length > 0) return Object.create(target.prototype as object) as E;
  return new (target as unknown as new () => E)();
}
