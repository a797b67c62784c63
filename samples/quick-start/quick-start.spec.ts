import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

describe('the quick start', () => {
  it('runs, prints what happened, and exits by itself', () => {
    expect(execFileSync(process.execPath, [join(__dirname, 'quick-start.js')], { encoding: 'utf8' }).split('\n')).toStrictEqual([
      'bob got 30 in all',
      'ann has only 70',
      'ann got 130 in all',
      "Income { accountId: 'ann', total: 130 }",
      '',
    ]);
  });
});
