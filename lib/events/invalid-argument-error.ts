import { EventSourcingError } from '../event-sourcing-error';
import { nameOf } from './event-class';

/** An argument is not usable; the message says which and what to give. */
export class InvalidArgumentError extends EventSourcingError {
  override readonly code = 'INVALID_ARGUMENT';
}

/** @throws {@link InvalidArgumentError} when `options` is no object, or has a key that is not in `known`. */
export function checkOptions(call: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new InvalidArgumentError(`${call} takes { ${known.join(', ')} }, not ${nameOf(options)}.`);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new InvalidArgumentError(`${call} knows no option "${key}". Known: ${known.join(', ')}.`);
  }
}
