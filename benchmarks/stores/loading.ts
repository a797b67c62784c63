import { EventSourcing } from 'eventfold';
import { sideBySide } from '../side-by-side';
import { Account, type Deposited, deposit } from './accounts';
import type { Ground } from './grounds';

const count = 100_000;

/** Loading an aggregate of 100,000 events, against all its rows at once by the bare driver, and `JSON.parse`. */
export async function loading(ground: Ground): Promise<void> {
  const store = ground.store();
  const es = await EventSourcing.open({ store, classes: [Account] });
  const hand = ground.byHandOnOurs();
  const ids = { accountId: 'long' };
  const stream = es.streamOf(Account, ids);
  for (let first = 0; first < count; first += 5_000) {
    const events = Array.from({ length: 5_000 }, (_, index) => deposit('long', first + index));
    await es.appendUnguarded(stream, events);
  }
  const balance = ((count - 1) * count) / 2;
  await sideBySide({
    name: `${ground.name}: loading an aggregate of 100,000 events`,
    limit: 'one SELECT by the driver and JSON.parse',
    aim: 0.6,
    operations: 1,
    counted: count,
    rounds: 7,
    ours: async () => {
      const account = await es.load(Account, ids);
      if (account.balance !== balance) throw new Error(`The balance is ${account.balance}.`);
    },
    byHand: async () => {
      let sum = 0;
      for (const { type, data } of await hand.read(stream))
        if (String(type) === 'account.deposited') sum += (JSON.parse(data) as Deposited).amount;
      if (sum !== balance) throw new Error(`The balance is ${sum}.`);
    },
  });
  await es.close();
  await hand.close();
}
