import type { TagAddition } from './dialect';

/** An event's tags as its row has them, those that it lacks, and the text of both. */
export interface ChangedTags {
  readonly position: string;
  readonly type: string;
  readonly added: readonly string[];
  readonly text: string;
}

/**
 * @param stored The tags of the events' rows, read under a lock: whoever added some meanwhile must not lose them.
 * @returns the rows that are to change.
 */
export function changedTags(additions: readonly TagAddition[], stored: ReadonlyMap<string, string | null>): ChangedTags[] {
  return additions.flatMap(({ position, type, tags }) => {
    const text = stored.get(position);
    if (text === undefined) return [];
    const present = text === null ? [] : (JSON.parse(text) as string[]);
    const added = [...new Set(tags)].filter((tag) => !present.includes(tag));
    return added.length === 0 ? [] : [{ position, type, added, text: JSON.stringify([...present, ...added]) }];
  });
}
