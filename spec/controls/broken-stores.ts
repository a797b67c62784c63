import type {
  Append,
  AppendTransaction,
  BeforeCommit,
  EventStore,
  NewEvent,
  Position,
  StoredType,
  StoredTypesScan,
} from 'eventfold';
import { Subject } from 'rxjs';
import {
  aheadIsFine,
  checkingTooEarly,
  hookOutside,
  hookTooLate,
  oneByOne,
  sharingData,
  wakingTooEarly,
  withAppends,
  withChunks,
  withCriteria,
  withEvents,
  withPages,
  withQueries,
} from './faults';
import { withSnapshots } from './snapshot-stores';
import { storeOver } from './store-over';

/** A store with one fault over a good one, and a rule that it breaks. */
export interface BrokenStore {
  readonly rule: string;
  readonly open: (good: EventStore) => EventStore;
}

/** Stores that break the contract, by what they do. */
export const brokenStores: Readonly<Record<string, BrokenStore>> = {
  'ignores guards': {
    rule: 'version guard: refuses a version behind or ahead of the stream',
    open: (good) => withAppends(good, unguarded),
  },
  'takes a version ahead of the stream for a good one': {
    rule: 'version guard: refuses a version behind or ahead of the stream',
    open: aheadIsFine,
  },
  'looks at guards first, and appends later': {
    rule: 'version guard: lets one of several racing appends pass',
    open: checkingTooEarly,
  },
  'looks at conditions first, and appends later': {
    rule: 'condition guard: lets one of two racing appends pass that each would break the other',
    open: checkingTooEarly,
  },
  'ignores conditions': {
    rule: 'condition guard: looks only behind its position',
    open: (good) => withAppends(good, (append) => ('condition' in append.guard ? unguarded(append) : append)),
  },
  'takes a condition to be about types only': {
    rule: 'condition guard: wants one of the types and all of the tags',
    open: (good) => withAppends(good, withoutTags),
  },
  'looks at any of the tags': {
    rule: 'query: matches events of any of the types with all of the tags',
    open: (good) => withCriteria(good, ({ types, tags = [] }) => tags.map((tag) => ({ ...(types && { types }), tags: [tag] }))),
  },
  'gives what matches two criteria twice': {
    rule: 'query: gives an event once that matches several criteria, in order',
    open: (good) => withChunks(good, (chunks, { criteria }) => (criteria?.length === 3 ? [...chunks, ...chunks] : chunks)),
  },
  'does not care for case in names': {
    rule: 'query: tells names apart to the letter',
    open: (good) => withAppends(good, (append) => ({ ...append, stream: append.stream.toLowerCase() })),
  },
  'stores several appends one by one': {
    rule: 'append: stores none of several appends when the guard of one does not hold',
    open: oneByOne,
  },
  'stores an event id twice': {
    rule: 'append: refuses an event id that is stored already, and all that is appended with it',
    open: (good) => withEvents(good, ({ id: _id, ...event }) => event),
  },
  'puts its own time on every event': {
    rule: 'append: keeps the id, schema version, metadata, tags and time that are given',
    open: (good) => withEvents(good, ({ time: _time, ...event }) => event),
  },
  'turns dates into text': {
    rule: 'data: returns dates, maps, sets, bigints and odd text equal to what was given, or refuses them',
    open: (good) => withEvents(good, (event) => ({ ...event, data: withTextForDates(event.data) })),
  },
  'hands out what it keeps': {
    rule: 'immutability, with an object inside: is not lost through what a call returned',
    open: sharingData,
  },
  'keeps what it is given': {
    rule: 'immutability, with an object inside: is not lost through what was given',
    open: sharingData,
  },
  'skips an event between two pages': {
    rule: 'page: leads through all events, and says where they end',
    open: (good) => withPages(good, ({ items }, request) => ('after' in request ? { items: items.slice(1) } : {})),
  },
  'turns a page around when it goes back': {
    rule: 'page: gives the events just before a cursor in reading order',
    open: (good) => withPages(good, ({ items }, request) => ('last' in request ? { items: [...items].reverse() } : {})),
  },
  'says that more follows when a page is full': {
    rule: 'page: holds as many events as were asked for, also when one more exists',
    open: (good) =>
      withPages(good, ({ items }, request) => ('first' in request ? { hasNextPage: items.length === request.first } : {})),
  },
  'reads one chunk only': {
    rule: 'read: gives any number of events',
    open: (good) => withChunks(good, (chunks) => chunks.slice(0, 1)),
  },
  'gives an empty chunk': {
    rule: 'read: gives the same events in chunks of one or more',
    open: (good) => withChunks(good, (chunks) => [...chunks, []]),
  },
  'forgets the upper bound': {
    rule: 'read: leaves its bounds out',
    open: (good) => withQueries(good, ({ before: _before, ...query }) => query),
  },
  'forgets the direction': {
    rule: 'read: gives the newest first when it reads backward',
    open: (good) => withQueries(good, ({ direction: _direction, ...query }) => query),
  },
  'limits before it turns around': {
    rule: 'read: gives no more than its limit, from the side where it begins',
    open: (good) =>
      withChunks(
        withQueries(good, ({ direction: _direction, ...query }) => query),
        (chunks, { direction }) => (direction === 'backward' ? [chunks.flat().reverse()] : chunks),
      ),
  },
  'forgets the version to read after': {
    rule: 'read: gives the later versions of a stream',
    open: (good) => withQueries(good, ({ afterVersion: _afterVersion, ...query }) => query),
  },
  'does not understand a query and answers all the same': {
    rule: 'query: is refused when it asks for something impossible',
    open: (good) =>
      withQueries(good, (query) => (typeof query?.limit === 'number' && query.limit < 0 ? { ...query, limit: 1 } : query)),
  },
  'compares positions as text': {
    rule: 'positions: are compared in the order of events, beyond one digit too',
    open: (good) => storeOver(good, { compare: (a: Position, b: Position) => a.localeCompare(b) }),
  },
  'takes any text for a position': {
    rule: 'positions: are refused when they are none of this store',
    open: (good) => storeOver(good, { position: (text: string) => text as Position }),
  },
  'adds no tags': {
    rule: 'retag: adds tags by which events are found from then on',
    open: (good) => storeOver(good, { retag: async () => 0 }),
  },
  'forgets the hook': {
    rule: 'before commit, a hook: sees the events as they are then stored',
    open: (good) => storeOver(good, { append: (appends: readonly Append[]) => good.append(appends) }),
  },
  'calls the hook when all is stored': {
    rule: 'before commit, a hook: takes the append back when it throws',
    open: hookTooLate,
  },
  'stores what a hook appends on its own': {
    rule: 'an append from within a hook: fails the whole when it fails, also when the hook lets that pass',
    open: hookOutside,
  },
  'tells nobody how an append ended': {
    rule: 'the end of an append: is told once it is stored and can be read, and before the call returns',
    open: (good) => withHooks(good, ({ previous, append }) => ({ previous, append, onEnd: () => undefined })),
  },
  'says of every append that it was stored': {
    rule: 'the end of an append: is told when a hook has failed',
    open: (good) =>
      withHooks(good, ({ previous, append, onEnd }) => ({
        previous,
        append,
        onEnd: (ending) => onEnd(() => ending('committed')),
      })),
  },
  'wakes nobody': {
    rule: 'appended: tells every subscriber of the newest position',
    open: (good) => storeOver(good, { appended: () => new Subject<Position>() }),
  },
  'wakes before the commit': { rule: 'appended: tells nobody before the commit', open: wakingTooEarly },
  'wakes for what is then taken back': { rule: 'appended: tells nobody of what was not stored', open: wakingTooEarly },
  'goes on after it was closed': {
    rule: 'close: refuses appends from then on',
    open: (good) => storeOver(good, { close: async () => undefined }),
  },
  'cannot be closed twice': {
    rule: 'close: is harmless when called again',
    open: (good) => {
      let isClosed = false;
      const close = async () => {
        if (isClosed) throw new Error('closed already');
        isClosed = true;
        return good.close();
      };
      return storeOver(good, { close });
    },
  },
  'tells of one version of each name': {
    rule: 'stored types: are every name and version, each once and counted',
    open: (good) => withStoredTypes(good, (stored) => stored.filter(({ type }, index) => stored[index - 1]?.type !== type)),
  },
  'tells of each version as often as it is stored': {
    rule: 'stored types: are every name and version, each once and counted',
    open: (good) => withStoredTypes(good, (stored) => stored.flatMap((one) => Array(one.count ?? 1).fill({ ...one, count: 1 }))),
  },
  'does not care for case in the names that it tells of': {
    rule: 'stored types: are every name and version, each once and counted',
    open: (good) => withStoredTypes(good, (stored) => stored.map((one) => ({ ...one, type: one.type.toLowerCase() }))),
  },
  'tells of the first version of each name only, when asked quickly': {
    rule: 'stored types: are those of the first and the newest event of each name at least',
    open: (good) =>
      withStoredTypes(good, (stored, scan) =>
        scan === 'all' ? stored : stored.filter(({ type }, index) => stored[index - 1]?.type !== type),
      ),
  },
  'tells of versions that are not stored': {
    rule: 'stored types: are those of the first and the newest event of each name at least',
    open: (good) =>
      withStoredTypes(good, (stored, scan) => (scan === 'all' ? stored : [...stored, { type: 'a', schemaVersion: 1 }])),
  },
  'tells of so many names at most': {
    rule: 'stored types: are any number of names',
    open: (good) => withStoredTypes(good, (stored) => stored.slice(0, 100)),
  },
  'tells of names before there are any': {
    rule: 'stored types: are none at first',
    open: (good) => withStoredTypes(good, (stored) => (stored.length === 0 ? [{ type: 'noted', schemaVersion: 1 }] : stored)),
  },
  'keeps the snapshot that it was given last': {
    rule: 'snapshots: never puts an older snapshot in the place of a newer one',
    open: (good) => withSnapshots(good, ({ save, remove }) => ({ save: async (it) => remove(it.key).then(() => save(it)) })),
  },
  'keeps only so much of a snapshot as fits': {
    rule: 'snapshots: keeps a state of two million characters',
    open: (good) => withSnapshots(good, ({ save }) => ({ save: (it) => save({ ...it, state: it.state.slice(0, 65_535) }) })),
  },
  'does not care for case in the keys of snapshots': {
    rule: 'snapshots: keeps instances apart, to the last character of their keys',
    open: (good) =>
      withSnapshots(good, ({ load, save }) => ({
        load: (key) => load(key.toLowerCase()),
        save: (it) => save({ ...it, key: it.key.toLowerCase() }),
      })),
  },
  'never lets go of a snapshot': {
    rule: 'snapshots: forgets a snapshot that is removed, and no other',
    open: (good) => withSnapshots(good, () => ({ remove: async () => undefined })),
  },
};

