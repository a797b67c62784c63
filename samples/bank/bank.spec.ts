import { stripVTControlCharacters } from 'node:util';
import { InsufficientFunds } from './account';
import { type Outcome, run } from './main';

describe('the bank', () => {
  const lines: string[] = [];
  let outcome: Outcome;

  beforeAll(async () => {
    outcome = await run((line) => lines.push(stripVTControlCharacters(line)));
  });

  it('keeps all the money that was deposited', () => {
    expect(outcome.balances).toStrictEqual({ Ada: 140, Ben: 10, Cleo: 5 });
  });

  it('refuses to overdraw, alone and in a transaction', () => {
    expect(outcome.refused.map(({ amount, balance }) => ({ amount, balance }))).toStrictEqual([
      { amount: 500, balance: 5 },
      { amount: 500, balance: 110 },
    ]);
    for (const error of outcome.refused) expect(error).toBeInstanceOf(InsufficientFunds);
  });

  it('runs the body of a command again, on fresh state, when a rival was faster', () => {
    expect(outcome.seenByTransfer).toStrictEqual([70, 50]);
    expect(lines).toContain('  run 2 of the command: the account holds 50');
  });

  it('shows a watcher every balance once, and none of a transaction that failed', () => {
    expect(outcome.watched).toStrictEqual([100, 70, 50, 10, 140]);
  });

  it('gives a follower the transfers that were stored, in order', () => {
    expect(outcome.followed).toStrictEqual(['Ada → Ben 30', 'Ada → Ben 20', 'Ada → Cleo 40', 'Ben → Cleo 90', 'Cleo → Ada 130']);
  });
});
