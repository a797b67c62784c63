import { EventSourcingError } from '../event-sourcing-error';

/** The stored data of an event is not what its class declares. The event is not passed over in silence. */
export class UnreadablePayloadError extends EventSourcingError {
  override readonly code = 'UNREADABLE_PAYLOAD';

  constructor(
    /** The event's type, id and position. */
    readonly event: { readonly type: string; readonly id: string; readonly position: string },
    /** Where in the payload, such as `lines[2].price`. */
    readonly path: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    const what = path === '' ? 'its payload' : `"${path}"`;
    super(
      `Event ${event.id} at ${event.position}, of type "${event.type}", cannot be read: ${what} ${reason}. Let its class declare what was stored.`,
      options,
    );
  }
}
