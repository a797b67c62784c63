import type { RecordedEvent } from '../../events/recorded-event';
import type { BlockedInstance } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { ProjectionError } from '../projection-errors';

/** An event that failed for one projection instance. Later events of that instance wait behind it. */
export interface ParkedEvent {
  /** The projection's name. */
  readonly projection: string;
  /** The instance's ids; undefined when the event does not say which instance it belongs to. */
  readonly ids: Readonly<Record<string, unknown>> | undefined;
  readonly event: RecordedEvent;
  /** The last failure. */
  readonly error: ProjectionError;
  /** How often the event was tried. */
  readonly attempts: number;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  /** How many later events of the instance wait. */
  readonly waiting: number;
}

/** A failure of a projection, as `es.projections.errors()` reports it. */
export interface ProjectionFailure {
  readonly projection: string;
  readonly ids: Readonly<Record<string, unknown>> | undefined;
  readonly event: RecordedEvent;
  readonly error: ProjectionError;
  readonly attempts: number;
  /** False while it will be tried again by itself. */
  readonly isParked: boolean;
}

/** @returns the events that are parked, of the instances that stand still: others are tried again by themselves. */
export function parkedIn(definition: ProjectionDefinition, blocked: readonly BlockedInstance[]): ParkedEvent[] {
  return blocked.filter(({ failure }) => failure.retryAt === undefined).map((instance) => parkedEvent(definition, instance));
}

function parkedEvent(definition: ProjectionDefinition, { values, event, failure, waiting }: BlockedInstance): ParkedEvent {
  const { attempts, firstFailedAt, lastFailedAt } = failure;
  const ids = definition.idsOf(values);
  const error = ProjectionError.recalled(definition.projection, ids, event, failure);
  return { projection: definition.projection, ids, event, error, attempts, firstFailedAt, lastFailedAt, waiting };
}
