import type { AssertionError } from 'node:assert';
import { nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { difference, failure } from './outcome';

/** Some properties of an instance: its public ones with their types, and others, as its private ones, by name. */
export type SomeState<T> = { readonly [K in keyof T]?: T[K] } & { readonly [key: string]: unknown };

/** What an instance should be like: some of its properties, or a function that throws or returns false when it is not. */
export type ExpectedState<T> = SomeState<T> | ((state: T) => unknown);

/** @throws {@link InvalidArgumentError} when the expectation could not fail. */
export function checkExpected(method: string, expected: unknown): void {
  if (typeof expected === 'function') return;
  if (typeof expected !== 'object' || expected === null)
    throw new InvalidArgumentError(`${method} takes properties or a function, not ${nameOf(expected)}.`);
  if (Object.keys(expected).length === 0)
    throw new InvalidArgumentError(`${method} was given no properties, so it asserts nothing. Give one or more.`);
}

/** @returns the failure when `state` is not as expected. */
export async function stateFailure<T extends object>(
  name: string,
  state: T,
  expected: ExpectedState<T>,
): Promise<AssertionError | undefined> {
  if (typeof expected !== 'function')
    return difference(`The state of ${name} differs:`, pick(state, Object.keys(expected)), expected);
  const verdict = await expected(state);
  return verdict === false ? failure(`The state of ${name} does not pass the function given to thenState.`) : undefined;
}

function pick(state: object, keys: readonly string[]): Record<string, unknown> {
  const present = keys.filter((key) => key in state);
  return Object.fromEntries(present.map((key) => [key, (state as Record<string, unknown>)[key]]));
}
