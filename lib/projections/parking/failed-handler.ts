import type { RecordedEvent } from '../../events/recorded-event';
import type { ProjectionError } from '../projection-errors';

/** Ends the folding of a chunk at a handler that failed. It is thrown, but no error: only `failure` is told to anybody. */
export class FailedHandler {
  constructor(
    readonly failure: ProjectionError,
    readonly event: RecordedEvent,
  ) {}
}
