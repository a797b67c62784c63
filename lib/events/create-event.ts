import type { Class, PayloadArgument } from './event-class';
import { frozenCopy } from './frozen-copy';
import { makeEvent } from './make-event';
import { validateEvent } from './validate-event';

/**
 * Makes an event to hand to `es.append`.
 *
 * @returns a frozen instance of the class.
 * @throws {@link EventValidationError} when the data breaks a rule, {@link UnstorablePayloadError} when it could not
 * be stored.
 */
export function createEvent<E extends object>(event: Class<E>, ...payload: PayloadArgument<E>): E {
  const instance = makeEvent(event, payload[0] ?? {});
  validateEvent(event, instance);
  return frozenCopy(instance, event.name);
}
