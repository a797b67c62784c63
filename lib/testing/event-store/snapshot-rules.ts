import type { Position } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { Snapshot, SnapshotStore } from '../../store/snapshot-store';
import type { RuleBook } from './rule-book';
import { append, notes } from './steps';

/** Snapshots: for a store that keeps them. */
export function snapshotRules(book: RuleBook): void {
  const { describe, expect } = book;
  const it = (rule: string, show: (snapshots: SnapshotStore, make: MakeSnapshot, store: EventStore) => Promise<void>) =>
    book.it(rule, async (store) => {
      if (store.snapshots === undefined) return;
      const { events } = await append(store, 'a', notes(9));
      const positions = events.map(({ position }) => position);
      await show(store.snapshots, (given) => snapshotAt(positions, given), store);
    });

  describe('snapshots', () => {
    it('has none of an instance at first', async (snapshots) => {
      expect(await snapshots.load('a')).toBeUndefined();
    });

    it('gives back what was saved, field by field', async (snapshots, make) => {
      const [first, later] = [make({ key: 'a', folded: 1 }), make({ key: 'b', folded: 5, version: 0 })];
      await snapshots.save(first);
      await snapshots.save(later);
      expect(await snapshots.load('a')).toStrictEqual(first);
      expect(await snapshots.load('b')).toStrictEqual(later);
      expect(first.previous).toBeUndefined();
    });

    it('gives back a state character by character', async (snapshots, make) => {
      const state = JSON.stringify({ z: 1, a: ' "\\\u0000\u{1f600}\u00e9e\u0301\u2028%_?\'$1:x ', ' ': 1e21, n: -0.1 }).replace(
        '"z":1',
        '"z": 1.0',
      );
      await snapshots.save(make({ state }));
      expect((await snapshots.load('a'))?.state).toBe(state);
    });

    it('keeps a state of two million characters', async (snapshots, make) => {
      const state = JSON.stringify(['\u{1f600}'.repeat(500_000), 'x'.repeat(1_000_000)]);
      await snapshots.save(make({ state }));
      expect((await snapshots.load('a'))?.state === state).toBe(true);
    });

    it('puts a newer snapshot in the place of an older one', async (snapshots, make) => {
      await snapshots.save(make({ folded: 3 }));
      await snapshots.save(make({ folded: 6 }));
      expect((await snapshots.load('a'))?.folded).toBe(6);
    });

    it('never puts an older snapshot in the place of a newer one', async (snapshots, make) => {
      const newer = make({ folded: 9, version: 2 });
      await snapshots.save(newer);
      await snapshots.save(make({ folded: 5, version: 5 }));
      expect(await snapshots.load('a')).toStrictEqual(newer);
    });

    it('puts an older snapshot in the place of one of another revision or shape', async (snapshots, make) => {
      for (const given of [{ revision: '2' }, { shape: 'other' }, { revision: '1' }]) {
        const older = make({ folded: 4, ...given });
        await snapshots.save(make({ folded: 9, revision: 'x' }));
        await snapshots.save(older);
        expect(await snapshots.load('a')).toStrictEqual(older);
      }
    });

    it('keeps the newest of several that are saved at once', async (snapshots, make) => {
      await Promise.all([5, 2, 9, 1, 8, 3, 7, 4, 6].map((folded) => snapshots.save(make({ folded }))));
      expect(await snapshots.load('a')).toStrictEqual(make({ folded: 9 }));
    });

    it('keeps instances apart, to the last character of their keys', async (snapshots, make) => {
      const keys = ['a:1', 'A:1', 'a:1 ', 'a:\u00e9', 'a:e\u0301', 'a:e', 'a:%', 'a:_', `a:${'x'.repeat(200)}`];
      for (const key of keys) await snapshots.save(make({ key, state: JSON.stringify(key) }));
      for (const key of keys) expect((await snapshots.load(key))?.state).toBe(JSON.stringify(key));
      expect(await snapshots.load('a')).toBeUndefined();
    });

    it('forgets a snapshot that is removed, and no other', async (snapshots, make) => {
      await snapshots.save(make({ key: 'a', folded: 9 }));
      await snapshots.save(make({ key: 'b', folded: 9 }));
      await snapshots.remove('a');
      await snapshots.remove('a');
      expect(await snapshots.load('a')).toBeUndefined();
      expect((await snapshots.load('b'))?.folded).toBe(9);
      await snapshots.save(make({ key: 'a', folded: 1 }));
      expect((await snapshots.load('a'))?.folded).toBe(1);
    });

    it('forgets all snapshots when they are cleared', async (snapshots, make) => {
      for (const key of ['a', 'b']) await snapshots.save(make({ key, folded: 9 }));
      await snapshots.clear();
      for (const key of ['a', 'b']) expect(await snapshots.load(key)).toBeUndefined();
      await snapshots.save(make({ key: 'a', folded: 1 }));
      expect((await snapshots.load('a'))?.folded).toBe(1);
    });

    it('is no event: neither read nor counted in the order', async (snapshots, make, store) => {
      const head = await store.head();
      await snapshots.save(make({}));
      expect(await store.head()).toBe(head);
    });
  });
}

type MakeSnapshot = (given: Partial<Snapshot>) => Snapshot;

/** @returns a snapshot at one of the events, of which there are nine. */
function snapshotAt(positions: readonly Position[], given: Partial<Snapshot>): Snapshot {
  const folded = given.folded ?? 3;
  return {
    key: 'a',
    revision: '1',
    shape: 'round',
    version: folded,
    folded,
    eventId: `event-${folded}`,
    position: positions[folded - 1] as Position,
    previous: positions[folded - 2],
    state: '{}',
    time: '2001-02-03T04:05:06.789Z',
    ...given,
  };
}
