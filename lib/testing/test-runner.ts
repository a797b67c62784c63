import { nameOf } from '../events/event-class';

/** What a suite asks of values: a part of the matchers that jest and vitest share. */
export interface Matchers {
  toBe(expected: unknown): unknown;
  toBeInstanceOf(expected: abstract new (...args: never[]) => unknown): unknown;
  toBeUndefined(): unknown;
  toEqual(expected: unknown): unknown;
  toHaveLength(length: number): unknown;
  toMatch(pattern: RegExp): unknown;
  toStrictEqual(expected: unknown): unknown;
}

/** What runs a suite: the functions of these names in jest or vitest. */
export interface TestRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (rule: string, test: () => Promise<void>) => unknown;
  readonly expect: (actual: unknown) => Matchers;
}

/**
 * @returns the runner's functions that are global, as jest's are.
 * @throws {@link TypeError} when there are none.
 */
export function globalRunner(): TestRunner {
  const { describe, it, expect } = globalThis as Partial<TestRunner>;
  return checkedRunner({ describe, it, expect } as TestRunner, 'There is no global');
}

/** @throws {@link TypeError} when a function is missing. */
export function checkedRunner(runner: TestRunner, problem = 'The given runner has no'): TestRunner {
  if (typeof runner !== 'object' || runner === null)
    throw new TypeError(`A test runner is { describe, it, expect }, not ${nameOf(runner)}.`);
  for (const name of ['describe', 'it', 'expect'] as const) {
    if (typeof runner[name] !== 'function')
      throw new TypeError(`${problem} ${name}(). Pass your runner's functions: { describe, it, expect }.`);
  }
  return runner;
}
