import type { Position, RecordedEvent } from '../events/recorded-event';
import type { EventStore } from './event-store';

/** Reads the events after a position up to another one (inclusive). */
export async function* eventsUpTo(
  store: EventStore,
  after: Position | undefined,
  upTo: Position,
): AsyncGenerator<readonly RecordedEvent[], void> {
  for await (const chunk of store.read(after === undefined ? {} : { after }).chunks()) {
    const [last] = chunk.slice(-1) as [RecordedEvent];
    const isWhole = store.compare(last.position, upTo) <= 0;
    const events = isWhole ? chunk : chunk.filter(({ position }) => store.compare(position, upTo) <= 0);
    if (events.length > 0) yield events;
    if (!isWhole) return;
  }
}
