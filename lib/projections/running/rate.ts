/** The rate over about so long a time is told. */
const windowMs = 2_000;

/** How many events a second are folded. */
export class Rate {
  private since = performance.now();
  private count = 0;
  private last = 0;

  add(events: number): void {
    this.count += events;
    const ms = performance.now() - this.since;
    if (ms < windowMs) return;
    this.last = (this.count / ms) * 1_000;
    this.count = 0;
    this.since = performance.now();
  }

  get perSecond(): number {
    const ms = performance.now() - this.since;
    // Old figures say nothing once the window is over.
    if (ms > windowMs) return Math.round((this.count / ms) * 1_000);
    return Math.round(this.last > 0 ? this.last : (this.count / Math.max(1, ms)) * 1_000);
  }
}
