import type { Append, Criterion } from 'eventfold';

/** A position as its number: the first event's is 1. 0 stands for none. */
export type Place = number;

/** A guard that names a place where a store's names a position. */
export type ModelGuard =
  | { readonly version: 'any' | 'none' | 'exists' | number }
  | { readonly condition: { readonly criteria: readonly Criterion[]; readonly after: Place } };

export type ModelAppend = Omit<Append, 'guard'> & { readonly guard: ModelGuard };

export interface ModelQuery {
  readonly stream?: string;
  readonly criteria?: readonly Criterion[];
  readonly after: Place;
  readonly before: Place;
  readonly afterVersion?: number;
  readonly direction?: 'forward' | 'backward';
  readonly limit?: number;
}

export interface ModelEvent {
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly tags: readonly string[];
}

/** An event store in the fewest words: an array, and a filter for every question. */
export class ModelStore {
  events: readonly ModelEvent[] = [];

  /** @returns whether it was done. */
  append(appends: readonly ModelAppend[]): boolean {
    if (!appends.every(({ stream, events, guard }) => events.length === 0 || this.holds(stream, guard))) return false;
    for (const { stream, events } of appends) {
      for (const { id = '', type, tags = [] } of events) {
        const version = this.versionOf(stream) + 1;
        this.events = [...this.events, { id, stream, version, type, tags: [...new Set(tags)] }];
      }
    }
    return true;
  }

  /** @returns whether all of `work` was done; nothing of it otherwise. */
  transaction(work: () => boolean): boolean {
    const before = this.events;
    const isDone = work();
    if (!isDone) this.events = before;
    return isDone;
  }

  read({ stream, criteria, after, before, afterVersion = 0, direction, limit }: ModelQuery): readonly ModelEvent[] {
    const matching = this.events.filter(
      (event, index) =>
        index + 1 > after &&
        (before === 0 || index + 1 < before) &&
        (stream === undefined || (event.stream === stream && event.version > afterVersion)) &&
        (criteria === undefined || criteria.some((criterion) => matches(event, criterion))),
    );
    return (direction === 'backward' ? matching.reverse() : matching).slice(0, limit);
  }

  retag(types: readonly string[], tagsOf: (id: string) => readonly string[]): number {
    const before = this.events;
    this.events = before.map((event) =>
      types.includes(event.type) ? { ...event, tags: [...new Set([...event.tags, ...tagsOf(event.id)])] } : event,
    );
    return this.events.filter(({ tags }, index) => tags.length !== before[index]?.tags.length).length;
  }

  versionOf(stream: string): number {
    return this.events.filter((event) => event.stream === stream).length;
  }

  private holds(stream: string, guard: ModelGuard): boolean {
    if ('condition' in guard) return this.read({ ...guard.condition, before: 0 }).length === 0;
    const version = this.versionOf(stream);
    if (guard.version === 'any') return true;
    if (guard.version === 'exists') return version > 0;
    return version === (guard.version === 'none' ? 0 : guard.version);
  }
}

function matches(event: ModelEvent, { types, tags }: Criterion): boolean {
  const isOfType = types === undefined || types.includes(event.type);
  return isOfType && (tags === undefined || tags.every((tag) => event.tags.includes(tag)));
}
