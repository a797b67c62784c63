import { NEVER, Subject } from 'rxjs';
import type {
  Changes,
  InstanceId,
  ProjectionStore,
  ProjectionTransaction,
  SavedInstance,
} from '../../lib/store/projection-store';
import { over, placeOver, presentOf } from './place-over';

/** A place for projections with one fault over a good one, and a rule that it breaks. */
export interface BrokenProjectionStore {
  readonly rule: string;
  readonly open: (good: ProjectionStore) => ProjectionStore;
}

/** Places for projections that break the contract, by what they do. */
export const brokenProjectionStores: Readonly<Record<string, BrokenProjectionStore>> = {
  'gives a lease to whoever asks': {
    rule: 'a lease: is refused to another owner',
    open: (good) =>
      placeOver(good, {
        take: async (id, owner, leaseMs) => {
          const { owner: holder } = (await presentOf(good, id)) as { owner?: string };
          if (holder !== undefined) await good.release(id, holder);
          return good.take(id, owner, leaseMs);
        },
      }),
  },
  'lets no lease run out': {
    rule: 'a lease: runs out',
    open: (good) => placeOver(good, { take: (id, owner) => good.take(id, owner, 600_000) }),
  },
  'forgets to keep the lease with a commit': {
    rule: 'a lease: is kept by a commit that says so',
    open: (good) => withChanges(good, ({ leaseMs: _leaseMs, ...changes }) => changes),
  },
  'does not look at the token': {
    rule: 'a commit: is refused with another token, and keeps nothing',
    open: (good) =>
      placeOver(good, {
        commit: async (definition, record, changes) => {
          const { token } = (await presentOf(good, record)) as typeof record;
          return good.commit(definition, { ...record, token }, changes);
        },
      }),
  },
  'does not look at the checkpoint': {
    rule: 'a commit: is refused from another checkpoint, and keeps nothing',
    open: (good) =>
      placeOver(good, {
        commit: async (definition, record, changes) => {
          const { checkpoint } = (await presentOf(good, record)) as typeof record;
          return good.commit(definition, record, { ...changes, from: checkpoint });
        },
      }),
  },
  'keeps one instance after the other': {
    rule: 'a commit: keeps nothing when one of its instances cannot be kept',
    open: (good) =>
      placeOver(good, {
        commit: async (definition, record, changes) => {
          const nothing: Changes = { ...changes, to: changes.from, saved: [], removed: [], queued: [], released: [] };
          for (const instance of changes.saved) await good.commit(definition, record, { ...nothing, saved: [instance] });
          return good.commit(definition, record, { ...changes, saved: [] });
        },
      }),
  },
  'takes what is foreign for its own': {
    rule: 'a commit: leaves the token as it is, unless it is of somebody else',
    open: (good) => withChanges(good, ({ isForeign: _isForeign, ...changes }) => changes),
  },
  'keeps what it is given': {
    rule: 'an instance: may be changed after it was handed over',
    open: (good) => {
      const given = new Map<string, object>();
      const keeping = withSaved(good, (instance) => {
        given.set(instance.id.key, instance.state);
        return instance;
      });
      return withLoaded(keeping, (key, state) => given.get(key) ?? state);
    },
  },
  'hands out what it keeps': {
    rule: "an instance: is the caller's own when it is loaded",
    open: (good) => {
      const handed = new Map<string, object>();
      return withLoaded(good, (key, state) => {
        if (!handed.has(key)) handed.set(key, state);
        return handed.get(key) as object;
      });
    },
  },
  'never removes an instance': {
    rule: 'an instance: is removed, and may be made again',
    open: (good) => withChanges(good, (changes) => ({ ...changes, removed: [] })),
  },
  'has one state for all generations': {
    rule: 'an instance: is one in each generation',
    open: (good) => placeOver(good, { load: (definition, of, ids) => good.load(definition, { ...of, role: 'serving' }, ids) }),
  },
  'scans in an order that changes': {
    rule: 'a scan: gives every instance once, in an order that stays the same',
    open: (good) => {
      let scans = 0;
      return placeOver(good, {
        scan: async function* (definition, of) {
          scans += 1;
          for await (const chunk of good.scan(definition, of)) yield scans % 2 === 0 ? [...chunk].reverse() : chunk;
        },
      });
    },
  },
  'keeps what JSON has words for': {
    rule: 'a document: holds dates, maps, sets, bigints and odd text',
    open: (good) => withSaved(good, (instance) => ({ ...instance, state: throughJson(instance.state) })),
  },
  'does not care for case in keys': {
    rule: 'a document: is told apart from others to the last character of its key',
    open: (good) => withKeys(good, (key) => key.toLowerCase()),
  },
  'keeps so much of a key as fits': {
    rule: 'a document: is told apart from others to the last character of its key',
    open: (good) => withKeys(good, (key) => key.slice(0, 255)),
  },
  'forgets what waits': {
    rule: 'a queue: goes on with those that wait, in order',
    open: (good) =>
      withChanges(good, (changes) => ({ ...changes, queued: changes.queued.filter(({ failure }) => failure !== undefined) })),
  },
  'gives the newest of a queue first': {
    rule: 'a queue: goes on with those that wait, in order',
    open: (good) => placeOver(good, { queue: async (...given) => (await good.queue(...given)).reverse() }),
  },
  'lets go of a whole queue': {
    rule: 'a queue: lets events go up to a position',
    open: (good) =>
      placeOver(good, {
        commit: async (definition, record, changes) => {
          const released: { key: string; upTo: (typeof changes.released)[number]['upTo'] }[] = [];
          for (const { key, upTo } of changes.released)
            released.push({ key, upTo: (await good.queue(record, key, 1_000)).at(-1)?.position ?? upTo });
          return good.commit(definition, record, { ...changes, released });
        },
      }),
  },
  'tells of those only whose first event failed': {
    rule: 'a queue: stands still for as long as an event waits',
    open: (good) =>
      placeOver(good, { blocked: async (id) => (await good.blocked(id)).filter(({ failure }) => failure.attempts > 0) }),
  },
  'begins its work with any token': {
    rule: 'a transaction: does not begin with another token',
    open: (good) =>
      placeOver(good, {
        transact: async (definition, record, work) => {
          const present = (await presentOf(good, record)) as typeof record;
          return good.transact(definition, present, work);
        },
      }),
  },
  'keeps what a transaction wrote before it failed': {
    rule: 'a transaction: is taken back when its work fails, and passes the error on',
    open: keepingWhatFailed,
  },
  'takes back nothing that was attempted': {
    rule: 'an attempt: takes back its own work when it fails, and nothing before it',
    open: (good) => withTransactions(good, (transaction) => over(transaction, { attempt: (work) => work() })),
  },
  'keeps what an append that failed had changed': {
    rule: 'an inline projection: is taken back with the append',
    open: (good) =>
      placeOver(good, {
        inline: (transaction) => {
          const inline = good.inline(transaction);
          return over(inline, {
            commit: async (definition, record, changes) => {
              transaction.onEnd(async (how) => {
                const kept = { ...changes, from: record.checkpoint, to: record.checkpoint };
                if (how === 'rolledBack') await good.commit(definition, record, kept);
              });
              return inline.commit(definition, record, changes);
            },
          });
        },
      }),
  },
  'tells nobody which projections are elsewhere': {
    rule: 'an inline projection: stays where it is when it is elsewhere, and is told',
    open: (good) =>
      placeOver(good, {
        inline: (transaction) => {
          const inline = good.inline(transaction);
          return over(inline, { advance: async (...given) => (await inline.advance(...given)).slice(0, 0) });
        },
      }),
  },
  'goes on building what is of another version': {
    rule: 'records: build anew where the version is another one',
    open: (good) => placeOver(good, { create: (definition, _version, role) => good.create(definition, 1, role) }),
  },
  'promotes what has moved on': {
    rule: 'a generation that is built: is not promoted when the token or the checkpoint of one of the two is another one',
    open: (good) =>
      placeOver(good, {
        promote: async (definition, building, serving) =>
          good.promote(
            definition,
            (await presentOf(good, building)) as typeof building,
            serving && ((await presentOf(good, serving)) as typeof serving),
          ),
      }),
  },
  'keeps nothing of what served before': {
    rule: 'a generation that is built: is promoted: it serves, and the one before is kept',
    open: (good) =>
      placeOver(good, {
        promote: async (definition, building, serving) => {
          const isDone = await good.promote(definition, building, serving);
          if (isDone && serving !== undefined) await good.drop(definition, serving);
          return isDone;
        },
      }),
  },
  'drops nothing': {
    rule: 'a generation that is built: is dropped with all its state',
    open: (good) => placeOver(good, { drop: async () => undefined }),
  },
  'does not find what it kept': {
    rule: 'a generation that is kept: is reopened where it was left, and promoted again',
    open: (good) => placeOver(good, { reopen: async () => false }),
  },
  'counts events of all types': {
    rule: 'behind: counts the events of types after a position, and tells when the first was recorded',
    open: (good) => placeOver(good, { behind: (_types, after) => good.behind(['noted', 'other', 'third'], after) }),
  },
  'tells nobody of progress': {
    rule: 'progress: is told to each of several',
    open: (good) => placeOver(good, { progressed: () => NEVER }),
  },
  'tells of progress before it is made': {
    rule: 'progress: is told once changes are kept',
    open: (good) => {
      const early = new Subject<string>();
      return placeOver(good, {
        progressed: () => early,
        commit: (definition, record, changes) => {
          early.next(record.projection);
          return good.commit(definition, record, changes);
        },
      });
    },
  },
  'takes every error for one that passes': {
    rule: 'errors: of a handler are neither transient nor about what is to be kept',
    open: (good) => placeOver(good, { isTransient: () => true }),
  },
};

