import { type Class, nameOf } from '../../../events/event-class';
import { checkOptions, InvalidArgumentError } from '../../../events/invalid-argument-error';
import { eventModel } from '../../../metadata/class-model';
import type { RetryPolicy } from '../../../metadata/slots';

/** How recorded events reach what is written for `@nestjs/cqrs`. */
export interface CqrsBridgeOptions {
  /** The name of the instance whose events they are; the default one unless given. */
  readonly name?: string;
  /** Which of them are published on the `EventBus` as well, for its subscribers and sagas: all that the instance's classes handle. */
  readonly events?: readonly Class[];
  /** Where a handler begins, the first time it is met: with what is stored `'now'` and later, unless given, or at the `'start'`. */
  readonly from?: 'now' | 'start';
  /** How often a handler that throws is tried before the event is parked: as a `@Reactor` unless given. */
  readonly retry?: Partial<RetryPolicy>;
}

const call = 'EventSourcingCqrsModule.forRoot';

/** @throws {@link InvalidArgumentError} when an option is unknown or not possible. */
export function checkBridgeOptions(options: CqrsBridgeOptions): void {
  checkOptions(call, options, ['name', 'events', 'from', 'retry']);
  const { from, events, retry } = options;
  if (from !== undefined && from !== 'now' && from !== 'start')
    throw new InvalidArgumentError(`${call} takes from 'now' or 'start', not ${nameOf(from)}.`);
  if (events !== undefined && !Array.isArray(events))
    throw new InvalidArgumentError(`${call} takes events as an array of classes, not ${nameOf(events)}.`);
  const unnamed = events?.find((event) => typeof event !== 'function' || eventModel(event) === undefined);
  if (unnamed !== undefined)
    throw new InvalidArgumentError(`${call} cannot publish ${nameOf(unnamed)}, which is not recorded. Put @Event() on it.`);
  if (retry === undefined) return;
  checkOptions(`${call}({ retry })`, retry, ['attempts', 'delayMs', 'maxDelayMs']);
  for (const [key, value] of Object.entries(retry))
    if (typeof value !== 'number' || !(value >= (key === 'attempts' ? 1 : 0)))
      throw new InvalidArgumentError(
        `${call} cannot retry with ${key} ${nameOf(value)}. Give ${key === 'attempts' ? 1 : 0} or more.`,
      );
}
