import { nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';

/** @throws {@link InvalidArgumentError} when what a call is to run is no function. */
export function checkFunction(call: string, work: unknown): void {
  if (typeof work !== 'function') throw new InvalidArgumentError(`${call} takes a function, not ${nameOf(work)}.`);
}
