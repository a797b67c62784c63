import { EventSourcing } from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import { sideBySide } from '../side-by-side';
import { accountBalance } from './account-balance';
import { Deposited, deposit, Withdrawn } from './events';
import { InlineByHand } from './inline-by-hand';
import { connect, type Place } from './place';

const accounts = 1_000;

/** Appends of one event with an inline projection in their transaction, against appends alone; each in a store of its own. */
export async function inline({ name, address }: Place, alone: Place): Promise<void> {
  const target = accountBalance('balance', 'inline');
  const [dataSource, plain] = [await connect(address, [target]), await connect(alone.address, [])];
  const withProjection = await EventSourcing.open({ store: new TypeOrmEventStore(dataSource), classes: [target] });
  const without = await EventSourcing.open({ store: new TypeOrmEventStore(plain), classes: [Deposited, Withdrawn] });
  let count = 0;
  const append = (es: EventSourcing) => () => {
    count += 1;
    const account = `account-${(count * 7919) % accounts}`;
    return es.appendUnguarded(account, [deposit(account, 1)]);
  };
  const common = { limit: 'the same appends without it', aim: 0.625, ours: append(withProjection), byHand: append(without) };
  await sideBySide({ ...common, name: `${name}: appends with an inline projection`, operations: 200 });
  await sideBySide({ ...common, name: `${name}: … 16 at once`, operations: 1_000, atOnce: 16 });
  await withProjection.close();
  await without.close();
  if (address.type === 'postgres') await byHand(name, address.schema);
  await dataSource.destroy();
  await plain.destroy();
}

/** What it costs in hand-written code, which is the limit of ours. */
async function byHand(name: string, schema: string): Promise<void> {
  const hand = await InlineByHand.in(schema);
  let count = 0;
  const next = () => {
    count += 1;
    return { account: `account-${(count * 7919) % accounts}`, version: count };
  };
  await sideBySide({
    name: `${name}: a transaction with INSERT, SELECT of the row and upsert, by hand`,
    limit: 'the INSERT alone, by hand',
    aim: 0.625,
    operations: 200,
    ours: () => hand.appendWithRow(next()),
    byHand: () => hand.append(next()),
  });
  await hand.close();
}
