import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';

/** Looks at what a scenario came to. @returns the failure, if it is one. */
export type Check<Facts> = (facts: Facts) => Promise<AssertionError | undefined> | AssertionError | undefined;

/** Plays a scenario, and hands what it came to to `judge` before it is cleaned up. */
export type Play<Facts> = (judge: (facts: Facts) => Promise<void>) => Promise<void>;

/**
 * The promise of a scenario and its assertions, which are chained to it. It runs by itself, so an assertion that fails
 * is an unhandled rejection when nobody awaits it, and it rejects when there is no assertion.
 */
export abstract class Outcome<Facts> extends Promise<void> {
  private readonly checks: Check<Facts>[];

  constructor(play: Play<Facts>) {
    const checks: Check<Facts>[] = [];
    super((resolve, reject) => queueMicrotask(() => judge(play, checks).then(resolve, reject)));
    this.checks = checks;
  }

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** Adds an assertion; a failure points to where `method` was called. */
  protected assert(method: (...args: never[]) => unknown, check: Check<Facts>): this {
    if (Object.isFrozen(this.checks)) throw failure('This scenario has run already. Chain its assertions in one expression.');
    const place = { stack: '' };
    Error.captureStackTrace(place, method);
    this.checks.push(async (facts) => pointTo(place, await check(facts)));
    return this;
  }
}

async function judge<Facts>(play: Play<Facts>, checks: readonly Check<Facts>[]): Promise<void> {
  Object.freeze(checks);
  if (checks.length === 0) throw assertsNothing();
  await play(async (facts) => {
    for (const check of checks) {
      const failed = await check(facts);
      if (failed !== undefined) throw failed;
    }
  });
}

function pointTo({ stack }: { readonly stack: string }, failed: AssertionError | undefined): AssertionError | undefined {
  if (failed !== undefined) failed.stack = `${failed.name}: ${failed.message}\n${stack.slice(stack.indexOf('\n') + 1)}`;
  return failed;
}

/** @returns the failure of a scenario without an assertion. */
export function assertsNothing(): AssertionError {
  return failure('This scenario asserts nothing. Say what follows: thenEmits, thenRejects, thenState …');
}

/** @returns an assertion's failure. */
export function failure(message: string, cause?: unknown): AssertionError {
  return Object.assign(new AssertionError({ message }), cause === undefined ? {} : { cause });
}

/** @returns the failure that shows how `actual` differs from `expected`, prototypes included, if it does. */
export function difference(message: string, actual: unknown, expected: unknown): AssertionError | undefined {
  if (isDeepStrictEqual(actual, expected)) return undefined;
  const { message: shown } = new AssertionError({ actual, expected, operator: 'deepStrictEqual' });
  return new AssertionError({ actual, expected, message: `${message}\n${shown}` });
}

/** @returns an error as short text for a message. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error);
}
