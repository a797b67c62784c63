import { EventSourcingError } from '../event-sourcing-error';

/** One rule that an event's data breaks. */
export interface Violation {
  /** Where in the event, such as `lines[0].price`. */
  readonly property: string;
  /** The rule's name in class-validator, such as `isPositive`. */
  readonly rule: string;
  readonly message: string;
}

/** An event's data breaks the rules that its class declares. Nothing is stored. */
export class EventValidationError extends EventSourcingError {
  override readonly code = 'EVENT_VALIDATION';

  constructor(
    /** The event class's name. */
    readonly event: string,
    readonly violations: readonly Violation[],
  ) {
    super(`${event} is not valid: ${violations.map(({ message, rule }) => `${message} (${rule})`).join('; ')}.`);
  }
}

/** A payload is no object that an event could be made from. Nothing is stored. */
export class InvalidPayloadError extends EventSourcingError {
  override readonly code = 'INVALID_PAYLOAD';

  constructor(
    /** The event class's name. */
    readonly event: string,
    problem: string,
    remedy = "Give the event's data as a plain object",
    /** The property that it cannot have; undefined where all of it is no object. */
    readonly property?: string,
  ) {
    super(`${event}: ${problem}. ${remedy}.`);
  }
}

/** A stored event is of a type that no registered class stands for. It is not passed over in silence. */
export class UnknownEventTypeError extends EventSourcingError {
  override readonly code = 'UNKNOWN_EVENT_TYPE';
  readonly type: string;
  readonly eventId: string;
  readonly position: string;

  constructor(
    event: { readonly type: string; readonly id: string; readonly position: string },
    /** The known name that is nearest, if one is near. */
    readonly nearest?: string | undefined,
  ) {
    super(
      `Event ${event.id} at ${event.position} is of type "${event.type}", which no registered class stands for. ${unknownTypeRemedy(event.type, nearest)}`,
    );
    this.type = event.type;
    this.eventId = event.id;
    this.position = event.position;
  }
}

/** @returns what to do about a stored name that nothing is known of. */
export function unknownTypeRemedy(type: string, nearest: string | undefined): string {
  const meant = nearest === undefined ? '' : `Did you mean "${nearest}"? Then give its class { aliases: ['${type}'] }. Or list `;
  return `${meant || 'List '}its class in EventSourcing.open({ classes: […] }), or its name in passOver where this application has no use for it.`;
}
