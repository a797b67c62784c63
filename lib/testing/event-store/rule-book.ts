import type { EventStore } from '../../store/event-store';
import type { TestRunner } from '../test-runner';

/** Opens a store without any events, apart from all opened before. */
export type OpenStore = () => Promise<EventStore>;

/** What the rules are written with. */
export interface RuleBook {
  readonly describe: TestRunner['describe'];
  readonly expect: TestRunner['expect'];
  /** States a rule, and shows it on a store of its own. */
  readonly it: (rule: string, show: (store: EventStore) => Promise<void>) => void;
}

/** @returns a rule book whose rules each open a store, and close it also when they fail. */
export function ruleBook(openStore: OpenStore, { describe, it, expect }: TestRunner): RuleBook {
  return {
    describe,
    expect,
    it: (rule, show) => {
      it(rule, async () => {
        const store = await openStore();
        try {
          await show(store);
        } finally {
          await store.close();
        }
      });
    },
  };
}
