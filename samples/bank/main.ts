import { randomUUID } from 'node:crypto';
import { Aggregate, EventSourcing, InMemoryEventStore } from 'eventfold';
import pc from 'picocolors';
import { Account, AccountBalance, InsufficientFunds, Transferred } from './account';

/** What the story comes to. */
export interface Outcome {
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
  const store = new InMemoryEventStore();
  const es = await EventSourcing.open({ store, classes: [CheckedAccount, AccountBalance] });
  const branch = await EventSourcing.open({ store, classes: [Account] });
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
      print(`  ${pc.red('refused')}: the account holds ${error.balance}, which does not cover ${error.amount}`);
    }
    await settled();
  };
  const open = async (owner: string, amount: number) => {
    const accountId = randomUUID();
    names.set(accountId, owner);
    if (owner === 'Ada') {
      es.projections.watch(AccountBalance, { accountId }).subscribe((account) => {
        if (account === undefined || account.movements === 0) return;
        watched.push(account.balance);
        print(pc.cyan(`      ~ watching: Ada holds ${account.balance}`));
      });
    }
    const account = await es.create(CheckedAccount, { accountId });
    print(`  ${owner} opens an account and deposits ${amount}`);
    await account.open(owner);
    await account.deposit(amount);
    await settled();
    return account;
  };

  heading('Accounts, and a balance that is watched');
  const ada = await open('Ada', 100);
  const ben = await open('Ben', 50);
  const cleo = await open('Cleo', 5);

  heading('Transfers');
  print('  Ada sends 30 to Ben: one event, and both accounts change');
  await attempt(() => ada.transfer(ben.accountId, 30));
  print('  Cleo sends 500 to Ada');
  await attempt(() => cleo.transfer(ada.accountId, 500));

  heading('A lost race');
  print('  Ada sends 40 to Cleo; while that is checked, another branch sends 20 from Ada to Ben');
  const seenByTransfer: number[] = [];
  CheckedAccount.check = async ({ accountId }) => {
    seenByTransfer.push(await balanceOf(accountId));
    print(`  run ${seenByTransfer.length} of the command: the account holds ${seenByTransfer.at(-1)}`);
    if (seenByTransfer.length > 1) return;
    print('  the branch is faster; what run 1 decided is thrown away');
    const rival = await branch.load(Account, { accountId });
    await rival.transfer(ben.accountId, 20);
    await settled();
  };
  await attempt(() => ada.transfer(cleo.accountId, 40));
  CheckedAccount.check = async () => undefined;

  heading('Two accounts, both or neither');
  print('  Ben sends 90 to Cleo and Cleo 130 to Ada, in one transaction');
  await attempt(() =>
    es.transaction(async () => {
      await ben.transfer(cleo.accountId, 90);
      await cleo.transfer(ada.accountId, 130);
    }),
  );
  print('  Ada sends 100 to Ben and Ben 500 to Cleo, in one transaction');
  await attempt(() =>
    es.transaction(async () => {
      await ada.transfer(ben.accountId, 100);
      await ben.transfer(cleo.accountId, 500);
    }),
  );
  print(`  neither is stored: Ada still holds ${await balanceOf(ada.accountId)}`);

  heading('The transfers, as anybody can follow them from the start');
  const followed: string[] = [];
  const end = await store.head();
  for await (const { data, position, stream, version } of es.events({ types: [Transferred] })) {
    followed.push(`${names.get(data.from)} → ${names.get(data.to)} ${data.amount}`);
    print(
      `  ${followed.at(-1)?.padEnd(18)} ${pc.dim(`${names.get(stream.split(':')[1] as string)}'s stream, version ${version}`)}`,
    );
    if (position === end) break;
  }

  heading('In the end');
  const balances: Record<string, number> = {};
  for (const { owner, balance, movements } of await es.projections.all(AccountBalance)) {
    balances[owner] = balance;
    print(`  ${owner.padEnd(5)} ${String(balance).padStart(4)}   after ${movements} movements`);
  }
  await branch.close();
  await es.close();
  return { balances, watched, seenByTransfer, refused, followed };
}

if (require.main === module) void run(console.log);
