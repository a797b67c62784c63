import type { Upcaster } from '../events/upcaster';

/** A function that is an upcaster. `upcasts` makes it. */
export class UpcasterFunction {
  /** @internal */
  constructor(
    /** @internal */
    readonly upcaster: Upcaster,
  ) {}
}
