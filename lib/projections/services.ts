import { type Class, nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';

/** Where handlers, and the projections that need others, get these from: a container of theirs. */
export interface Services {
  /**
   * Finds what a handler of a projection or reactor asks for with `context.resolve(token)`, such as a container's `get`. Handlers are run
   * again when a state is folded anew: what they take from it should only answer.
   */
  readonly resolve?: ((token: unknown) => unknown) | undefined;
  /**
   * Says how the instances of a custom projection are made, and how a reactor is, whose constructor takes others: with a function, which is called
   * each time one is needed and may give the same; undefined where `new` makes them. Asked once for each, at the start.
   */
  readonly instances?: ((target: Class) => (() => object) | undefined) | undefined;
}

/** @returns what a handler asks for. @throws {@link InvalidArgumentError} where there is nowhere to look. */
export function resolved({ resolve }: Services, token: unknown): unknown {
  if (resolve !== undefined) return resolve(token);
  throw new InvalidArgumentError(
    `context.resolve(${nameOf(token)}) has nowhere to look. Give EventSourcing.open({ resolve: (token) => … }).`,
  );
}