function withChanges(good: ProjectionStore, change: (changes: Changes) => Changes): ProjectionStore {
  return placeOver(good, { commit: (definition, record, changes) => good.commit(definition, record, change(changes)) });
}

function withSaved(good: ProjectionStore, change: (instance: SavedInstance) => SavedInstance): ProjectionStore {
  return withChanges(good, (changes) => ({ ...changes, saved: changes.saved.map(change) }));
}

function withLoaded(good: ProjectionStore, change: (key: string, state: object) => object): ProjectionStore {
  return placeOver(good, {
    load: async (...given) => new Map(Array.from(await good.load(...given), ([key, state]) => [key, change(key, state)])),
  });
}

function withKeys(good: ProjectionStore, change: (key: string) => string): ProjectionStore {
  const changed = ({ key, values }: InstanceId): InstanceId => ({ values, key: change(key) });
  const keeping = withSaved(good, (instance) => ({ ...instance, id: changed(instance.id) }));
  return placeOver(keeping, {
    load: async (definition, of, ids) => {
      const loaded = await good.load(definition, of, ids.map(changed));
      return new Map(ids.flatMap((id) => (loaded.has(changed(id).key) ? [[id.key, loaded.get(changed(id).key) as object]] : [])));
    },
  });
}

function withTransactions(
  good: ProjectionStore,
  change: (transaction: ProjectionTransaction) => ProjectionTransaction,
): ProjectionStore {
  return placeOver(good, {
    transact: (definition, record, work) => good.transact(definition, record, (transaction) => work(change(transaction))),
  });
}

function keepingWhatFailed(good: ProjectionStore): ProjectionStore {
  return placeOver(good, {
    transact: async (definition, record, work) => {
      const saved: SavedInstance[] = [];
      const noting = (transaction: ProjectionTransaction): ProjectionTransaction =>
        over(transaction, {
          write: async (given, generation, changes) => {
            saved.push(...changes.saved);
            return transaction.write(given, generation, changes);
          },
        });
      try {
        return await good.transact(definition, record, (transaction) => work(noting(transaction)));
      } catch (error) {
        const { checkpoint } = record;
        const nothing = { from: checkpoint, to: checkpoint, removed: [], queued: [], released: [] };
        await good.commit(definition, record, { ...nothing, saved });
        throw error;
      }
    },
  });
}

function throughJson(state: object): object {
  const text = JSON.stringify(state, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return Object.assign(Object.create(Object.getPrototypeOf(state)), JSON.parse(text));
}
