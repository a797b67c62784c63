import { mapperOf } from './class-mapper';
import { type Class, nameOf } from './event-class';
import { Misfit } from './misfit';
import { Place } from './place';
import type { RecordedEvent } from './recorded-event';
import { otherKind } from './scalar-kinds';
import type { StandardSchema } from './standard-schema';
import { UnreadablePayloadError } from './unreadable-payload-error';
import type { RuledEvent } from './validate-event';

const nothing = Object.freeze({});

/** What a stored event is to be read as. */
export interface EventIdentity {
  readonly class: Class;
  readonly type: string;
  readonly schemaVersion: number;
  /** What its data has to be like, beside the rules of its class. */
  readonly schema?: StandardSchema;
}

/**
 * The reverse of `encodePayload`. What `recorded.data` holds is frozen and becomes part of the result: it is not copied.
 *
 * @returns the event with its data as an instance of its class, as which the store may have kept it already.
 * @throws {@link UnreadablePayloadError} when the stored data is not what the class declares.
 */
export function decode(recorded: RecordedEvent, ruled: RuledEvent): RecordedEvent {
  if (Object.getPrototypeOf(recorded.data ?? nothing) === ruled.class.prototype) return recorded;
  const { id, type, schemaVersion, stream, version, position, metadata, time, tags } = recorded;
  const data = instanceFor(recorded, ruled, recorded.data);
  return Object.freeze({ id, type, schemaVersion, stream, version, position, metadata, time, tags, data });
}

/**
 * @param data What is made an instance in the place of the stored data.
 * @returns the event as one of another type or version, at the same place.
 */
export function decodeAs(recorded: RecordedEvent, event: EventIdentity, data: object): RecordedEvent {
  const { id, stream, version, position, metadata, time, tags } = recorded;
  const { class: target, type, schemaVersion } = event;
  const isInstance = Object.getPrototypeOf(data ?? nothing) === target.prototype;
  const instance = isInstance ? data : instanceFor(recorded, event, data);
  return Object.freeze({ id, type, schemaVersion, stream, version, position, metadata, time, tags, data: instance });
}

function instanceFor(recorded: RecordedEvent, ruled: RuledEvent, data: unknown): object {
  try {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Misfit(Place.payload, `is ${nameOf(data)}`);
    const other = otherKind(ruled, data);
    if (other !== undefined) throw new Misfit(Place.payload.property(other.property), other.reason);
    return mapperOf(ruled.class).decode(data, Place.payload);
  } catch (error) {
    const { place, reason, cause } =
      error instanceof Misfit ? error : new Misfit(Place.payload, `fails with ${String(error)}`, undefined, error);
    const { type, id, position } = recorded;
    throw new UnreadablePayloadError({ type, id, position }, place.toString(), reason, cause === undefined ? {} : { cause });
  }
}
