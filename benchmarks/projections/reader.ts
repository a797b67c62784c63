import { setTimeout as delay } from 'node:timers/promises';
import { EventSourcing } from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { accountBalance } from './account-balance';
import { type Address, connect } from './place';

/** What the other process is to do. The account to look for is called as the table. */
export interface ReaderTask {
  readonly address: Address;
  readonly table: string;
  /** Whether it folds, too. */
  readonly isRunner: boolean;
}

/** When a balance was seen, on the machine's clock. */
export interface Seen {
  readonly at: string;
}

/** Looks for the balances that it is told, each millisecond, on a connection of its own. */
async function main({ address, table, isRunner }: ReaderTask): Promise<void> {
  const target = accountBalance(table);
  const [dataSource, looking] = [await connect(address, [target]), await connect(address, [target])];
  const es = isRunner ? await EventSourcing.open({ store: new TypeOrmEventStore(dataSource), classes: [target] }) : undefined;
  await es?.projections.caughtUp();
  process.on('message', async (balance: number) => {
    while ((await balanceIn(looking, table)) < balance) await delay(1);
    process.send?.({ at: String(process.hrtime.bigint()) } satisfies Seen);
  });
  process.once('disconnect', async () => {
    await es?.close();
    await Promise.all([dataSource.destroy(), looking.destroy()]);
  });
  process.send?.('ready');
}

async function balanceIn(dataSource: DataSource, table: string): Promise<number> {
  const { tablePath } = dataSource.getMetadata(table);
  const [row] = await dataSource.query(
    `SELECT balance FROM ${tablePath} WHERE ${dataSource.driver.escape('accountId')} = '${table}'`,
  );
  return row?.balance ?? 0;
}

const [, , task] = process.argv;
if (task !== undefined) void main(JSON.parse(task) as ReaderTask);
