import { type Class, givenPayload, isClass, nameOf, type PayloadArgument } from '../events/event-class';
import { InvalidPayloadError } from '../events/event-errors';
import { frozenCopy } from '../events/frozen-copy';
import { makeEvent } from '../events/make-event';
import { validateEvent } from '../events/validate-event';
import { eventModel } from './class-model';

/**
 * Makes an event to hand to `es.append`.
 *
 * @returns a frozen instance of the class.
 * @throws {@link EventValidationError} when the data breaks a rule, {@link UnstorablePayloadError} when it could not
 * be stored, {@link InvalidPayloadError} when it is no data at all, or `event` no event class.
 */
export function createEvent<E extends object>(event: Class<E>, ...payload: PayloadArgument<E>): E {
  const model = isClass(event) ? eventModel(event) : undefined;
  if (model === undefined)
    throw new InvalidPayloadError(nameOf(event), 'it is no event class', 'Name the class that @Event decorates');
  const instance = makeEvent(event, givenPayload(payload));
  validateEvent(model, instance);
  return frozenCopy(instance, model.type);
}
