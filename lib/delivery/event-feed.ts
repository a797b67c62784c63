import { Observable } from 'rxjs';
import { decode } from '../events/decode';
import type { Class } from '../events/event-class';
import { UnknownEventTypeError } from '../events/event-errors';
import type { RecordedEvent } from '../events/recorded-event';
import type { EventQuery } from '../store/event-query';
import type { EventStore } from '../store/event-store';
import { follow } from '../store/follow';

/** Where a feed reads, and how it reads it. */
export interface EventFeedOptions {
  readonly store: EventStore;
  readonly query: Pick<EventQuery, 'after' | 'criteria'>;
  readonly eventByType: (type: string) => { readonly class: Class } | undefined;
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
        for (const event of chunk) yield this.decoded(event);
      }
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  private decoded(event: RecordedEvent): RecordedEvent<E> {
    const model = this.options.eventByType(event.type);
    if (model === undefined) throw new UnknownEventTypeError(event.type, event.id, event.position);
    return decode(event, model.class) as RecordedEvent<E>;
  }
}
