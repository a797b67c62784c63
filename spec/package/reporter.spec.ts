import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(require.resolve('eventfold/package.json'));

describe('the test command', () => {
  let folder = '';

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-reporter-')));
    const reporters = ['default', join(root, 'spec/reporter.cjs')];
    writeFileSync(join(folder, 'jest.config.json'), JSON.stringify({ reporters, transform: {} }));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('ends with the skipped specs and the numbers, and fails when a spec fails', () => {
    write('one.test.js', "it('passes', () => {}); it('fails', () => { throw new Error('no'); }); it.skip('waits', () => {});");
    write('two.test.js', "it.todo('comes later');");
    const { status, lines } = run();
    expect({ status, last: lines.slice(-3).sort() }).toStrictEqual({
      status: 1,
      last: ['1 passed, 1 failed, 2 skipped', 'skipped: comes later', 'skipped: waits'],
    });
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 2 skipped');
  });

  it('counts a file that cannot be run as failed', () => {
    write('one.test.js', "it('passes', () => {});");
    write('two.test.js', "throw new Error('broken');");
    const { status, lines } = run();
    expect({ status, last: lines.at(-1) }).toStrictEqual({ status: 1, last: '1 passed, 1 failed, 0 skipped' });
  });

  it('succeeds when all specs pass', () => {
    write('one.test.js', "it('passes', () => {});");
    const { status, lines } = run();
    expect({ status, last: lines.at(-1) }).toStrictEqual({ status: 0, last: '1 passed, 0 failed, 0 skipped' });
  });

  it('says so of what is skipped on another version of a database library', () => {
    const reporters = ['default', join(root, 'spec/reporter.cjs')];
    const projects = ['specs', 'TypeORM 0.3'].map((displayName) => ({ displayName, transform: {} }));
    writeFileSync(join(folder, 'jest.config.json'), JSON.stringify({ reporters, projects }));
    write('one.test.js', "it('passes', () => {}); it.skip('waits', () => {});");
    const { status, lines } = run();
    expect({ status, last: lines.slice(-3) }).toStrictEqual({
      status: 0,
      last: expect.arrayContaining([
        'skipped: waits',
        'skipped: waits (TypeORM 0.3)',
        '2 passed, 0 failed, 2 skipped',
      ]) as string[],
    });
  });

  function write(file: string, content: string): void {
    writeFileSync(join(folder, file), content);
  }

  /** Both outputs as a terminal shows them, by way of one pipe. */
  function run(): { status: number | null; lines: string[] } {
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const command = `"${process.execPath}" "${jest}" 2>&1`;
    const { status, stdout } = spawnSync(command, { cwd: folder, encoding: 'utf8', shell: true });
    return { status, lines: stdout.trimEnd().split('\n') };
  }
});
