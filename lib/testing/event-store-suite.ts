import type { EventStore } from '../store/event-store';
import { appendRules } from './event-store/append-rules';
import { appendedRules } from './event-store/appended-rules';
import { closeRules } from './event-store/close-rules';
import { conditionRules } from './event-store/condition-rules';
import { dataRules } from './event-store/data-rules';
import { endingRules } from './event-store/ending-rules';
import { hookAppendRules } from './event-store/hook-append-rules';
import { hookRules } from './event-store/hook-rules';
import { immutabilityRules } from './event-store/immutability-rules';
import { pageRules } from './event-store/page-rules';
import { positionRules } from './event-store/position-rules';
import { queryRules } from './event-store/query-rules';
import { readRules } from './event-store/read-rules';
import { type OpenStore, ruleBook } from './event-store/rule-book';
import { snapshotRules } from './event-store/snapshot-rules';
import { storedTypeRules } from './event-store/stored-type-rules';
import { tagRules } from './event-store/tag-rules';
import { tagSourceRules } from './event-store/tag-source-rules';
import { versionRules } from './event-store/version-rules';
import { checkedRunner, globalRunner, type TestRunner } from './test-runner';

/**
 * Holds a store against the whole contract of {@link EventStore}. Each rule opens a store and closes it at its end.
 *
 * @param name What stands above the rules in the runner's report.
 * @param openStore Opens a store without any events, apart from all opened before.
 * @param runner jest's or vitest's functions; the global ones unless given.
 * @throws {@link TypeError} when no runner is given and none is global.
 *
 * @example
 * ```ts
 * eventStoreSuite('MyEventStore', async () => new MyEventStore(await emptyDatabase()));
 * ```
 */
export function eventStoreSuite(name: string, openStore: OpenStore, runner?: TestRunner): void {
  const checked = runner === undefined ? globalRunner() : checkedRunner(runner);
  const book = ruleBook(openStore, checked);
  checked.describe(name, () => {
    appendRules(book);
    dataRules(book);
    immutabilityRules(book);
    versionRules(book);
    conditionRules(book);
    readRules(book);
    queryRules(book);
    pageRules(book);
    positionRules(book);
    tagRules(book);
    tagSourceRules(book);
    storedTypeRules(book);
    hookRules(book);
    hookAppendRules(book);
    endingRules(book);
    appendedRules(book);
    snapshotRules(book);
    closeRules(book);
  });
}
