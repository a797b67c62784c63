import type { RecordedEvent } from '../events/recorded-event';

const size = 1024;
const none: readonly RecordedEvent[] = Object.freeze([]);
const done: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * Hands out in chunks what `select` returns when the first is asked for. A generator would do the same; this makes
 * fewer objects, which shows where a read returns one chunk or none.
 */
export class Chunks implements AsyncIterableIterator<readonly RecordedEvent[]> {
  private events: readonly RecordedEvent[] | undefined;
  private from = 0;

  constructor(
    private readonly select: () => readonly RecordedEvent[],
    private readonly handOut: (chunk: readonly RecordedEvent[]) => readonly RecordedEvent[],
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<readonly RecordedEvent[], undefined>> {
    const { from } = this;
    const events = this.events ?? this.begin();
    if (from >= events.length) return done;
    this.from += size;
    const chunk = events.length <= size ? events : events.slice(from, from + size);
    return { done: false, value: this.handOut(chunk) };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.events = none;
    return done;
  }

  private begin(): readonly RecordedEvent[] {
    this.events = none;
    this.events = this.select();
    return this.events;
  }
}
