import { type EventStore, InMemoryEventStore } from 'eventfold';

/** A store, ready to be used. */
export interface OpenStore {
  readonly store: EventStore;
  /** What to call it in front of a user. */
  readonly name: string;
}

/** A store cannot be opened; the message is for the user. */
export class StoreNotOpenedError extends Error {}

/** Opens what `--store` names. */
export async function openStore(where: string, _options: { readonly beginsAnew: boolean }): Promise<OpenStore> {
  if (where !== 'memory') throw new StoreNotOpenedError(`Cannot open ${where}.`);
  return { store: new InMemoryEventStore(), name: 'memory' };
}
