import { createHash } from 'node:crypto';
import { type AnyAggregate, stateOf } from '../aggregates/aggregate-root';
import { nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';

/**
 * Names the state of one aggregate instance, for the header `ETag`: another instance's tag is another one, and so is this one's
 * after every event that changes it, in whatever stream.
 *
 * @param aggregate One that was loaded or created through `EventSourcing`. After a command, the tag is that of the new state.
 * @returns a strong entity tag, with its quotes.
 * @throws {@link InvalidArgumentError} when the instance was made with `new`.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.etag
 */
export function etagOf(aggregate: AnyAggregate): string {
  const { definition, stream, version, folded } = loadedState(aggregate);
  const instance = createHash('sha256').update(stream).digest('base64url').slice(0, 16);
  // What other instances emit changes an open one too, but not its version.
  return `"${instance}-${definition?.isOpen ? folded : version}"`;
}

/** @throws {@link InvalidArgumentError} when the instance was made with `new`. */
export function loadedState(aggregate: AnyAggregate): ReturnType<typeof stateOf> {
  const state = stateOf(aggregate);
  if (state.definition === undefined)
    throw new InvalidArgumentError(`A loaded aggregate is wanted, not ${nameOf(aggregate)} made with new. See es.load.`);
  return state;
}
