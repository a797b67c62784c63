import type { AssertionError } from 'node:assert';
import type { AnyAggregate, FilledBy } from '../aggregates/aggregate-root';
import { type Class, nameOf, type PayloadArgument } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { AggregateOutcome, type When } from './aggregate-outcome';
import type { ExpectedState } from './expected-state';
import { type EventData, eventData, type Subject } from './history';
import { assertsNothing } from './outcome';

/** The past of an aggregate instance. Each call gives a new one, so that a common past can be shared between tests. */
export class AggregateScenario<A extends AnyAggregate> {
  /** @internal */
  constructor(
    private readonly subject: Subject,
    private readonly past: readonly EventData[] = [],
  ) {}

  /**
   * Adds an event to the past. The instance's ids may be left out, as with `emit`; another instance's event needs its.
   *
   * @throws {@link InvalidArgumentError} when `event` is no class or `payload` no object.
   */
  given<E extends object>(event: Class<E>, ...payload: PayloadArgument<E, FilledBy<A>>): AggregateScenario<A> {
    return new AggregateScenario(this.subject, [...this.past, eventData('given', event, payload[0])]);
  }

  /**
   * Runs a command on the instance, loaded from its past or new. An assertion must follow.
   *
   * @param command Returns the command's promise. Whatever is stored until it settles counts as emitted, also by other
   * instances that it loads from the `EventSourcing`.
   */
  when(command: When<A>): AggregateOutcome<A> {
    if (typeof command !== 'function') throw new InvalidArgumentError(`when takes a function, not ${nameOf(command)}.`);
    return new AggregateOutcome(this.subject, this.past, command);
  }

  /** Asserts the state that follows from the past alone; otherwise as {@link AggregateOutcome.thenState}. */
  thenState(expected: ExpectedState<A>): AggregateOutcome<A> {
    return new AggregateOutcome<A>(this.subject, this.past, async () => undefined).thenState(expected);
  }

  /** @internal To await a scenario that asserts nothing is an error, of the compiler too. */
  // biome-ignore lint/suspicious/noThenProperty: a forgotten assertion must not pass
  then(_resolve: unknown, reject: (error: AssertionError) => void): void {
    reject(assertsNothing());
  }
}
