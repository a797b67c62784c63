import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type EventStore, InMemoryEventStore } from 'eventfold';
import { eventStoreSuite, type TestRunner } from 'eventfold/testing';
import { brokenStores } from '../controls/broken-stores';

describe('eventStoreSuite', () => {
  it('passes for a store that keeps the contract', async () => {
    const { failed, passed } = await run(async () => new InMemoryEventStore());
    expect(failed).toStrictEqual([]);
    expect(passed.length).toBeGreaterThan(100);
  });

  it.each(Object.entries(brokenStores))('fails for a store that %s', async (_fault, { open, rule }) => {
    const { failed } = await run(async () => open(new InMemoryEventStore()), rule);
    expect(failed).toStrictEqual([rule]);
  });

  it('opens a store for each rule and closes it, also when the rule fails', async () => {
    const [opened, closed] = [new Set<EventStore>(), new Set<EventStore>()];
    const { failed, passed } = await run(async () => {
      const store = new InMemoryEventStore();
      const close = store.close.bind(store);
      store.close = () => {
        closed.add(store);
        return close();
      };
      store.head = () => Promise.reject(new Error('no head'));
      opened.add(store);
      return store;
    });
    expect(failed.length).toBeGreaterThan(0);
    expect(opened.size).toBe(failed.length + passed.length);
    expect(closed.size).toBe(opened.size);
  });

  it('fails, and does not skip, when a store cannot be opened', async () => {
    const { passed } = await run(() => Promise.reject(new Error('no database')));
    expect(passed).toStrictEqual([]);
  });

  it('says which function its runner lacks', () => {
    const open = async () => new InMemoryEventStore();
    expect(() => eventStoreSuite('a store', open, { describe, it } as never)).toThrow('The given runner has no expect().');
    expect(() => eventStoreSuite('a store', open, 'jest' as never)).toThrow('A test runner is { describe, it, expect }');
  });

  it('says what to do where no runner is global', async () => {
    const script = `require('eventfold/testing').eventStoreSuite('a store', async () => undefined)`;
    const failing = promisify(execFile)(process.execPath, ['-e', script], { cwd: root });
    await expect(failing).rejects.toThrow(/TypeError: There is no global describe\(\)\. Pass your runner's functions/);
  });
});

const root = dirname(require.resolve('eventfold/package.json'));

/** @returns the rules that failed and those that passed: of all, or of one. A rule that waits for ever has failed. */
async function run(open: () => Promise<EventStore>, only?: string): Promise<{ failed: string[]; passed: string[] }> {
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
  eventStoreSuite('a store', open, runner);
  const [failed, passed]: [string[], string[]] = [[], []];
  for (const [rule, show] of rules) {
    if (only !== undefined && rule !== only) continue;
    const outcome = await Promise.race([show().then(...passedOrFailed), nothingLeftToDo()]);
    (outcome === 'passed' ? passed : failed).push(rule);
  }
  return { failed, passed };
}

const passedOrFailed = [() => 'passed', () => 'failed'] as const;

/** The stores here wait for nothing outside: what has not come when the event loop turns never comes. */
async function nothingLeftToDo(): Promise<'waiting'> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return 'waiting';
}
