import type { RecordedEvent } from '../events/recorded-event';
import type { Failure } from './projection-store';

/** The events before it were dealt with; that it waits is no failure, but it is its turn. */
export function untried({ time }: Pick<RecordedEvent, 'time'>): Failure {
  return {
    message: 'It waits to be tried.',
    stack: undefined,
    attempts: 0,
    firstFailedAt: time,
    lastFailedAt: time,
    retryAt: time,
  };
}
