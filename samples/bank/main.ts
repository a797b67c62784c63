import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aggregate, EventSourcing, type EventStore } from 'eventfold';
import pc from 'picocolors';
import { Account, AccountBalance, Deposited, InsufficientFunds, Opened, Transferred } from './account';
import { openDatabase, restoreLog } from './restore-log';
import { upcasters } from './upcasters';

/** What the story comes to. */
export interface Outcome {
  /** Of each event that version 1 stored: its stored name, and what it is read as. */
  readonly log: (readonly [storedAs: string, readAs: string])[];
  /** What each owner holds at the end, by name. */
  readonly balances: Record<string, number>;
  /** Every balance of Ada's account that a watcher saw. */
  readonly watched: number[];
  /** The balance that the transfer's body saw, each time it ran. */
  readonly seenByTransfer: number[];
  /** The messages of what was refused. */
  readonly refused: InsufficientFunds[];
  /** The transfers, as someone who follows events saw them. */
  readonly followed: string[];
}

/** An account that asks someone else before money leaves: a slow question, in which rivals get ahead. */
@Aggregate({ name: 'Account' })
class CheckedAccount extends Account {
  static check: (account: CheckedAccount) => Promise<void> = async () => undefined;

  override async transfer(to: string, amount: number) {
    await CheckedAccount.check(this);
    await super.transfer(to, amount);
  }
}

/** Tells the story, line by line. */
export async function run(print: (line: string) => void): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'eventfold-bank-'));
  const dataSource = await openDatabase(join(folder, 'bank.sqlite'));
  try {
    return await story(await restoreLog(dataSource), print);
  } finally {
    await dataSource.destroy();
    rmSync(folder, { recursive: true });
  }
}

async function story(store: EventStore, print: (line: string) => void): Promise<Outcome> {
  const es = await EventSourcing.open({ store, classes: [CheckedAccount, AccountBalance], upcasters });
  const branch = await EventSourcing.open({ store, classes: [Account], upcasters });
  const names = new Map<string, string>();
  const watched: number[] = [];
  const refused: InsufficientFunds[] = [];
  const heading = (text: string) => print(`\n${pc.bold(text)}`);
  const settled = () => es.projections.caughtUp(AccountBalance);
  const balanceOf = async (accountId: string) => {
    await settled();
    return (await es.projections.get(AccountBalance, { accountId }))?.balance ?? 0;
  };
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof InsufficientFunds)) throw error;
      refused.push(error);
      print(`  ${pc.red('refused')}: the account holds ${euros(error.balance)}, which does not cover ${euros(error.amount)}`);
    }
    await settled();
  };

  heading('What version 1 of this bank left on disk, and what version 3 reads');
  const log = await readings(es, store);
  for (const [storedAs, readAs] of log) print(`  ${storedAs.padEnd(18)} ${pc.dim('→')} ${readAs}`);

  heading('Accounts, and a balance that is watched');
  await settled();
  for (const { accountId, owner, balance } of await es.projections.all(AccountBalance)) {
    names.set(accountId, owner);
    print(`  ${owner} holds ${euros(balance)}`);
  }
  const account = (owner: string) => {
    const accountId = [...names.keys()].find((id) => names.get(id) === owner) as string;
    return es.load(CheckedAccount, { accountId });
  };
  const [ada, ben, cleo] = [await account('Ada'), await account('Ben'), await account('Cleo')];
  await new Promise<void>((begun) => {
    es.projections.watch(AccountBalance, { accountId: ada.accountId }).subscribe((now) => {
      if (now === undefined) return;
      watched.push(now.balance);
      print(pc.cyan(`      ~ watching: Ada holds ${euros(now.balance)}`));
      begun();
    });
  });

  heading('Transfers');
  print('  Ada sends 30 to Ben: one event, and both accounts change');
  await attempt(() => ada.transfer(ben.accountId, 30_00));
  print('  Cleo sends 500 to Ada');
  await attempt(() => cleo.transfer(ada.accountId, 500_00));

  heading('A lost race');
  print('  Ada sends 40 to Cleo; while that is checked, another branch sends 20 from Ada to Ben');
  const seenByTransfer: number[] = [];
  CheckedAccount.check = async ({ accountId }) => {
    seenByTransfer.push(await balanceOf(accountId));
    print(`  run ${seenByTransfer.length} of the command: the account holds ${euros(seenByTransfer.at(-1) ?? 0)}`);
    if (seenByTransfer.length > 1) return;
    print('  the branch is faster; what run 1 decided is thrown away');
    const rival = await branch.load(Account, { accountId });
    await rival.transfer(ben.accountId, 20_00);
    await settled();
  };
  await attempt(() => ada.transfer(cleo.accountId, 40_00));
  CheckedAccount.check = async () => undefined;

  heading('Two accounts, both or neither');
  print('  Ben sends 90 to Cleo and Cleo 130 to Ada, in one transaction');
  await attempt(() =>
    es.transaction(async () => {
      await ben.transfer(cleo.accountId, 90_00);
      await cleo.transfer(ada.accountId, 130_00);
    }),
  );
  print('  Ada sends 100 to Ben and Ben 500 to Cleo, in one transaction');
  await attempt(() =>
    es.transaction(async () => {
      await ada.transfer(ben.accountId, 100_00);
      await ben.transfer(cleo.accountId, 500_00);
    }),
  );
  print(`  neither is stored: Ada still holds ${euros(await balanceOf(ada.accountId))}`);

  heading('The transfers, as anybody can follow them from the start');
  const followed: string[] = [];
  const end = await store.head();
  for await (const { data, position, stream, version } of es.events({ types: [Transferred] })) {
    followed.push(`${names.get(data.from)} → ${names.get(data.to)} ${euros(data.amount)}`);
    print(
      `  ${followed.at(-1)?.padEnd(22)} ${pc.dim(`${names.get(stream.split(':')[1] as string)}'s stream, version ${version}`)}`,
    );
    if (position === end) break;
  }

  heading('In the end');
  const balances: Record<string, number> = {};
  for (const { owner, balance, movements } of await es.projections.all(AccountBalance)) {
    balances[owner] = balance;
    print(`  ${owner.padEnd(5)} ${euros(balance).padStart(7)}   after ${movements} movements`);
  }
  await branch.close();
  await es.close();
  return { log, balances, watched, seenByTransfer, refused, followed };
}

/** @returns of each stored event what it is read as: one event, several, or none. */
async function readings(es: EventSourcing, store: EventStore): Promise<[storedAs: string, readAs: string][]> {
  const byId = new Map<string, [storedAs: string, read: string[]]>();
  for await (const { id, type } of store.read({})) byId.set(id, [type, []]);
  const end = await store.head();
  for await (const { id, type, data, position, part } of es.events()) {
    byId.get(id)?.[1].push(`${type} ${tell(data)}`);
    if (position === end && (part === undefined || part.number === part.of)) break;
  }
  return [...byId.values()].map(([storedAs, read]) => [storedAs, read.join(' + ') || 'nothing']);
}

function tell(event: object): string {
  if (event instanceof Opened) return event.owner;
  return event instanceof Deposited || event instanceof Transferred ? euros(event.amount) : '';
}

function euros(cents: number): string {
  return (cents / 100).toFixed(2);
}

if (require.main === module) void run(console.log);
