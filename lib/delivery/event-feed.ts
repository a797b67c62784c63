import { Observable } from 'rxjs';
import type { RecordedEvent } from '../events/recorded-event';
import type { Upcasting } from '../events/upcasting';
import type { EventQuery } from '../store/event-query';
import type { EventStore } from '../store/event-store';
import { follow } from '../store/follow';

/** Where a feed reads, and how it reads it. */
export interface EventFeedOptions {
  readonly store: EventStore;
  readonly query: Pick<EventQuery, 'after' | 'criteria'>;
  /** Asked anew for each event: classes may be registered meanwhile. */
  readonly upcasting: () => Upcasting;
  /** The names of the events that are wanted; all are unless given. */
  readonly types?: ReadonlySet<string> | undefined;
  /** Runs a subscriber's reaction to an event, so that what it sets off is known to come from it. */
  readonly causedBy: (event: RecordedEvent, react: () => void) => void;
  /** Ends every subscription when it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Recorded events: history first, then live, each once and in order, to every subscriber at its own place.
 *
 * While the database is away it waits, with a process warning, and then goes on where it was. It ends with an error
 * only where waiting is of no use: at an event that nobody can read, say.
 *
 * As an `AsyncIterable` it reads no further than the loop asks. A subscriber gets events as fast as they are read,
 * chunk by chunk, with the event loop let free between chunks.
 */
export class EventFeed<E extends object> extends Observable<RecordedEvent<E>> implements AsyncIterable<RecordedEvent<E>> {
  constructor(private readonly options: EventFeedOptions) {
    super((subscriber) => {
      const stop = new AbortController();
      const run = async () => {
        for await (const event of this.iterate(stop)) {
          options.causedBy(event, () => subscriber.next(event));
          if (subscriber.closed) return;
        }
      };
      run().then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => stop.abort();
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordedEvent<E>> {
    const stop = new AbortController();
    const iterator = this.iterate(stop);
    const leave = iterator.return.bind(iterator);
    iterator.return = (value) => {
      stop.abort(); // A generator that waits for an event would not return before that comes.
      return leave(value);
    };
    return iterator;
  }

  private async *iterate(stop: AbortController): AsyncGenerator<RecordedEvent<E>, void> {
    const { store, query, signal } = this.options;
    const abort = () => stop.abort();
    signal.addEventListener('abort', abort);
    if (signal.aborted) stop.abort();
    try {
      for await (const chunk of follow(store, query, stop.signal)) {
        for (const recorded of chunk) {
          const event = this.options.upcasting().asStored(recorded);
          if (event !== undefined) {
            yield event as RecordedEvent<E>;
            continue;
          }
          const parts = this.parts(recorded);
          // An iterator of them, or `yield*`, would take far longer in here.
          for (let index = 0; index < parts.length; index += 1) yield parts[index] as RecordedEvent<E>;
        }
      }
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  private parts(recorded: RecordedEvent): readonly RecordedEvent<E>[] {
    const { upcasting, types } = this.options;
    const parts = upcasting().parts(recorded) as readonly RecordedEvent<E>[];
    return types === undefined ? parts : parts.filter(({ type }) => types.has(type));
  }
}
