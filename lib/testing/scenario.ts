import type { AnyAggregate, IdsOf } from '../aggregates/aggregate-root';
import { type Class, isClass, nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { aggregateSlot, projectionSlot } from '../metadata/slots';
import type { Ids } from '../projections/reading/ids';
import { AggregateScenario } from './aggregate-scenario';
import type { ScenarioOptions } from './history';
import { ProjectionScenario } from './projection-scenario';

/**
 * Tests an aggregate: given these events, when this command runs, then these events are emitted, or this error.
 *
 * Each scenario runs on an `EventSourcing` and a store of its own, so guards, validation and retries are the real ones.
 * A failed assertion is an `AssertionError` of Node.js; no test runner is needed. It is a promise: await it, or return
 * it from the test.
 *
 * @param target The aggregate class.
 * @param ids All ids of the instance.
 * @throws {@link InvalidArgumentError} when `target` is no class, or an option is unknown.
 * @example
 * ```ts
 * it('refuses to overdraw', () =>
 *   scenario(Account, { accountId })
 *     .given(Deposited, { amount: 90 })
 *     .when((account) => account.transfer(other, 100))
 *     .thenRejects(InsufficientFunds, { balance: 90 }));
 *
 * it('transfers what is there', () =>
 *   scenario(Account, { accountId })
 *     .given(Deposited, { amount: 90 })
 *     .when((account) => account.transfer(other, 50))
 *     .thenEmits(Transferred, { from: accountId, to: other, amount: 50 })
 *     .thenState({ balance: 40 }));
 * ```
 */
export function scenario<A extends AnyAggregate>(
  target: Class<A>,
  ids: IdsOf<A>,
  options?: ScenarioOptions,
): AggregateScenario<A>;
/**
 * Tests a projection: given these events, then this is what people read.
 *
 * @param target The projection class.
 * @param ids The ids of the instance that `thenState` is about, for a class with ids.
 * @throws {@link InvalidArgumentError} when `target` is no class, or an option is unknown.
 * @example
 * ```ts
 * it('adds up what was deposited', () =>
 *   scenario(AccountBalance, { accountId })
 *     .given(Deposited, { accountId, amount: 40 })
 *     .given(Deposited, { accountId, amount: 50 })
 *     .thenState({ balance: 90 }));
 * ```
 */
export function scenario<T extends object>(
  target: Class<T> & (T extends AnyAggregate ? never : unknown),
  ids?: Ids<T>,
  options?: ScenarioOptions,
): ProjectionScenario<T>;
export function scenario(target: Class, ids?: object, options: ScenarioOptions = {}): unknown {
  if (!isClass(target)) throw new InvalidArgumentError(`scenario takes an aggregate or projection, not ${nameOf(target)}.`);
  if (projectionSlot.own(target)?.reactor !== undefined)
    throw new InvalidArgumentError(
      `${target.name} is a reactor, and has no state to look at. Call its handlers on an instance made with new.`,
    );
  checkOptions(options);
  const subject = { target, ids, options };
  return aggregateSlot.own(target) === undefined ? new ProjectionScenario(subject) : new AggregateScenario(subject);
}

function checkOptions(options: ScenarioOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError(`The options of a scenario are an object, not ${nameOf(options)}.`);
  const known = ['classes', 'clock', 'ids', 'resolve'];
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw new InvalidArgumentError(`scenario knows no option "${key}". Known: ${known.join(', ')}.`);
  if (options.classes !== undefined && !Array.isArray(options.classes))
    throw new InvalidArgumentError(`The classes of a scenario are an array, not ${nameOf(options.classes)}.`);
}
