import { EventSourcingError } from '../event-sourcing-error';

/** A header of a request is not of its form. Nothing was read or stored. */
export class InvalidHeaderError extends EventSourcingError {
  override readonly code = 'INVALID_HEADER';

  constructor(
    /** The header's name, as people write it. */
    readonly header: string,
    problem: string,
  ) {
    super(`The header ${header} ${problem}.`);
  }
}

/** What a request was made for has changed: its `If-Match` names none of what there is now. Nothing is stored. */
export class PreconditionFailedError extends EventSourcingError {
  override readonly code = 'PRECONDITION_FAILED';

  constructor() {
    super('It is not, or not any more, what If-Match names. Read it again, and send its ETag.');
  }
}

/** A request says not which state it was made for. Nothing is stored. */
export class PreconditionRequiredError extends EventSourcingError {
  override readonly code = 'PRECONDITION_REQUIRED';

  constructor() {
    super('The request needs If-Match: the ETag of what was read before.');
  }
}
