import { checkOptions } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import type { RetryPolicy } from '../lib/metadata/slots';

/** @throws {@link DecoratorError} when an option is unknown or not possible. */
export function checkRetry(decorator: string, given: Partial<RetryPolicy> = {}, unlessGiven: RetryPolicy): RetryPolicy {
  checkOptions(decorator, given, ['attempts', 'delayMs', 'maxDelayMs']);
  const { attempts = unlessGiven.attempts, delayMs = unlessGiven.delayMs, maxDelayMs = unlessGiven.maxDelayMs } = given;
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw wrong(decorator, `${String(attempts)} attempts are not possible`, 'Give a whole number of 1 or more');
  for (const delay of [delayMs, maxDelayMs])
    if (!Number.isFinite(delay) || delay < 0)
      throw wrong(decorator, `a delay of ${String(delay)} ms is not possible`, 'Give 0 or more');
  return { attempts, delayMs, maxDelayMs };
}

/** @throws {@link DecoratorError} when `value` is no whole number of 1 or more. */
export function checkCount(decorator: string, option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw wrong(decorator, `${option} ${String(value)} is not possible`, 'Give a whole number of 1 or more');
}

function wrong(decorator: string, problem: string, remedy: string): DecoratorError {
  return new DecoratorError(decorator, 'its options', problem, remedy);
}
