import { EventSourcingError } from '../../event-sourcing-error';
import { ProjectionError } from '../projection-errors';

/** A rebuild came upon what it cannot go on with. It has not touched what serves. `cause` is what failed. */
export class RebuildFailedError extends EventSourcingError {
  override readonly code = 'REBUILD_FAILED';
  /** The event at which it stopped; undefined where no event is to blame. */
  readonly eventId: string | undefined;
  readonly eventType: string | undefined;
  readonly position: string | undefined;
  /** The ids of the instance that could not take it. */
  readonly ids: Readonly<Record<string, unknown>> | undefined;

  constructor(
    readonly projection: string,
    cause: unknown,
  ) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
    // What failed at no event may concern what serves, too.
    const outcome = cause instanceof ProjectionError ? 'could not be rebuilt, and serves as before' : 'could not be rebuilt';
    super(`${projection} ${outcome}: ${reason}. Mend that and rebuild it: it begins anew.`, { cause });
    const failure = cause instanceof ProjectionError ? cause : undefined;
    this.eventId = failure?.eventId;
    this.eventType = failure?.eventType;
    this.position = failure?.position;
    this.ids = failure?.ids;
  }
}

/** A rebuild was given up on its caller's request, or its caller does not wait for it any more. */
export class RebuildCancelledError extends EventSourcingError {
  override readonly code = 'REBUILD_CANCELLED';

  constructor(
    readonly projection: string,
    cause?: unknown,
    /** `'not waited for'` when it goes on for others: who began it, or another process. */
    readonly outcome: 'given up' | 'not waited for' = 'given up',
  ) {
    super(
      outcome === 'given up'
        ? `The rebuild of ${projection} was cancelled. What serves is as it was.`
        : `This call does not wait any more for the rebuild of ${projection}, which others go on with: es.projections.status() tells how it is.`,
      { cause },
    );
  }
}

/** Something else is being built beside what serves, and there can be only one. */
export class RebuildUnderWayError extends EventSourcingError {
  override readonly code = 'REBUILD_UNDER_WAY';

  constructor(
    readonly projection: string,
    /** What is under way. */
    readonly work: string,
  ) {
    super(`A ${work} of ${projection} is under way. Try again when it is over: es.projections.status() tells how far it is.`);
  }
}

/** There is no state of a projection from before a rebuild that this process could go back to. */
export class NothingKeptError extends EventSourcingError {
  override readonly code = 'NOTHING_KEPT';

  constructor(
    readonly projection: string,
    /** The version of what is kept; undefined where nothing is. */
    readonly kept: number | undefined,
    version: number,
    reason?: 'another kind',
  ) {
    super(
      kept === undefined
        ? `Nothing is kept of ${projection} that it could be rolled back to. Rebuild it instead.`
        : reason === 'another kind'
          ? `What is kept of ${projection} is of another kind (an @Entity(), documents, or custom) than what serves, and cannot take its place. Raise version in @Projection: then it is built anew.`
          : `What is kept of ${projection} is of version ${kept}, and this process has version ${version}. Roll it back in a process with version ${kept}.`,
    );
  }
}

/** A newer version of a projection serves, or is being built, than the class of this process. */
export class OutdatedProjectionError extends EventSourcingError {
  override readonly code = 'OUTDATED_PROJECTION';

  constructor(
    readonly projection: string,
    readonly version: number,
    readonly newer: number,
  ) {
    super(
      `${projection} has version ${version} in this process, and version ${newer} elsewhere. Call it in a process with that version.`,
    );
  }
}

/** A custom projection keeps its state by itself, so the framework cannot do with it what it does with others. */
export class CustomProjectionError extends EventSourcingError {
  override readonly code = 'CUSTOM_PROJECTION';

  constructor(
    readonly projection: string,
    /** What it cannot do, and what to do about it. */
    problem: string,
  ) {
    super(`${projection} is custom, and keeps its state by itself: ${problem}.`);
  }
}
