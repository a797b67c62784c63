import { EventSourcing } from 'eventfold';
import { sideBySide } from '../side-by-side';
import { Account, Deposited, deposit } from './accounts';
import type { Ground } from './grounds';

const history = 20;

/** Whole commands: load 20 events, decide, append one. Each on an account of its own, so that its history stays short. */
export async function commanding(
  ground: Ground,
  aims: { readonly sequential: number; readonly atOnce?: number; readonly operations: number },
): Promise<void> {
  const store = ground.store();
  const es = await EventSourcing.open({ store, classes: [Account] });
  const [alone, pool] = [ground.byHand(1), ground.byHand()];
  const accounts: string[] = [];
  const hands: string[] = [];
  const refill = async () => {
    while (accounts.length < 2 * aims.operations) {
      const batch = Array.from({ length: 50 }, () => ({ accountId: `a-${Math.random()}` }));
      await Promise.all(
        batch.map((ids) => {
          const events = Array.from({ length: history }, (_, index) => deposit(ids.accountId, index));
          return es.appendUnguarded(es.streamOf(Account, ids), events);
        }),
      );
      accounts.push(...batch.map(({ accountId }) => accountId));
    }
    while (hands.length < 2 * aims.operations) {
      const stream = `h-${Math.random()}`;
      for (let version = 1; version <= history; version += 1)
        await pool.append(stream, version, 'account.deposited', deposit(stream, version));
      hands.push(stream);
    }
  };
  const ours = async () => {
    const account = await es.load(Account, { accountId: accounts.pop() as string });
    await account.deposit(1);
  };
  const byHand = (hand: typeof alone) => async () => {
    const stream = hands.pop() as string;
    const state = { balance: 0, version: 0 };
    for (const { version, type, data } of await hand.read(stream)) {
      if (String(type) === 'account.deposited') state.balance += (JSON.parse(data) as Deposited).amount;
      state.version = version;
    }
    if (state.balance + 1 > 1_000_000_000) throw new Error('too much');
    await hand.append(stream, state.version + 1, 'account.deposited', deposit(stream, 1));
  };
  const common = { operations: aims.operations, prepare: refill, ours };
  await sideBySide({
    ...common,
    name: `${ground.name}: commands, one after another`,
    limit: 'a prepared SELECT, a fold and a prepared INSERT',
    aim: aims.sequential,
    byHand: byHand(alone),
  });
  if (aims.atOnce !== undefined)
    await sideBySide({
      ...common,
      name: `${ground.name}: commands, 16 at once`,
      limit: 'the same on as many connections',
      aim: aims.atOnce,
      atOnce: 16,
      byHand: byHand(pool),
    });
  await es.close();
  await alone.close();
  await pool.close();
}
