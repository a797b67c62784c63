import { EventSourcingError } from '../event-sourcing-error';

/** A decorator was given something, or put somewhere, that it cannot work with. Thrown while the class is defined. */
export class DecoratorError extends EventSourcingError {
  override readonly code = 'DECORATOR';

  constructor(
    /** The decorator with its sign, such as `@Handles`. */
    readonly decorator: string,
    /** The class, and the member if there is one: `Account.deposited`. */
    readonly place: string,
    problem: string,
    remedy: string,
  ) {
    super(`${decorator} on ${place}: ${problem}. ${remedy}.`);
  }
}
