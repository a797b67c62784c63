import type { EventSourcing } from '../event-sourcing';
import type { Class } from '../events/event-class';
import type { Ids } from '../projections/reading/ids';
import { checkExpected, type ExpectedState, stateFailure } from './expected-state';
import { type EventData, playOn, type Subject } from './history';
import { difference, failure, Outcome } from './outcome';

/** What follows for a projection: assertions, chained, and then awaited or returned from the test. */
export class ProjectionOutcome<T extends object> extends Outcome<EventSourcing> {
  /** @internal */
  constructor(
    private readonly subject: Subject,
    past: readonly EventData[],
  ) {
    super((judge) => playOn(subject, past, async ({ es }) => judge(await folded(es, subject))));
  }

  /**
   * Asserts the state of the instance with the scenario's ids.
   *
   * @param expected Some of its properties, compared strictly, or a function that throws, or returns false, when the
   * state is wrong.
   */
  thenState(expected: ExpectedState<T>): this {
    return this.assertState(this.thenState, this.subject.ids, expected);
  }

  /** Asserts the state of another instance; otherwise as {@link thenState}. */
  thenStateOf(ids: Ids<T>, expected: ExpectedState<T>): this {
    return this.assertState(this.thenStateOf, ids, expected);
  }

  /**
   * Asserts that no event belongs to the instance.
   *
   * @param ids The scenario's ids unless given.
   */
  thenNoState(ids: Ids<T> | undefined = this.subject.ids): this {
    return this.assert(this.thenNoState, async (es) =>
      difference(`${this.nameOf(ids)} has state:`, await es.projections.get(this.target, ids), undefined),
    );
  }

  private get target(): Class<T> {
    return this.subject.target as Class<T>;
  }

  private assertState(method: (...args: never[]) => unknown, ids: Ids<T> | undefined, expected: ExpectedState<T>): this {
    return this.assert(method, async (es) => {
      checkExpected(method.name, expected);
      const state = await es.projections.get(this.target, ids);
      if (state === undefined) return failure(`${this.nameOf(ids)} has no state: no given event belongs to it.`);
      return stateFailure(this.nameOf(ids), state, expected);
    });
  }

  private nameOf(ids: object | undefined): string {
    return ids === undefined ? this.target.name : `${this.target.name} ${JSON.stringify(ids)}`;
  }
}

/** Waits until everything is folded, also by the other projections. A handler that threw is a failure. */
async function folded(es: EventSourcing, { target }: Subject): Promise<EventSourcing> {
  await es.projections.caughtUp();
  const [parked] = es.registry.describe(target).mode === 'live' ? [] : await es.projections.parked(target);
  if (parked === undefined) return es;
  throw failure(parked.error.message, parked.error);
}
