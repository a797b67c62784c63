import { InMemoryEventStore } from 'eventfold';
import { type OpenProjections, projectionStoreSuite, type TestRunner } from 'eventfold/testing';
import type { ProjectionStore } from '../../lib/store/projection-store';
import { brokenProjectionStores } from '../controls/broken-projection-stores';

describe('projectionStoreSuite', () => {
  it('passes for a place that keeps the contract', async () => {
    const { failed, passed } = await run(async () => ({ store: new InMemoryEventStore() }));
    expect(failed).toStrictEqual([]);
    expect(passed.length).toBeGreaterThan(90);
  });

  it.each(Object.entries(brokenProjectionStores))('fails for a place that %s', async (_fault, { open, rule }) => {
    const { failed } = await run(async () => {
      const store = new InMemoryEventStore();
      return { store, projections: open(store.projections as ProjectionStore) };
    }, rule);
    expect(failed).toStrictEqual([rule]);
  });

  it('opens a store for each rule, and closes it and each that was opened beside it', async () => {
    const [opened, closed] = [new Set<InMemoryEventStore>(), new Set<InMemoryEventStore>()];
    const open = () => {
      const store = new InMemoryEventStore();
      const close = store.close.bind(store);
      store.close = () => {
        closed.add(store);
        return close();
      };
      opened.add(store);
      return store;
    };
    const { failed, passed } = await run(async () => ({ store: open(), openAgain: async () => open() }));
    expect(failed.length).toBeGreaterThan(0);
    expect(opened.size).toBeGreaterThan(failed.length + passed.length);
    expect(closed.size).toBe(opened.size);
  });

  it('fails, and does not skip, when a place cannot be opened or is none', async () => {
    expect((await run(() => Promise.reject(new Error('no database')))).passed).toStrictEqual([]);
    const store = Object.assign(new InMemoryEventStore(), { projections: undefined });
    expect((await run(async () => ({ store }))).passed).toStrictEqual([]);
  });

  it('says which function its runner lacks', () => {
    const open = async () => ({ store: new InMemoryEventStore() });
    expect(() => projectionStoreSuite('a place', open, { describe, it } as never)).toThrow('The given runner has no expect().');
  });
});

/** @returns the rules that failed and those that passed: of all, or of one. */
async function run(open: OpenProjections, only?: string): Promise<{ failed: string[]; passed: string[] }> {
  const rules: [string, () => Promise<void>][] = [];
  const path: string[] = [];
  const runner: TestRunner = {
    describe: (name, define) => {
      path.push(name);
      define();
      path.pop();
    },
    it: (rule, show) => rules.push([[...path.slice(1), rule].join(': '), show]),
    expect,
  };
  projectionStoreSuite('a place', open, runner);
  const [failed, passed]: [string[], string[]] = [[], []];
  for (const [rule, show] of rules) {
    if (only !== undefined && rule !== only) continue;
    const isPassed = await show().then(
      () => true,
      () => false,
    );
    (isPassed ? passed : failed).push(rule);
  }
  return { failed, passed };
}
