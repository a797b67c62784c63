/** The base of every error that Eventfold throws; `code` is stable across releases and listed in `docs/errors.md`. */
export abstract class EventSourcingError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