function withHooks(good: EventStore, change: (transaction: AppendTransaction) => AppendTransaction): EventStore {
  return storeOver(good, {
    append: (appends: readonly Append[], hook?: BeforeCommit) =>
      good.append(
        appends,
        hook &&
          ((events, transaction) => {
            const { previous } = transaction;
            const append: AppendTransaction['append'] = (more) => transaction.append(more);
            return hook(events, change({ previous, append, onEnd: (ending) => transaction.onEnd(ending) }));
          }),
      ),
  });
}

function withStoredTypes(
  good: EventStore,
  change: (stored: readonly StoredType[], scan: StoredTypesScan) => readonly StoredType[],
): EventStore {
  return storeOver(good, {
    storedTypes: async (scan: StoredTypesScan) => change((await good.storedTypes?.(scan)) ?? [], scan),
  });
}

function unguarded(append: Append): Append {
  return { ...append, guard: { version: 'any' } };
}

function withoutTags(append: Append): Append {
  if (!('condition' in append.guard)) return append;
  const { criteria, after } = append.guard.condition;
  return { ...append, guard: { condition: { criteria: criteria.map(({ tags: _tags, ...types }) => types), after } } };
}

function withTextForDates(data: NewEvent['data']): object {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, value instanceof Date ? value.toISOString() : value]),
  );
}
