import { type EventQuery, EventStream, InMemoryEventStore } from 'eventfold';

/** A store in memory that reads in chunks of a given size, with a pause of some turns of the microtask queue before each. */
export class ChunkedStore extends InMemoryEventStore {
  constructor(
    private readonly chunkSize: number,
    private readonly pause = 0,
  ) {
    super();
  }

  override read(query: EventQuery): EventStream {
    const stream = super.read(query);
    const { chunkSize, pause } = this;
    return new EventStream(async function* () {
      for await (const chunk of stream.chunks()) {
        for (let from = 0; from < chunk.length; from += chunkSize) {
          for (let turn = 0; turn < pause; turn += 1) await Promise.resolve();
          yield chunk.slice(from, from + chunkSize);
        }
      }
    });
  }
}
