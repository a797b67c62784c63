import type { Registry } from '../metadata/registry';
import { describe, heldAgainst, type StoredEvents, UnreadableEventsError } from '../metadata/unreadable-events';
import type { EventStore } from '../store/event-store';
import type { EventSourcingOptions } from './event-sourcing-options';

/**
 * Holds what is stored against what the code can read, as far as `storedEvents` says.
 *
 * @throws {@link UnreadableEventsError}.
 */
export async function checkStored(options: EventSourcingOptions, registry: Registry): Promise<void> {
  const { store, passOver = [], storedEvents = 'strict' } = options;
  const listed = passOver.map((name) => JSON.stringify(name)).join(', ');
  if (listed !== '') process.emitWarning(`Stored events of these types are passed over: ${listed}.`, 'EventfoldWarning');
  if (storedEvents === 'off') return;
  const stored = (await store.storedTypes?.('ends')) ?? [];
  const { unreadable } = heldAgainst(stored, registry.upcasting);
  const refused = storedEvents === 'strict' ? unreadable : unreadable.filter(({ why }) => why !== 'unknown');
  if (refused.length > 0) throw new UnreadableEventsError(refused);
  if (unreadable.length === 0) return;
  const lines = unreadable.map(describe).join('\n');
  process.emitWarning(`Events are stored of types that nothing is known of here:\n${lines}`, 'EventfoldWarning');
}

/** Looks at every stored event's name and version. @returns what is stored. @throws {@link UnreadableEventsError}. */
export async function checkAllStored(store: EventStore, registry: Registry): Promise<readonly StoredEvents[]> {
  const stored = (await store.storedTypes?.('all')) ?? [];
  const { readable, unreadable } = heldAgainst(stored, registry.upcasting);
  if (unreadable.length > 0) throw new UnreadableEventsError(unreadable);
  return readable;
}
