import type { AssertionError } from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import type { AnyAggregate, FilledBy, IdsOf } from '../aggregates/aggregate-root';
import type { EventSourcing } from '../event-sourcing';
import { type Class, isClass, nameOf, type PayloadArgument } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { checkExpected, type ExpectedState, stateFailure } from './expected-state';
import { type EventData, eventData, eventsAfter, instanceOf, playOn, type Stage, type Subject } from './history';
import { difference, errorText, failure, Outcome } from './outcome';

/** Some fields of an error; for a text also a pattern. */
export type ErrorFields<X> = { readonly [K in keyof X]?: X[K] extends string ? X[K] | RegExp : X[K] };

/** Runs the command of a scenario. */
export type When<A> = (instance: A, es: EventSourcing) => PromiseLike<unknown>;

/** What an aggregate's scenario came to. */
export interface AggregateFacts {
  readonly es: EventSourcing;
  /** What was stored, as instances of the event classes. */
  readonly emitted: readonly object[];
  /** What the command rejected with, if it did. */
  readonly rejection: { readonly error: unknown } | undefined;
}

/** What follows from a command: assertions, chained, and then awaited or returned from the test. */
export class AggregateOutcome<A extends AnyAggregate> extends Outcome<AggregateFacts> {
  private readonly expected: [event: Class, payload: object | undefined][] = [];
  private mayReject = false;

  /** @internal */
  constructor(
    private readonly subject: Subject,
    past: readonly EventData[],
    command: When<A>,
  ) {
    super((judge) => playOn(subject, past, async (stage) => judge(await carryOut(stage, subject, command))));
  }

  /**
   * Asserts that the command succeeds and emits this event and no other. Called again, it asserts the next one.
   *
   * @param payload All its data, compared strictly. The instance's ids may be left out, as with `emit`.
   */
  thenEmits<E extends object>(event: Class<E>, ...payload: PayloadArgument<E, FilledBy<A>>): this {
    this.expected.push([event, payload[0]]);
    if (this.expected.length > 1) return this;
    return this.assert(this.thenEmits, (facts) => {
      const expected = this.expected.map(([target, data]) => instanceOf(this.subject, ...eventData('thenEmits', target, data)));
      return emissionFailure(facts, expected);
    });
  }

  /** Asserts that the command succeeds and emits no event. */
  thenEmitsNothing(): this {
    return this.assert(this.thenEmitsNothing, (facts) => emissionFailure(facts, []));
  }

  /**
   * Asserts that the command rejects, and that nothing was stored.
   *
   * @param error The class of the error, or a base class of it. For `Error` itself, which every mistake is, give `fields`.
   * @param fields Some of its fields, compared strictly; a pattern matches text: `{ message: /overdrawn/ }`.
   */
  thenRejects<X extends object>(error: Class<X>, fields: ErrorFields<NoInfer<X>> = {}): this {
    this.mayReject = true;
    return this.assert(this.thenRejects, (facts) => {
      checkErrorClass(error, fields);
      return rejectionFailure(facts, error, fields);
    });
  }

  /**
   * Asserts the state of the instance, loaded anew from what is stored.
   *
   * @param expected Some of its properties, compared strictly, or a function that throws, or returns false, when the
   * state is wrong.
   */
  thenState(expected: ExpectedState<A>): this {
    return this.assert(this.thenState, async ({ es, rejection }) => {
      checkExpected('thenState', expected);
      if (rejection !== undefined && !this.mayReject) return unexpected(rejection.error);
      return stateFailure(this.subject.target.name, await load<A>(es, this.subject), expected);
    });
  }
}

async function carryOut<A extends AnyAggregate>(stage: Stage, subject: Subject, command: When<A>): Promise<AggregateFacts> {
  const { es, store } = stage;
  const before = await store.head();
  const instance = await load<A>(es, subject);
  const rejection = await rejectionOf(() => command(instance, es));
  return { es, rejection, emitted: await eventsAfter(stage, before) };
}

function load<A extends AnyAggregate>(es: EventSourcing, { target, ids }: Subject): Promise<A> {
  return es.loadOrCreate(target as Class<A>, ids as IdsOf<A>);
}

async function rejectionOf(command: () => unknown): Promise<AggregateFacts['rejection']> {
  let pending: unknown;
  try {
    pending = command();
    await pending;
  } catch (error) {
    return { error };
  } finally {
    // Gives a command that was not awaited the time to show.
    await setImmediate();
  }
  if (typeof (pending as PromiseLike<unknown> | undefined)?.then === 'function') return undefined;
  throw failure('The function given to when returned no promise. Return that of the command.');
}

function checkErrorClass(error: unknown, fields: object): void {
  if (!isClass(error)) throw new InvalidArgumentError(`thenRejects takes a class of errors, not ${nameOf(error)}.`);
  if ((error as unknown) === Error && Object.keys(fields).length === 0)
    throw new InvalidArgumentError('Every mistake is an Error. Give thenRejects a more special class, or fields.');
}

function emissionFailure({ rejection, emitted }: AggregateFacts, expected: readonly object[]): AssertionError | undefined {
  if (rejection !== undefined) return unexpected(rejection.error);
  return difference('The command did not emit what was expected:', emitted, expected);
}

function rejectionFailure(facts: AggregateFacts, wanted: Class, fields: object): AssertionError | undefined {
  const { rejection, emitted } = facts;
  if (rejection === undefined) return failure(`The command was expected to reject with ${wanted.name}, but it succeeded.`);
  const { error } = rejection;
  if (!(error instanceof wanted))
    return failure(`The command was expected to reject with ${wanted.name}, but it did with ${errorText(error)}`, error);
  const differing = difference(`The ${wanted.name} differs:`, fieldsLike(error, fields), fields);
  return differing ?? difference('The command rejected, but something was stored:', emitted, []);
}

/** The fields of the error that are expected to be something, with a pattern in place of the text that it matches. */
function fieldsLike(error: object, fields: object): Record<string, unknown> {
  const present = Object.entries(fields).filter(([key]) => key in error);
  return Object.fromEntries(
    present.map(([key, wanted]: [string, unknown]) => {
      const actual = (error as Record<string, unknown>)[key];
      return [key, wanted instanceof RegExp && typeof actual === 'string' && wanted.test(actual) ? wanted : actual];
    }),
  );
}

function unexpected(error: unknown): AssertionError {
  return failure(`The command was expected to succeed, but it rejected with ${errorText(error)}`, error);
}
