import { EventSourcingError } from '../event-sourcing-error';

/** A payload holds something that could not be read back as it was. Nothing is stored. */
export class UnstorablePayloadError extends EventSourcingError {
  override readonly code = 'UNSTORABLE_PAYLOAD';

  constructor(
    /** The event's type. */
    readonly type: string,
    /** Where in the payload, such as `lines[2].price`. */
    readonly path: string,
    readonly reason: string,
    { remedy = 'Events hold plain data only', ...options }: ErrorOptions & { readonly remedy?: string } = {},
  ) {
    super(`${type}: ${path === '' ? 'the payload' : `"${path}"`} ${reason}. ${remedy}.`, options);
  }
}
