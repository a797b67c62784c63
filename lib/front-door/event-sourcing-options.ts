import type { OnInvalid } from '../events/checked-upcasting';
import type { Class } from '../events/event-class';
import type { UpcasterSource } from '../metadata/listed-upcasters';
import type { ProjectionRunOptions } from '../projections/run-options';
import type { Services } from '../projections/services';
import type { EventStore } from '../store/event-store';

/** What `EventSourcing.open` takes. */
export interface EventSourcingOptions extends Services {
  /** Where events are kept. It is closed together with the `EventSourcing`. */
  readonly store: EventStore;
  /** The aggregates and projections, and the events that none of them handles. Nothing registers by being imported. */
  readonly classes: readonly Class[];
  /**
   * Adds the tags that events in the store lack for `classes`, instead of refusing to start. It takes a while where there
   * are many; others go on appending, and a run that is killed goes on where it was. A store without
   * {@link EventStore.tagSources} does so at every start.
   */
  readonly retag?: boolean;
  /**
   * How events are read that were stored in an earlier version: classes with `@Upcasts` on methods, instances of them, or what
   * `upcasts(…)` returned.
   */
  readonly upcasters?: readonly UpcasterSource[];
  /**
   * Stored names that this application has no use for, or families of them: `'billing.*'` is every name that begins with
   * `billing.` and that nothing is known of. Their events are passed over; the start tells of it once.
   */
  readonly passOver?: readonly string[];
  /**
   * What a start does about stored events that the code cannot read, as far as the first and the newest of each type show: by
   * default, `'strict'`, it refuses those of unknown types and of unknown versions. `'versions'` only warns of unknown types,
   * which may be another application's; `'off'` does not look.
   */
  readonly storedEvents?: 'strict' | 'versions' | 'off';
  /**
   * Holds what is read from the store against the rules of its class, after upcasters, which nobody does unless asked: rules may be
   * younger than events. It is read all the same. `'warn'` tells of each broken rule in process warnings, at its first event, its
   * tenth, its hundredth and so on; a function hears of each event that is read.
   */
  readonly validateStored?: 'warn' | OnInvalid;
  /** What time it is; the system's clock unless given. */
  readonly clock?: () => Date;
  /** Makes unique ids for events and correlations; random UUIDs unless given. */
  readonly ids?: () => string;
  /** How async projections run in this process. */
  readonly projections?: ProjectionRunOptions;
}
