import type { EventStore } from '../../store/event-store';
import type { StoredTypesScan } from '../../store/stored-type';
import type { RuleBook } from './rule-book';
import { append, noted } from './steps';

type StoredTypes = (scan: StoredTypesScan) => Promise<readonly string[]>;

/** What a store tells of the names and versions in it; asked of those that tell. */
export function storedTypeRules({ describe, it: itOf, expect }: RuleBook): void {
  const it = (rule: string, show: (storedTypes: StoredTypes, store: EventStore) => Promise<void>) =>
    itOf(rule, async (store) => {
      if (store.storedTypes === undefined) return;
      const told = async (scan: StoredTypesScan) =>
        ((await store.storedTypes?.(scan)) ?? []).map(({ type, schemaVersion }) => `${type} ${schemaVersion}`);
      await show(told, store);
    });

  describe('stored types', () => {
    it('are none at first', async (storedTypes) => {
      expect(await storedTypes('ends')).toStrictEqual([]);
      expect(await storedTypes('all')).toStrictEqual([]);
    });

    it('are every name and version, each once and counted', async (_storedTypes, store) => {
      const stored = [1, 2, 1, 3, 1].map((schemaVersion, index) => noted(index, { schemaVersion }));
      await append(store, 'a', [noted('x', { type: 'Noted' }), ...stored, noted('y', { type: 'zuletzt' })]);
      const found = [...((await store.storedTypes?.('all')) ?? [])].map((one) => [one.type, one.schemaVersion, one.count]);
      expect(found.sort()).toStrictEqual([
        ['Noted', 1, 1],
        ['noted', 1, 3],
        ['noted', 2, 1],
        ['noted', 3, 1],
        ['zuletzt', 1, 1],
      ]);
    });

    it('are those of the first and the newest event of each name at least', async (storedTypes, store) => {
      const versions = (type: string, ...all: number[]) => all.map((schemaVersion) => noted(1, { type, schemaVersion }));
      await append(store, 'a', [...versions('b', 1, 2, 4), ...versions('a', 7), ...versions('B', 3, 2, 3), ...versions('b ', 5)]);
      const all = new Set(await storedTypes('all'));
      const ends = await storedTypes('ends');
      for (const end of ['b 1', 'b 4', 'a 7', 'B 3', 'b  5']) expect(ends.includes(end)).toBe(true);
      for (const end of ends) expect(all.has(end)).toBe(true);
      expect(new Set(ends).size).toBe(ends.length);
    });

    it('are any number of names', async (storedTypes, store) => {
      const types = Array.from({ length: 150 }, (_, index) => `type.${index}`);
      await append(
        store,
        'a',
        types.map((type) => noted(1, { type })),
      );
      expect([...(await storedTypes('ends'))].sort()).toStrictEqual(types.map((type) => `${type} 1`).sort());
    });
  });
}
