import type { AssertionError } from 'node:assert';
import type { Class, PayloadArgument } from '../events/event-class';
import type { Ids } from '../projections/reading/ids';
import type { ExpectedState } from './expected-state';
import { type EventData, eventData, type Subject } from './history';
import { assertsNothing } from './outcome';
import { ProjectionOutcome } from './projection-outcome';

/** The past that a projection is folded from. Each call gives a new one, so that a common past can be shared. */
export class ProjectionScenario<T extends object> {
  /** @internal */
  constructor(
    private readonly subject: Subject,
    private readonly past: readonly EventData[] = [],
  ) {}

  /**
   * Adds an event to the past.
   *
   * @throws {@link InvalidArgumentError} when `event` is no class or `payload` no object.
   */
  given<E extends object>(event: Class<E>, ...payload: PayloadArgument<E>): ProjectionScenario<T> {
    return new ProjectionScenario(this.subject, [...this.past, eventData('given', event, payload[0])]);
  }

  /** As {@link ProjectionOutcome.thenState}. */
  thenState(expected: ExpectedState<T>): ProjectionOutcome<T> {
    return new ProjectionOutcome<T>(this.subject, this.past).thenState(expected);
  }

  /** As {@link ProjectionOutcome.thenStateOf}. */
  thenStateOf(ids: Ids<T>, expected: ExpectedState<T>): ProjectionOutcome<T> {
    return new ProjectionOutcome<T>(this.subject, this.past).thenStateOf(ids, expected);
  }

  /** As {@link ProjectionOutcome.thenNoState}. */
  thenNoState(ids?: Ids<T>): ProjectionOutcome<T> {
    return new ProjectionOutcome<T>(this.subject, this.past).thenNoState(ids);
  }

  /** @internal To await a scenario that asserts nothing is an error, of the compiler too. */
  // biome-ignore lint/suspicious/noThenProperty: a forgotten assertion must not pass
  then(_resolve: unknown, reject: (error: AssertionError) => void): void {
    reject(assertsNothing());
  }
}
