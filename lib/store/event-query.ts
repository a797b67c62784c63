import type { Criterion } from '../events/criterion';
import type { Position } from '../events/recorded-event';

/** Which events to read. Every bound is exclusive; all that are given hold together. */
export interface EventQuery {
  /** Only this stream. */
  readonly stream?: string;
  /** Only events that match any of these; every event when left out, none when empty. */
  readonly criteria?: readonly Criterion[];
  readonly after?: Position;
  readonly before?: Position;
  /** Only later versions of `stream`: 0 for all. Needs `stream`. */
  readonly afterVersion?: number;
  /** Only events recorded later than this: a `Date`, or ISO 8601. */
  readonly afterTime?: string | Date;
  /** Only events recorded earlier than this. Events are in order of position, which need not be that of their times. */
  readonly beforeTime?: string | Date;
  /** `'backward'` begins with the newest. `'forward'` unless given. */
  readonly direction?: 'forward' | 'backward';
  /** At most so many events: a whole number of 0 or more. */
  readonly limit?: number;
}

/** Which part of a query's result to return. `first` and `last` are whole numbers of 1 or more. */
export type PageRequest =
  | { readonly first: number; readonly after?: string }
  | { readonly last: number; readonly before?: string };

/** A part of a result, always in reading order. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Give it as `before` to read what precedes; undefined on an empty page. */
  readonly startCursor: string | undefined;
  /** Give it as `after` to read what follows; undefined on an empty page. */
  readonly endCursor: string | undefined;
}
