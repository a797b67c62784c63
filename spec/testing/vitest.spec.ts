import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

const root = dirname(require.resolve('eventfold/package.json'));
const project = join(root, 'spec/testing/fixtures/vitest');

interface Report {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly numPassedTests: number;
}

describe('the testing kit under vitest', () => {
  it('plays scenarios', () => {
    expect(report('scenario.test.ts')).toMatchObject({ success: true, numTotalTests: 4, numPassedTests: 4 });
  });

  it('holds events against their contract and golden examples', () => {
    expect(report('contract.test.ts')).toMatchObject({ success: true, numTotalTests: 2, numPassedTests: 2 });
  });

  it('tests a Nest module in memory', () => {
    expect(report('nestjs.test.ts')).toMatchObject({ success: true, numTotalTests: 1, numPassedTests: 1 });
  });

  it("holds a store against the suite with vitest's functions", () => {
    const { success, numPassedTests, numTotalTests } = report('store.test.ts');
    expect({ success, numPassedTests }).toStrictEqual({ success: true, numPassedTests: numTotalTests });
    expect(numPassedTests).toBeGreaterThan(50);
  });

  it('fails the run for a scenario that nobody awaits', () => {
    const { status, output } = vitest('forgotten.test.ts', 'default');
    expect(status).toBe(1);
    expect(output).toContain('The command did not emit what was expected');
  });
});

function report(file: string): Report {
  const { output } = vitest(file, 'json');
  const json = output.match(/\{.*\}/s);
  if (json === null) throw new Error(`vitest gave no report:\n${output}`);
  return JSON.parse(json[0]) as Report;
}

function vitest(file: string, reporter: string): { status: number | null; output: string } {
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', project, `--reporter=${reporter}`, file];
  const env = { ...process.env, NO_COLOR: '1', NODE_ENV: 'test', JEST_WORKER_ID: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8', env });
  return { status, output: stdout + stderr };
}
