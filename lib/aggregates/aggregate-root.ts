import { type Class, givenPayload, nameOf, type PayloadArgument } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { AggregateState } from './aggregate-state';

declare const filledIn: unique symbol;

const states = new WeakMap<object, AggregateState>();

/**
 * The base of aggregates.
 *
 * Its handlers (`@Handles`) change its state and nothing else; its commands (`@Command`) decide by that state and
 * emit. State lives in ordinary properties, not in `#private` ones, so that it can be put back when a command fails.
 *
 * @typeParam Filled The names of the event properties that {@link AggregateRoot.emit} fills in: its ids, and the
 * properties that id maps name where a class has one map for an event.
 */
export abstract class AggregateRoot<Filled extends string = never> {
  /** @internal Carries the type argument; has no value. */
  declare readonly [filledIn]?: Filled;

  /**
   * Records an event and hands it to the handlers at once. It is stored when the command, or the transaction around
   * it, resolves; when that rejects, the state is put back. Identity properties that `payload` leaves out are filled
   * in from this instance; the data is copied and frozen.
   *
   * @throws {@link EventValidationError} when the data breaks a class-validator rule of the event's class.
   * @throws {@link UnstorablePayloadError} when the data holds a function, `NaN`, a cycle, or the like.
   * @throws {@link UnhandledEmitError} when this class does not handle the event.
   * @throws {@link ForeignEventError} when the event's ids are not this instance's.
   * @throws {@link MisplacedEmitError} outside a command, or in a handler.
   */
  protected emit<E extends object>(event: Class<E>, ...payload: PayloadArgument<E, Filled>): void {
    stateOf(this).emit(event, givenPayload(payload));
  }
}

/** Any aggregate. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the type argument, which no other type stands for.
export type AnyAggregate = AggregateRoot<any>;

/** The ids of an aggregate class, as `es.load` takes them. */
export type IdsOf<A extends AnyAggregate> = A extends { readonly [filledIn]?: infer Filled }
  ? [Filled] extends [undefined]
    ? Partial<Record<string, unknown>>
    : Pick<A, Extract<NonNullable<Filled>, keyof A>>
  : never;

/** The names of the event properties that an aggregate fills in. */
export type FilledBy<A extends AnyAggregate> = A extends { readonly [filledIn]?: infer Filled } ? Extract<Filled, string> : never;

/** @internal */
export function stateOf(root: AnyAggregate): AggregateState {
  let state = states.get(root);
  if (state === undefined) {
    if (!(root instanceof AggregateRoot))
      throw new InvalidArgumentError(`${nameOf(root)} is no aggregate. Give an instance of one.`);
    state = new AggregateState(root);
    states.set(root, state);
  }
  return state;
}

/**
 * Lists the events that an aggregate emitted and that are not stored: on an instance made with `new`, in a unit test,
 * all of them; on a loaded one those of the command that is running.
 *
 * @returns instances of the event classes, oldest first.
 */
export function uncommittedEvents(root: AnyAggregate): readonly object[] {
  return stateOf(root).uncommitted();
}

/** @returns the number of events in the stream of the instance when it was last refreshed: 0 for a new one. */
export function versionOf(root: AnyAggregate): number {
  return stateOf(root).version;
}

/**
 * Has commands of a loaded instance refused when anything was stored meanwhile that changes it: from now until one of them is
 * stored, also when that comes between the command and its commit. Without it, a command runs again on fresh state.
 *
 * Call it when what the caller has seen is what was loaded: after comparing a version, or a tag, that came with the request.
 *
 * @param otherwise Makes what is thrown instead of an {@link OptimisticLockError}.
 * @throws {@link InvalidArgumentError} when the instance was made with `new`.
 */
export function expectUnchanged(root: AnyAggregate, otherwise?: () => Error): void {
  const state = stateOf(root);
  if (state.definition === undefined)
    throw new InvalidArgumentError(`expectUnchanged takes a loaded aggregate, not ${nameOf(root)} made with new. See es.load.`);
  const { version, folded } = state;
  state.expectation = { version, folded, otherwise };
}
