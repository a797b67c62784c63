import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

const root = dirname(require.resolve('eventfold/package.json'));

describe('the test command, where a database or Chromium does not answer', () => {
  it('fails in CI, and says which', () => {
    const { status, output } = run({ CI: 'true', ...nobodyThere });
    expect(status).toBe(1);
    expect(output).toContain('PostgreSQL does not answer at 127.0.0.1:1:');
    expect(output).toContain('MariaDB does not answer at 127.0.0.1:1:');
    expect(output).toContain('Chromium does not answer at /nowhere/chromium:');
    expect(output).not.toMatch(/skipped/);
  });

  it('skips its specs elsewhere, on every version of TypeORM, and lists them', () => {
    const { status, output } = run({ CI: '', ...nobodyThere });
    expect(status).toBe(0);
    expect(output).toContain('MariaDB does not answer at 127.0.0.1:1:');
    const skipped = output.split('\n').filter((line) => line.startsWith('skipped: '));
    for (const database of ['PostgreSQL', 'MariaDB']) expect(skipped).toContainEqual(expect.stringMatching(`\\(${database}\\)`));
    const inBrowser = skipped.filter((line) => line.includes('the page of the shop (/nowhere/chromium)'));
    expect(inBrowser).not.toHaveLength(0);
    const older = skipped.filter((line) => line.endsWith(' (TypeORM 0.3)'));
    expect(older).toHaveLength((skipped.length - inBrowser.length) / 2);
    expect(output.trimEnd().split('\n').at(-1)).toBe(`0 passed, 0 failed, ${skipped.length} skipped`);
  });
});

const nobodyThere = {
  EVENTFOLD_POSTGRES_URL: 'postgres://postgres@127.0.0.1:1/test',
  EVENTFOLD_MYSQL_URL: 'mysql://root@127.0.0.1:1/test',
  EVENTFOLD_CHROMIUM: '/nowhere/chromium',
};

/** Both outputs, of specs that need servers or Chromium alone. */
function run(environment: NodeJS.ProcessEnv): { status: number | null; output: string } {
  const flags = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
  ];
  const files = ['dist/spec/adapters/typeorm/naming', 'dist/samples/shop/page'];
  const specs = [...files, '--testNamePattern', 'PostgreSQL|MariaDB|the page of the shop'];
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, ...specs], { cwd: root, encoding: 'utf8', env });
  return { status, output: `${stderr}${stdout}` };
}
