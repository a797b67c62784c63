import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = join(__dirname, 'controls', 'short-lived.js');

describe('A process that uses EventSourcing', () => {
  it.each([
    ['close', 'tally.added; tally.added; tally.poisoned; changes complete; live complete; events complete'],
    ['leave', 'tally.added; tally.added; tally.poisoned'],
  ])('ends by itself when it is done: %s', async (ending, said) => {
    const { stdout } = await run(process.execPath, [program, ending], { timeout: 20_000 });
    expect(stdout.trim().split('; ').toSorted()).toStrictEqual(said.split('; ').toSorted());
  });

  it('is warned of a failing projection while nobody listens to its errors', async () => {
    const { stderr } = await run(process.execPath, [program, 'close'], { timeout: 20_000 });
    expect(stderr).toMatch(/EventfoldWarning: FussyTally failed at tally\.poisoned .*: nobody listens \(parked\)/);
    expect(stderr.match(/Warning:/g)).toHaveLength(1);
  });
});
