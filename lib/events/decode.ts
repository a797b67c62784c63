import { mapperOf } from './class-mapper';
import { type Class, nameOf } from './event-class';
import { Misfit } from './misfit';
import { Place } from './place';
import type { RecordedEvent } from './recorded-event';
import { UnreadablePayloadError } from './unreadable-payload-error';

const nothing = Object.freeze({});

/**
 * The reverse of `encodePayload`. What `recorded.data` holds is frozen and becomes part of the result: it is not copied.
 *
 * @returns the event with its data as an instance of `target`, as which the store may have kept it already.
 * @throws {@link UnreadablePayloadError} when the stored data is not what the class declares.
 */
export function decode(recorded: RecordedEvent, target: Class): RecordedEvent {
  if (Object.getPrototypeOf(recorded.data ?? nothing) === target.prototype) return recorded;
  const { id, type, schemaVersion, stream, version, position, metadata, time, tags } = recorded;
  const data = instanceFor(recorded, target);
  return Object.freeze({ id, type, schemaVersion, stream, version, position, metadata, time, tags, data });
}

function instanceFor(recorded: RecordedEvent, target: Class): object {
  const { data } = recorded;
  try {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Misfit(Place.payload, `is ${nameOf(data)}`);
    return mapperOf(target).decode(data, Place.payload);
  } catch (error) {
    const { place, reason, cause } =
      error instanceof Misfit ? error : new Misfit(Place.payload, `fails with ${String(error)}`, undefined, error);
    const { type, id, position } = recorded;
    throw new UnreadablePayloadError({ type, id, position }, place.toString(), reason, cause === undefined ? {} : { cause });
  }
}
