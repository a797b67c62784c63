import { nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';

/**
 * Makes a source of predictable ids for tests. Give it as `ids` to `EventSourcing.open` or to a store.
 *
 * @param prefix What each id begins with: `id-` unless given.
 * @returns a function that gives `id-1`, then `id-2`, and so on.
 * @throws {@link InvalidArgumentError} when `prefix` is no text.
 * @example
 * ```ts
 * const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account], ids: sequentialIds('event-') });
 * ```
 */
export function sequentialIds(prefix = 'id-'): () => string {
  if (typeof prefix !== 'string') throw new InvalidArgumentError(`The prefix of ids is text, not ${nameOf(prefix)}.`);
  let last = 0;
  return () => {
    last += 1;
    return `${prefix}${last}`;
  };
}
