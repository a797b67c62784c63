import type { Position, RecordedEvent } from '../events/recorded-event';
import type { EventQuery } from '../store/event-query';
import type { EventStore } from '../store/event-store';
import type { Snapshot } from '../store/snapshot-store';
import { InvalidPositionError } from '../store/store-errors';

type Chunk = readonly RecordedEvent[];

/**
 * Reads what follows a snapshot, once it is known that the store has the snapshot's last event: it costs reading that
 * one event more, and no further question.
 *
 * @param query Finds the snapshot's last event, and all after it.
 * @param end A snapshot after this position is of no use.
 * @returns the events after the snapshot, to be read at once; or why the snapshot is of no use.
 */
export async function resume(
  store: EventStore,
  query: EventQuery,
  snapshot: Snapshot,
  end?: Position | undefined,
): Promise<AsyncIterable<Chunk> | 'astray' | 'newer' | 'failed'> {
  let chunks: AsyncIterator<Chunk> | undefined;
  try {
    const position = store.position(snapshot.position);
    if (end !== undefined && store.compare(position, end) > 0) return 'newer';
    chunks = store.read(query).chunks()[Symbol.asyncIterator]();
    const rest = await afterLastEvent(store, chunks, snapshot);
    if (rest !== undefined) return after(rest, chunks);
    await chunks.return?.();
    return 'astray';
  } catch (error) {
    await chunks?.return?.()?.catch(() => undefined);
    return error instanceof InvalidPositionError ? 'astray' : 'failed';
  }
}

/** @returns what is left of the chunk in which the snapshot's last event is; undefined when it is not there. */
async function afterLastEvent(
  store: EventStore,
  chunks: AsyncIterator<Chunk>,
  { eventId, position, version, key }: Snapshot,
): Promise<Chunk | undefined> {
  for (;;) {
    const { done, value: chunk } = await chunks.next();
    if (done === true) return undefined;
    const index = chunk.findIndex(({ id }: RecordedEvent) => id === eventId);
    const last = chunk[index];
    if (last !== undefined) {
      const isAsItWas = last.position === position && (last.stream !== key || last.version === version);
      return isAsItWas ? chunk.slice(index + 1) : undefined;
    }
    if (store.compare(chunk.at(-1)?.position as Position, position) >= 0) return undefined;
  }
}

async function* after(rest: Chunk, chunks: AsyncIterator<Chunk>): AsyncGenerator<Chunk, void> {
  try {
    if (rest.length > 0) yield rest;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}
