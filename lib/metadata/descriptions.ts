import type { Criterion } from '../events/criterion';
import type { ProjectionMode, SnapshotPolicy } from './slots';

/** An event, as introspection shows it. */
export interface EventDescription {
  /** The class's name. */
  readonly class: string;
  /** The stored name. */
  readonly type: string;
  readonly schemaVersion: number;
  /** Names that it was stored under before; left out where there are none. */
  readonly aliases?: readonly string[];
  /** The names of the aggregates, projections and reactors that handle it. */
  readonly handledBy: readonly string[];
}

/** Where an id comes from: an event property's name, or the source text of the function that computes it. */
export type IdSourceDescription = string | { readonly computed: string };

/** One handler, as introspection shows it. */
export interface HandlerDescription {
  /** The name of the class it belongs to. */
  readonly class: string;
  readonly method: string;
  /** The stored name of the event. */
  readonly event: string;
  /** For each id of the class: where in the event it is found. */
  readonly ids: Readonly<Record<string, IdSourceDescription>>;
}

/** What an aggregate, projection or reactor depends on. */
export interface BoundaryDescription {
  /** The one stream that holds all its events, for an aggregate guarded by its stream. */
  readonly stream?: string;
  /** The events it depends on: those that match any of these. */
  readonly criteria: readonly Criterion[];
}

/** An aggregate, projection or reactor, as introspection shows it. */
export interface ClassDescription {
  readonly kind: 'aggregate' | 'projection' | 'reactor';
  /** The class's name. */
  readonly class: string;
  /** The name its streams, state or place in the log are kept under. */
  readonly name: string;
  readonly ids: readonly string[];
  readonly handlers: readonly HandlerDescription[];
  /** The names of its commands; none for a projection or reactor. */
  readonly commands: readonly string[];
  /** An aggregate's: `'stream'` when all its events lie in its own stream, else `'boundary'`. */
  readonly guard?: 'stream' | 'boundary';
  /** An aggregate's: the other aggregates that handle events of the same types, by event type. */
  readonly sharedWith?: Readonly<Record<string, readonly string[]>>;
  /** A projection's. */
  readonly mode?: ProjectionMode;
  /** How its state is kept between loads, where it asks for that. */
  readonly snapshot?: SnapshotPolicy;
}

/** An upcaster, as introspection shows it. */
export interface UpcasterDescription {
  /** Where it is: the class and method, or the function. */
  readonly name: string;
  readonly from: { readonly type: string; readonly version: number };
  /** One, or several for an event that is split. */
  readonly into: readonly { readonly type: string; readonly version: number }[];
}
