import type { Class } from './event-class';
import { frozenCopy } from './frozen-copy';
import { makeEvent } from './make-event';
import type { RecordedEvent } from './recorded-event';

/** @returns the event with its data as an instance of `target`, as which the store may have kept it already. */
export function decode(recorded: RecordedEvent, target: Class): RecordedEvent {
  if (Object.getPrototypeOf(recorded.data) === target.prototype) return recorded;
  const data = frozenCopy(makeEvent(target, { ...recorded.data }), recorded.type);
  return Object.freeze({ ...recorded, data });
}
