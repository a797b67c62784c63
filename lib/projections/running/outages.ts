/** Trouble that follows other trouble this soon belongs to it, in milliseconds: longer than any pause before another try. */
const quietMs = 10_000;

/** Has a process say once what goes wrong over and over, as when the database is away. */
export class Outages {
  /** When each projection had trouble last. */
  private readonly last = new Map<string, number>();

  constructor(private readonly warn: (message: string) => void) {}

  /** Tells of trouble of projections, unless it goes on since it was told of for each of them. */
  tell(projections: readonly string[], message: string): void {
    const now = performance.now();
    const isNew = projections.some((name) => now - (this.last.get(name) ?? Number.NEGATIVE_INFINITY) > quietMs);
    for (const name of projections) this.last.set(name, now);
    if (isNew) this.warn(message);
  }
}
