import type { Class } from './event-class';
import { InvalidArgumentError } from './invalid-argument-error';
import type { EventContext } from './recorded-event';

/** An event that an upcaster makes of a stored one, by its class or stored name. */
export interface UpcastTarget {
  readonly event: Class | string;
  /** The version of its shape that the upcaster makes: a whole number of 1 or more. */
  readonly version: number;
}

/** One of the events that an upcaster makes of a stored one. */
export interface UpcastEvent {
  /** One of those that its `into` names. */
  readonly event: Class | string;
  /** Its data in stored form: plain JSON values. */
  readonly data: object;
}

/** Makes the next version of the data of one. What it is given is frozen. */
export type UpcastFunction = (data: never, event: EventContext) => unknown;

/** A way from one version of an event to another, or to other events. */
export interface Upcaster {
  /** What errors call it, such as `OrderUpcasters.priced`. */
  readonly place: { readonly class: string; readonly member?: string };
  readonly source: Class | string;
  readonly from: number;
  readonly into: readonly UpcastTarget[];
  /** Gives a list of events, each with its data; otherwise the data of the only one. */
  readonly isSplit: boolean;
  readonly run: UpcastFunction;
}

/** Says that a stored event is of no meaning any more. */
export class Dropped {
  constructor(readonly reason: string) {}
}

/**
 * What an upcaster returns for a stored event that nobody is to see any more. It stays stored.
 *
 * @param reason Why, for whoever reads the code: text of one character or more.
 * @throws {@link InvalidArgumentError} without a reason.
 */
export function dropped(reason: string): Dropped {
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new InvalidArgumentError('dropped(reason) takes the reason as text: an event is not dropped in silence.');
  return new Dropped(reason);
}

/** @returns what errors call an upcaster. */
export function upcasterName({ place }: Pick<Upcaster, 'place'>): string {
  return place.member === undefined ? place.class : `${place.class}.${place.member}`;
}
