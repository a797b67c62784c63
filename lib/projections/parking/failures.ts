import type { RetryPolicy } from '../../metadata/slots';
import type { Failure } from '../../store/projection-store';

/** The first failure of an event on an instance. */
export function firstFailure(error: Error, retry: RetryPolicy, now: Date): Failure {
  return failureAfter(undefined, error, retry, now);
}

/** The failure of an event that may have failed before. */
export function failureAfter(before: Failure | undefined, error: Error, retry: RetryPolicy, now: Date): Failure {
  const attempts = (before?.attempts ?? 0) + 1;
  const lastFailedAt = now.toISOString();
  const pauseMs = Math.min(retry.maxDelayMs, retry.delayMs * 2 ** (attempts - 1));
  return {
    message: error.message,
    stack: stackOf(error),
    attempts,
    firstFailedAt: before?.firstFailedAt ?? lastFailedAt,
    lastFailedAt,
    retryAt: attempts < retry.attempts ? new Date(now.getTime() + pauseMs).toISOString() : undefined,
  };
}

/** What was thrown tells more than what says so. */
function stackOf({ cause, stack }: Error): string | undefined {
  return cause instanceof Error ? (cause.stack ?? stack) : stack;
}
