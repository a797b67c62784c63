import { type Class, EventSourcing } from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { accountBalance, type Balance } from './account-balance';
import { type ByHand, catchUpByHand } from './by-hand';
import { accounts, fill } from './fill';
import { connect, type Place } from './place';
import { PostgresByHand } from './postgres-by-hand';
import { compareRates } from './rates';
import { catchUpRowByRow, RowBalance, RowCheckpoint, resetRowByRow } from './row-by-row';
import { SqliteByHand } from './sqlite-by-hand';

const count = 100_000;
const rounds = 7;
const roundsRowByRow = 3;
const countRowByRow = 1_000;

/** Folding 100,000 stored events over 10,000 accounts into a table that is empty at first. */
export async function catchingUp({ name, address }: Place): Promise<void> {
  // One is warmed up with in each of two comparisons.
  const classes = Array.from({ length: rounds + roundsRowByRow + 2 }, (_, round) => accountBalance(`balance_${round}`));
  const left = [...classes];
  const dataSource = await connect(address, [...classes, RowBalance, RowCheckpoint]);
  const hand = address.type === 'postgres' ? await PostgresByHand.in(address.schema) : new SqliteByHand(address.file);
  await fill(dataSource, count);
  const ours = { run: () => catchUp(dataSource, left.pop() as Class<Balance>) };
  await compareRates({
    name: `${name}: catching up ${count.toLocaleString('en')} events over ${accounts.toLocaleString('en')} instances`,
    limit: 'reading three columns, a Map and one upsert a chunk',
    aim: 0.5,
    rounds,
    ours,
    byHand: { prepare: () => hand.reset(), run: () => catchUpByHand(hand) },
  });
  await compareRates({
    name: `${name}: the same`,
    limit: `${countRowByRow.toLocaleString('en')} events by TypeORM, a transaction with find and save for each`,
    aim: 4,
    rounds: roundsRowByRow,
    ours,
    byHand: { prepare: () => resetRowByRow(dataSource), run: () => catchUpRowByRow(dataSource, countRowByRow) },
  });
  await checkRows(dataSource, classes, hand);
  await hand.close();
  await dataSource.destroy();
}

/** What an application does at its first start with a new projection. */
async function catchUp(dataSource: DataSource, target: Class<Balance>): Promise<number> {
  const es = await EventSourcing.open({ store: new TypeOrmEventStore(dataSource), classes: [target] });
  await es.projections.caughtUp(target, { timeoutMs: 600_000 });
  await es.close();
  return count;
}

/** All have folded the same events, so all tables hold the same. */
async function checkRows(dataSource: DataSource, classes: readonly Class<Balance>[], hand: ByHand): Promise<void> {
  await hand.reset();
  await catchUpByHand(hand);
  const sumsOf = async (table: string) => {
    const path = dataSource.options.type === 'postgres' ? `${dataSource.options.schema}.${table}` : table;
    const sql = `SELECT COUNT(*) AS accounts, SUM(balance) AS total, MAX(balance) AS most FROM ${path}`;
    return JSON.stringify((await dataSource.query(sql))[0]);
  };
  const expected = await sumsOf('hand_balance');
  for (const { name } of classes) {
    const sums = await sumsOf(name);
    if (sums !== expected) throw new Error(`${name} holds ${sums}, and should hold ${expected}.`);
  }
}
