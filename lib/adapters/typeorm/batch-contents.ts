import { commonValues, manyLocks } from './locks-of';
import type { StagedGroup } from './staged-append';

/** So many events at most go into one commit, unless a single group holds more. */
const eventsPerCommit = 1_000;

/** What a batch holds so far, and what was left, to see whether one more could break, or be broken by, another's guard. */
export class BatchContents {
  private readonly ids = new Set<string>();
  private readonly streams = new Set<string>();
  private readonly values = new Set<string>();
  private readonly types = new Set<string>();
  private readonly leftStreams = new Set<string>();
  private size = 0;
  private events = 0;
  private guards = 0;

  get isFull(): boolean {
    return this.events >= eventsPerCommit || this.locks >= manyLocks;
  }

  admits(group: StagedGroup): boolean {
    let locks = 0;
    for (const { stream, guard, events } of group) {
      if (this.leftStreams.has(stream)) return false;
      for (const { id, tags } of events) {
        if (this.ids.has(id)) return false;
        locks += 2 + tags.length;
      }
      if ('condition' in guard) {
        if (this.size > 0 && !this.isApart(guard.condition.criteria)) return false;
        locks += guard.condition.criteria.length;
      }
    }
    return this.size === 0 || this.locks + locks <= manyLocks;
  }

  add(group: StagedGroup): void {
    this.size += 1;
    for (const { stream, guard, events } of group) {
      this.streams.add(stream);
      this.events += events.length;
      if ('condition' in guard) this.guards += guard.condition.criteria.length;
      for (const { id, type, tags } of events) {
        this.ids.add(id);
        this.types.add(type);
        for (const value of commonValues([{ tags }])) this.values.add(value);
      }
    }
  }

  /** Those behind it may not overtake it in a stream, nor in what it is guarded by or would break. */
  leave(group: StagedGroup): void {
    this.size += 1;
    for (const { stream, events } of group) {
      this.leftStreams.add(stream);
      for (const { id, type, tags } of events) {
        this.ids.add(id);
        this.types.add(type);
        for (const value of commonValues([{ tags }])) this.values.add(value);
      }
    }
  }

  private get locks(): number {
    return this.streams.size + this.values.size + this.types.size + this.guards;
  }

  private isApart(criteria: readonly { readonly types?: readonly string[]; readonly tags?: readonly string[] }[]): boolean {
    return criteria.every(({ types, tags = [] }) => {
      if (tags.length > 0) return commonValues([{ tags }]).some((value) => !this.values.has(value));
      return types?.every((type) => !this.types.has(type)) === true;
    });
  }
}
