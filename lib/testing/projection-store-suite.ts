import { commitRules } from './projection-store/commit-rules';
import { documentRules } from './projection-store/document-rules';
import { inlineRules } from './projection-store/inline-rules';
import { instanceRules } from './projection-store/instance-rules';
import { leaseRules } from './projection-store/lease-rules';
import { progressRules } from './projection-store/progress-rules';
import { queueRules } from './projection-store/queue-rules';
import { rebuildRules } from './projection-store/rebuild-rules';
import { recordRules } from './projection-store/record-rules';
import { type OpenProjections, ruleBook } from './projection-store/rule-book';
import { transactRules } from './projection-store/transact-rules';
import { checkedRunner, globalRunner, type TestRunner } from './test-runner';

/**
 * Holds a place for projections against the whole contract of {@link ProjectionStore}. Each rule opens one, and closes
 * its stores at its end.
 *
 * @param name What stands above the rules in the runner's report.
 * @param open Opens a place without any projections, for a store without any events, apart from all opened before.
 * @param runner jest's or vitest's functions; the global ones unless given.
 * @throws {@link TypeError} when no runner is given and none is global.
 *
 * @example
 * ```ts
 * projectionStoreSuite('MyEventStore', async () => ({ store: new MyEventStore(await emptyDatabase()) }));
 * ```
 */
export function projectionStoreSuite(name: string, open: OpenProjections, runner?: TestRunner): void {
  const checked = runner === undefined ? globalRunner() : checkedRunner(runner);
  const book = ruleBook(open, checked);
  checked.describe(name, () => {
    recordRules(book);
    leaseRules(book);
    commitRules(book);
    instanceRules(book);
    documentRules(book);
    queueRules(book);
    transactRules(book);
    inlineRules(book);
    rebuildRules(book);
    progressRules(book);
  });
}
