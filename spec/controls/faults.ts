import {
  type Append,
  type AppendResult,
  type BeforeCommit,
  type Criterion,
  type Ending,
  type EventQuery,
  type EventStore,
  EventStream,
  type NewEvent,
  OptimisticLockError,
  type Page,
  type PageRequest,
  type Position,
  type RecordedEvent,
} from 'eventfold';
import { map, merge, Subject } from 'rxjs';
import { storeOver } from './store-over';

type Chunk = readonly RecordedEvent[];

/** @returns the store, which is given other appends than its caller gave. */
export function withAppends(good: EventStore, change: (append: Append) => Append): EventStore {
  return storeOver(good, {
    append: async (appends: readonly Append[], hook?: BeforeCommit) =>
      good.append(Array.isArray(appends) ? appends.map(change) : appends, hook),
  });
}

/** @returns the store, which is given other events than its caller gave. */
export function withEvents(good: EventStore, change: (event: NewEvent) => NewEvent): EventStore {
  return withAppends(good, (append) => ({ ...append, events: append.events.map(change) }));
}

/** @returns the store, which is asked other questions than its caller asked. */
export function withQueries(good: EventStore, change: (query: EventQuery) => EventQuery): EventStore {
  return storeOver(good, { read: (query: EventQuery) => good.read(change(query)) });
}

/** @returns the store, for which each criterion is several others. */
export function withCriteria(good: EventStore, change: (criterion: Criterion) => Criterion[]): EventStore {
  return withQueries(good, (query) => (query.criteria ? { ...query, criteria: query.criteria.flatMap(change) } : query));
}

/** @returns the store, which gives other chunks than those that it read. */
export function withChunks(
  good: EventStore,
  change: (chunks: readonly Chunk[], query: EventQuery) => readonly Chunk[],
): EventStore {
  return storeOver(good, {
    read: (query: EventQuery) =>
      new EventStream(async function* () {
        const chunks: Chunk[] = [];
        for await (const chunk of good.read(query).chunks()) chunks.push(chunk);
        yield* change(chunks, query);
      }),
  });
}

/** @returns the store, which gives other pages than those that it read. */
export function withPages(
  good: EventStore,
  change: (page: Page<RecordedEvent>, request: PageRequest) => Partial<Page<RecordedEvent>>,
): EventStore {
  return storeOver(good, {
    page: async (query: EventQuery, request: PageRequest) => {
      const page = await good.page(query, request);
      return { ...page, ...change(page, request) };
    },
  });
}

/** Tries guards at once, and appends a little later without them. */
export function checkingTooEarly(good: EventStore): EventStore {
  return storeOver(good, {
    append: async (appends: readonly Append[], hook?: BeforeCommit) => {
      await tryOut(good, appends);
      return good.append(
        appends.map((append) => ({ ...append, guard: { version: 'any' } })),
        hook,
      );
    },
  });
}

/** Appends, and takes it back. @throws what the append would throw. */
async function tryOut(good: EventStore, appends: readonly Append[]): Promise<void> {
  const enough = new Error('enough');
  await good
    .append(appends, () => Promise.reject(enough))
    .catch((error: unknown) => {
      if (error !== enough) throw error;
    });
}

export function oneByOne(good: EventStore): EventStore {
  return storeOver(good, {
    append: async (appends: readonly Append[], hook?: BeforeCommit): Promise<AppendResult> => {
      const events: RecordedEvent[] = [];
      for (const append of appends) events.push(...(await good.append([append], hook)).events);
      return { events, position: events.at(-1)?.position };
    },
  });
}

/** Keeps the very objects that it is given, and hands them out. */
export function sharingData(good: EventStore): EventStore {
  const kept = new Map<string, object>();
  const shared = (event: RecordedEvent) => ({ ...event, data: kept.get(event.id) ?? event.data });
  const store = withChunks(good, (chunks) => chunks.map((chunk) => chunk.map(shared)));
  return storeOver(store, {
    append: async (appends: readonly Append[], hook?: BeforeCommit): Promise<AppendResult> => {
      const { events, position } = await good.append(appends, hook);
      for (const [index, { data }] of appends.flatMap((append) => append.events).entries())
        kept.set(events[index]?.id ?? '', data);
      return { events: events.map(shared), position };
    },
  });
}

/** Calls the hook when the events are stored already. */
export function hookTooLate(good: EventStore): EventStore {
  return storeOver(good, {
    append: async (appends: readonly Append[], hook?: BeforeCommit) => {
      const previous = await good.head();
      const result = await good.append(appends);
      const onEnd = (ending: Ending) => void ending('committed');
      if (result.events.length > 0) await hook?.(result.events, { previous, append: (more) => good.append(more), onEnd });
      return result;
    },
  });
}

/** Stores what a hook appends as an append of its own, after that of the hook. */
export function hookOutside(good: EventStore): EventStore {
  return storeOver(good, {
    append: async (appends: readonly Append[], hook?: BeforeCommit) => {
      const later: Promise<AppendResult>[] = [];
      const append = (more: readonly Append[]) => {
        const appending = good.append(more);
        appending.catch(() => undefined);
        later.push(appending);
        return Promise.resolve({ events: [], position: undefined });
      };
      const result = await good.append(
        appends,
        hook &&
          ((events, transaction) =>
            hook(events, { previous: transaction.previous, append, onEnd: (ending) => transaction.onEnd(ending) })),
      );
      await Promise.allSettled(later);
      return result;
    },
  });
}

/** Wakes when it begins to append. */
export function wakingTooEarly(good: EventStore): EventStore {
  const early = new Subject<Position>();
  return storeOver(good, {
    append: (appends: readonly Append[], hook?: BeforeCommit) =>
      good.append(appends, (events, transaction) => {
        early.next(events.at(-1)?.position as Position);
        return hook?.(events, transaction);
      }),
    appended: () => merge(early, good.appended()).pipe(map((position) => position)),
  });
}

/** Finds any guard that names a version too far ahead good enough. */
export function aheadIsFine(good: EventStore): EventStore {
  return storeOver(good, {
    append: async (appends: readonly Append[], hook?: BeforeCommit) => {
      try {
        return await good.append(appends, hook);
      } catch (error) {
        if (!(error instanceof OptimisticLockError && Number(error.expected) > Number(error.actual))) throw error;
        return good.append(
          appends.map((append) => ({ ...append, guard: { version: 'any' } })),
          hook,
        );
      }
    },
  });
}
