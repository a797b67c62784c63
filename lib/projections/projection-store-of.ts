import type { EventStore } from '../store/event-store';
import { InMemoryProjectionStore } from '../store/in-memory-projection-store';
import type { ProjectionStore } from '../store/projection-store';

const places = new WeakMap<EventStore, ProjectionStore>();

/** @returns where projections are kept: a store that keeps none has them in the memory of the process. */
export function projectionStoreOf(store: EventStore): ProjectionStore {
  const place = store.projections ?? places.get(store) ?? new InMemoryProjectionStore(store);
  places.set(store, place);
  return place;
}
