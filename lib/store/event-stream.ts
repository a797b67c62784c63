import type { RecordedEvent } from '../events/recorded-event';

/** Events as they are read: one by one, or in the chunks that the store reads anyway, which is faster. */
export class EventStream implements AsyncIterable<RecordedEvent> {
  constructor(private readonly read: () => AsyncIterable<readonly RecordedEvent[]>) {}

  /** @returns the events in chunks of one or more, in order. */
  chunks(): AsyncIterable<readonly RecordedEvent[]> {
    return this.read();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<RecordedEvent> {
    for await (const chunk of this.read()) for (const event of chunk) yield event;
  }
}
