import { setImmediate } from 'node:timers/promises';

/** After so many events the event loop is let free. */
const breathAfter = 512;

/** Taken here, so that fake timers in a user's tests do not stop the projections. */
const nextTurn = setImmediate;

/** Lets the event loop free now and then: a database that answers at once never waits for anything. */
export class Breath {
  private since = 0;

  /** @returns at once until so many events have been worked on that others should have their turn. */
  async after(events: number): Promise<void> {
    this.since += events;
    if (this.since < breathAfter) return;
    this.since = 0;
    await nextTurn();
  }
}
