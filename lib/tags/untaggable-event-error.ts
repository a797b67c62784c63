import { EventSourcingError } from '../event-sourcing-error';

/** The tags of an event cannot be told, so that a class which depends on it would not find it. */
export class UntaggableEventError extends EventSourcingError {
  override readonly code = 'UNTAGGABLE_EVENT';

  constructor(
    /** The event's type. */
    readonly type: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${type} ${problem}`, options);
  }
}
