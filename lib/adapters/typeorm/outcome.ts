import type { Position } from '../../events/recorded-event';
import type { AppendResult } from '../../store/append';
import { DuplicateEventError, OptimisticLockError } from '../../store/store-errors';
import { type Outcome, recorded, type StagedGroup } from './staged-append';
import { ConnectionBusyError } from './typeorm-errors';

/** What an append without events returns. */
export const nothing: AppendResult = Object.freeze({ events: Object.freeze([]), position: undefined });

/**
 * @returns what was stored.
 * @throws {@link OptimisticLockError} or {@link DuplicateEventError} when the group was refused.
 */
export function resultOf(group: StagedGroup, outcome: Outcome): AppendResult {
  if (outcome.kind !== 'stored') throw refusalBy(outcome);
  return { events: Object.freeze(recorded(group, outcome)), position: outcome.positions.at(-1) as Position };
}

function refusalBy(outcome: Exclude<Outcome, { kind: 'stored' }>): Error {
  if (outcome.kind === 'duplicate') return new DuplicateEventError(outcome.id);
  if (outcome.kind === 'busy') return new ConnectionBusyError(0);
  const { append, actual } = outcome;
  const { stream, guard } = append;
  if ('condition' in guard) return new OptimisticLockError(stream, guard.condition.after, actual);
  return new OptimisticLockError(stream, guard.version === 'none' ? 0 : guard.version, actual);
}

/** @throws {@link DuplicateEventError} when an id stands twice in one call. */
export function checkDistinct(group: StagedGroup, before: ReadonlySet<string> = new Set()): void {
  const ids = new Set(before);
  for (const { events } of group) {
    for (const { id } of events) {
      if (ids.has(id)) throw new DuplicateEventError(id);
      ids.add(id);
    }
  }
}
