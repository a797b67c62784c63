import { type Class, givenPayload, isClass, nameOf, type PayloadArgument } from './event-class';
import { InvalidPayloadError } from './event-errors';
import { frozenCopy } from './frozen-copy';
import { makeEvent } from './make-event';
import { validateEvent } from './validate-event';

/**
 * Makes an event to hand to `es.append`.
 *
 * @returns a frozen instance of the class.
 * @throws {@link EventValidationError} when the data breaks a rule, {@link UnstorablePayloadError} when it could not
 * be stored, {@link InvalidPayloadError} when it is no data at all, or `event` no class.
 */
export function createEvent<E extends object>(event: Class<E>, ...payload: PayloadArgument<E>): E {
  if (!isClass(event))
    throw new InvalidPayloadError(nameOf(event), 'it is no event class', 'Name the class that @Event decorates');
  const instance = makeEvent(event, givenPayload(payload));
  validateEvent(event, instance);
  return frozenCopy(instance, event.name);
}
