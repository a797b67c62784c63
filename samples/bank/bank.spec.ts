import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { EventSourcing } from 'eventfold';
import { assertContract, goldenEvents, writeContract } from 'eventfold/contract';
import { Account, AccountBalance, InsufficientFunds } from './account';
import { classes, upcasters } from './classes';
import { type Outcome, run } from './main';
import { logFile, openDatabase, restoreLog } from './restore-log';
import { Account as FirstAccount } from './version-1/account';
import { writeLog } from './version-1/write-log';
import * as secondYear from './version-2/events';

const folder = join(dirname(require.resolve('eventfold/package.json')), 'samples/bank');
const ada = { accountId: '5eed0000-0000-4000-8000-000000000001' };

describe('the log of version 1', () => {
  it('is what the code of version 1 writes', async () => {
    expect(readFileSync(logFile, 'utf8')).toBe(await writeLog());
  });

  it('is read by the classes of today, which append to it and leave its rows as they are', async () => {
    const dataSource = await openDatabase(':memory:');
    const store = await restoreLog(dataSource);
    const rows = (): Promise<unknown[]> => dataSource.query('SELECT * FROM eventfold_events ORDER BY position');
    const before = await rows();
    expect(before).toHaveLength(7);
    const es = await EventSourcing.open({ store, classes, upcasters, storedEvents: 'strict' });
    const account = await es.load(Account, ada);
    await expect(account.transfer('5eed0000-0000-4000-8000-000000000002', 100_01)).rejects.toThrow(InsufficientFunds);
    await account.transfer('5eed0000-0000-4000-8000-000000000002', 100_00);
    await es.projections.caughtUp();
    const balances = (await es.projections.all(AccountBalance)).map(({ owner, balance }) => `${owner} ${balance}`);
    expect(balances.sort()).toStrictEqual(['Ada 0', 'Ben 15000', 'Cleo 500']);
    expect((await rows()).slice(0, 7)).toStrictEqual(before);
    expect(await es.check()).toHaveLength(6);
    await es.close();
    await dataSource.destroy();
  });

  it('is in the contract, which each version wrote', () => {
    const place = mkdtempSync(join(tmpdir(), 'eventfold-bank-'));
    const file = join(place, 'eventfold.lock.json');
    writeContract({ classes: [FirstAccount], file });
    // The upcasters of version 2 have grown into those of today.
    writeContract({ classes: Object.values(secondYear), file, reads: () => 'upcast' });
    writeContract({ classes, upcasters, file });
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(join(folder, 'eventfold.lock.json'), 'utf8'));
    rmSync(place, { recursive: true });
  });

  it('has examples that are read and handled', async () => {
    const file = join(folder, 'eventfold.lock.json');
    expect(assertContract({ classes, upcasters, file })).toMatchObject({ isOutdated: false, changes: [] });
    const golden = await goldenEvents(join(folder, 'golden'), { classes, upcasters, file });
    expect(golden).toStrictEqual({ written: [], checked: 10, failures: [] });
  });
});

describe('the bank', () => {
  const lines: string[] = [];
  let outcome: Outcome;

  beforeAll(async () => {
    outcome = await run((line) => lines.push(stripVTControlCharacters(line)));
  });

  it('reads what version 1 stored as the events of today', () => {
    expect(outcome.log).toStrictEqual([
      ['AccountOpened', 'account.opened Ada + account.deposited 60.00'],
      ['AccountOpened', 'account.opened Ben + account.deposited 30.00'],
      ['CashPaidIn', 'account.deposited 59.95'],
      ['ChequePaidIn', 'account.deposited 0.05'],
      ['AccountOpened', 'account.opened Cleo + account.deposited 5.00'],
      ['StatementPrinted', 'nothing'],
      ['MoneySent', 'account.transferred 20.00'],
    ]);
  });

  it('keeps all the money that was deposited', () => {
    expect(outcome.balances).toStrictEqual({ Ada: 140_00, Ben: 10_00, Cleo: 5_00 });
  });

  it('refuses to overdraw, alone and in a transaction', () => {
    expect(outcome.refused.map(({ amount, balance }) => ({ amount, balance }))).toStrictEqual([
      { amount: 500_00, balance: 5_00 },
      { amount: 500_00, balance: 110_00 },
    ]);
    for (const error of outcome.refused) expect(error).toBeInstanceOf(InsufficientFunds);
  });

  it('runs the body of a command again, on fresh state, when a rival was faster', () => {
    expect(outcome.seenByTransfer).toStrictEqual([70_00, 50_00]);
    expect(lines).toContain('  run 2 of the command: the account holds 50.00');
  });

  it('shows a watcher every balance once, and none of a transaction that failed', () => {
    expect(outcome.watched).toStrictEqual([100_00, 70_00, 50_00, 10_00, 140_00]);
  });

  it('gives a follower the transfers that were stored, in order', () => {
    expect(outcome.followed).toStrictEqual([
      'Ada → Ben 20.00',
      'Ada → Ben 30.00',
      'Ada → Ben 20.00',
      'Ada → Cleo 40.00',
      'Ben → Cleo 90.00',
      'Cleo → Ada 130.00',
    ]);
  });
});
