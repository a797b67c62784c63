import type { Place } from './place';

/** Thrown inside the codec where a value does not fit; its callers make an error of it that names the event. */
export class Misfit {
  constructor(
    readonly place: Place,
    readonly reason: string,
    readonly remedy?: string,
    readonly cause?: unknown,
  ) {}
}
