import { EventSourcingError } from '../event-sourcing-error';
import { unknownTypeRemedy } from '../events/event-errors';
import { nearestName } from '../events/nearest-name';
import { missingUpcasterRemedy } from '../events/upcast-errors';
import type { Upcasting } from '../events/upcasting';

/** Stored events of one name and version, and what the code does with them. */
export interface StoredEvents {
  readonly type: string;
  readonly schemaVersion: number;
  /** How many there are, where they were counted. */
  readonly count?: number;
  /** Of a name and version that a class has, led on by upcasters, or of a name in `passOver`. */
  readonly readAs: 'current' | 'upcast' | 'passed over';
}

/** Stored events that the code cannot read. */
export interface UnreadableEvents {
  readonly type: string;
  readonly schemaVersion: number;
  readonly count?: number;
  readonly why: 'unknown' | 'newer' | 'no upcaster';
  readonly problem: string;
  readonly remedy: string;
}

const sharedRemedy =
  "Where other applications keep their events in this store too, EventSourcing.open({ storedEvents: 'versions' }) only warns of unknown types.";

/** Events are stored that the code cannot read: of a name, or of a version, that it knows no way from. */
export class UnreadableEventsError extends EventSourcingError {
  override readonly code = 'UNREADABLE_EVENTS';

  constructor(readonly unreadable: readonly UnreadableEvents[]) {
    const isShared = unreadable.some(({ why }) => why === 'unknown');
    const lines = unreadable.map((events) => `\n${describe(events)}`).join('');
    super(`Events in the store cannot be read by this code:${lines}${isShared ? `\n${sharedRemedy}` : ''}`);
  }
}

/** Holds the code against what is stored. */
export function heldAgainst(
  stored: readonly { readonly type: string; readonly schemaVersion: number; readonly count?: number }[],
  upcasting: Upcasting,
): { readonly readable: StoredEvents[]; readonly unreadable: UnreadableEvents[] } {
  const readable: StoredEvents[] = [];
  const unreadable: UnreadableEvents[] = [];
  for (const events of stored) {
    const readAs = upcasting.reads(events.type, events.schemaVersion);
    if (readAs === 'unknown' || readAs === 'newer' || readAs === 'no upcaster')
      unreadable.push({ ...events, why: readAs, ...explained(events, readAs, upcasting) });
    else readable.push({ ...events, readAs });
  }
  return { readable, unreadable };
}

function explained(
  { type, schemaVersion }: { readonly type: string; readonly schemaVersion: number },
  why: UnreadableEvents['why'],
  upcasting: Upcasting,
): { readonly problem: string; readonly remedy: string } {
  const known = upcasting.knownVersion(type);
  if (why === 'unknown')
    return {
      problem: 'no registered class stands for it',
      remedy: unknownTypeRemedy(type, nearestName(type, upcasting.knownNames)),
    };
  if (why === 'newer')
    return {
      problem: `it is of version ${schemaVersion}, and the code knows versions up to ${known}`,
      remedy: 'A newer release wrote it: run that one.',
    };
  return {
    problem: `it is of version ${schemaVersion}, which no upcaster reads`,
    remedy: missingUpcasterRemedy({ type, schemaVersion, known }),
  };
}

/** @returns one line for a person. */
export function describe({ type, count, problem, remedy }: UnreadableEvents): string {
  return `  - "${type}"${count === undefined ? '' : ` (${count})`}: ${problem}. ${remedy}`;
}
