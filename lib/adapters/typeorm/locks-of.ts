import type { Criterion } from '../../events/criterion';
import type { StagedGroup } from './staged-append';

/** What a lock of one group covers. */
export interface Lock {
  readonly key: string;
  /** Held alone by who writes; who only wants it unchanged shares it. */
  readonly isExclusive: boolean;
}

/**
 * @returns the locks without which two appends could break each other's guards, each once: the streams that are
 * written to, the values in the tags that are written or that a guard names, and the types where a guard names no tag.
 *
 * A value, not a tag: the events of one boundary differ in their properties (`from:1`, `to:1`) and share the value.
 * Appends that share none pass each other; those that do are committed in the order of their positions, and that is
 * why reading a boundary need not wait for anything.
 */
export function locksOf(group: StagedGroup): Lock[] {
  const locks = new Map<string, boolean>();
  const share = (key: string) => locks.set(key, locks.get(key) ?? false);
  const hold = (key: string) => locks.set(key, true);
  for (const { stream, events, guard } of group) {
    hold(`s${stream}`);
    for (const { type, tags } of events) {
      share(`t${type}`);
      for (const tag of tags) hold(`v${valueIn(tag)}`);
    }
    if ('condition' in guard)
      for (const { key, isExclusive } of conditionLocks(guard.condition.criteria)) (isExclusive ? hold : share)(key);
  }
  return Array.from(locks, ([key, isExclusive]) => ({ key, isExclusive }));
}

/** With more locks than this the whole store is locked instead: a server keeps a limited number. */
export const manyLocks = 500;

/** Says whether a group is appended while no other append is under way: for its guard, or because it is so large. */
export function isAppendedAlone(group: StagedGroup): boolean {
  let locks = 0;
  for (const { events, guard } of group) {
    locks += 'condition' in guard ? guard.condition.criteria.length + 1 : 1;
    for (const { tags } of events) locks += tags.length + 1;
  }
  return isAboutEverything(group) || (locks > manyLocks && locksOf(group).length > manyLocks);
}

function isAboutEverything(group: StagedGroup): boolean {
  return group.some(({ guard }) => 'condition' in guard && guard.condition.criteria.some(isUniversal));
}

/** @returns the values that one criterion's tags have in common with all others'; none when there is none. */
export function commonValues(criteria: readonly Criterion[]): string[] {
  const [first, ...others] = criteria.map(({ tags = [] }) => tags.map(valueIn));
  return first?.filter((value) => others.every((values) => values.includes(value))) ?? [];
}

/**
 * @returns keys of which everyone holds at least one who stores an event that matches, unless he holds the lock of
 * everything; undefined when the criteria are about everything.
 */
export function writersKeys(criteria: readonly Criterion[] | undefined): string[] | undefined {
  if (criteria === undefined || criteria.some(isUniversal)) return undefined;
  const keys = criteria.flatMap(({ types = [], tags = [] }) =>
    tags[0] === undefined ? types.map((type) => `t${type}`) : [`v${valueIn(tags[0])}`],
  );
  return [...new Set(keys)];
}

function conditionLocks(criteria: readonly Criterion[]): Lock[] {
  const common = commonValues(criteria)[0];
  if (common !== undefined) return [{ key: `v${common}`, isExclusive: false }];
  return criteria.flatMap(({ types = [], tags = [] }): Lock[] =>
    tags[0] === undefined
      ? types.map((type) => ({ key: `t${type}`, isExclusive: true }))
      : [{ key: `v${valueIn(tags[0])}`, isExclusive: false }],
  );
}

function isUniversal({ types, tags = [] }: Criterion): boolean {
  return types === undefined && tags.length === 0;
}

function valueIn(tag: string): string {
  return tag.slice(tag.indexOf(':') + 1);
}
