import { nameOf } from '../lib/events/event-class';
import { checkName, checkOptions, decoratedClass } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { projectionSlot, type RetryPolicy } from '../lib/metadata/slots';
import type { AnyClassDecorator } from './event';
import { checkCount, checkRetry } from './retry-options';

/** What `@Reactor` takes. */
export interface ReactorOptions {
  /** The name its place in the log is kept under, without ":". The class's name unless given: with another it begins anew. */
  readonly name?: string;
  /**
   * Where it begins, the first time that a process lists it: `'now'`, with what is stored from then on, or `'start'`, with all
   * that is stored. It is `'now'` unless given, and that start tells of what it passes over.
   */
  readonly from?: 'start' | 'now';
  /**
   * How often a failing event is tried before it is parked: ten times unless given, one second after the first failure, then
   * after pauses that double, up to five minutes.
   */
  readonly retry?: Partial<RetryPolicy>;
  /** With more streams that stand still at an event, the reactor as a whole stops: 1000 unless given. */
  readonly maxParked?: number;
}

/** What is away is mostly back within minutes: these are eight and a half. */
const patiently: RetryPolicy = { attempts: 10, delayMs: 1_000, maxDelayMs: 300_000 };

/**
 * Declares what happens outside of the store when events have been stored: mail, webhooks, messages to others. Its handlers,
 * which may return promises, get each recorded event after its commit, in order, at least once: after a crash the last one may
 * come again, with the same `context.id`.
 *
 * @throws {@link DecoratorError} when an option is unknown or out of its bounds.
 * @example
 * ```ts
 * @Reactor({ from: 'now' })
 * class Receipts {
 *   @Handles(OrderPaid)
 *   async paid(event: OrderPaid, { id, signal }: ReactorContext) {
 *     await sendMail({ to: event.email, idempotencyKey: id, signal });
 *   }
 * }
 * ```
 */
export function Reactor(options: ReactorOptions = {}): AnyClassDecorator {
  checkOptions('@Reactor', options, ['name', 'from', 'retry', 'maxParked']);
  if (options.name !== undefined) checkName('@Reactor', options.name);
  const { from, maxParked = 1_000 } = options;
  if (from !== undefined && from !== 'start' && from !== 'now')
    throw new DecoratorError('@Reactor', 'its options', `from is ${nameOf(from)}`, "Give 'start' or 'now'");
  checkCount('@Reactor', 'maxParked', maxParked);
  const retry = checkRetry('@Reactor', options.retry, patiently);
  return (...args) => {
    const { holder, name: className } = decoratedClass('@Reactor', args);
    const name = options.name ?? className;
    checkName('@Reactor', name);
    projectionSlot.update(holder, (projection) => {
      if (projection !== undefined && projection.reactor === undefined)
        throw new DecoratorError('@Reactor', className, 'it is a @Projection() already', 'Make it two classes');
      return { name, mode: 'async', version: 1, isCustom: true, reset: undefined, retry, maxParked, reactor: { from } };
    });
  };
}
