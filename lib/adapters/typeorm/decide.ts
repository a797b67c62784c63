import type { Outcome, StagedAppend, StagedGroup } from './staged-append';

/** What has to be known of the store, under its lock, to decide what may be appended. */
export interface StoreState {
  /** The version of every stream that is written to. */
  readonly versions: Map<string, number>;
  /** Those of the ids to store that are stored already. */
  readonly ids: ReadonlySet<string>;
  /** For each append whose boundary has changed, the newest position in it. */
  readonly conflicts: ReadonlyMap<StagedAppend, string>;
  /** The newest position. */
  readonly newest: number;
}

/** @returns the outcome of each group: the positions follow on the newest one. */
export function decide(groups: readonly StagedGroup[], { versions, ids, conflicts, newest }: StoreState): Outcome[] {
  let position = newest;
  return groups.map((group): Outcome => {
    const refusal = refusalOf(group, versions, ids, conflicts);
    if (refusal !== undefined) return refusal;
    const bases: number[] = [];
    const positions: string[] = [];
    for (const { stream, events } of group) {
      const base = versions.get(stream) ?? 0;
      bases.push(base);
      versions.set(stream, base + events.length);
      for (const _ of events) {
        position += 1;
        positions.push(String(position));
      }
    }
    return { kind: 'stored', bases, positions };
  });
}

function refusalOf(
  group: StagedGroup,
  versions: ReadonlyMap<string, number>,
  ids: ReadonlySet<string>,
  conflicts: ReadonlyMap<StagedAppend, string>,
): Outcome | undefined {
  // First, as what is appended a second time breaks its own guard.
  const duplicate = group.flatMap(({ events }) => events).find(({ id }) => ids.has(id));
  if (duplicate !== undefined) return { kind: 'duplicate', id: duplicate.id };
  for (const append of group) {
    const actual = conflicts.get(append) ?? unexpectedVersion(append, versions.get(append.stream) ?? 0);
    if (actual !== undefined) return { kind: 'conflict', append, actual };
  }
  return undefined;
}

function unexpectedVersion({ guard }: StagedAppend, version: number): number | undefined {
  if (!('version' in guard) || guard.version === 'any') return undefined;
  const expected = guard.version === 'none' ? 0 : guard.version;
  return expected === version || (expected === 'exists' && version > 0) ? undefined : version;
}
