const first = 512;
const most = 8_192;

/** A chunk should take about so long: less, and the cost of a commit shows; more, and it shows late what it did. */
const longMs = 1_000;
const shortMs = 400;

/** How many events to fold at once: as many as are done in good time. */
export class ChunkSize {
  now = first;

  /** So many were done in so much time. */
  took(events: number, ms: number): void {
    if (ms > longMs) this.now = Math.max(1, Math.floor(this.now / 2));
    else if (ms < shortMs && events >= this.now) this.now = Math.min(most, this.now * 2);
  }

  /** Takes at most so many next. */
  limit(events: number): void {
    this.now = Math.max(1, events);
  }
}
