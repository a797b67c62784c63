import type { Position } from '../../events/recorded-event';
import type { Ids } from './ids';

/** An instance as it is now, or after a change. */
export interface InstanceUpdate<T> {
  readonly kind: 'instance';
  readonly ids: Ids<T>;
  /** A copy; undefined when there is no such instance, or it is gone. */
  readonly state: T | undefined;
  /**
   * Who goes on after it misses nothing: every change up to here has been told, in `state` or before; later ones may be in it.
   * Undefined before the first event.
   */
  readonly position: Position | undefined;
  /** As {@link StartUpdate.edition}. */
  readonly edition?: string;
}

/** From where changes are told. */
export interface StartUpdate {
  readonly kind: 'start';
  readonly position: Position | undefined;
  /**
   * Goes with the position for who goes on after it: it is another one once instances may have changed without an event, as by a
   * rebuild, or when an event was parked, retried or skipped. A projection that is live has none.
   */
  readonly edition?: string;
  /** Whether more may have changed than is told, as too much has happened, or it is another edition: read everything anew. */
  readonly hasMissed: boolean;
}

/** What `es.projections.updates` tells. */
export type Update<T> = InstanceUpdate<T> | StartUpdate;

/** Which updates `es.projections.updates` gives. */
export interface UpdatesOptions<T> {
  /** One instance; each that changes unless given. */
  readonly ids?: Ids<T>;
  /** Begins with each instance that has changed after this position. Not together with `ids`, which begin with what there is. */
  readonly after?: Position | string | undefined;
  /** What was told with that position: with another edition, everything is to be read anew. Unless given, it is not looked at. */
  readonly edition?: string | undefined;
  /** How many events after `after` are looked at, at most: a whole number of 0 or more; 1000 unless given. */
  readonly maxEvents?: number;
}
