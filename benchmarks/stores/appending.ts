import { sideBySide } from '../side-by-side';
import { deposit } from './accounts';
import type { Ground } from './grounds';

const streams = 100;

/** Appends of one event, each guarded by its stream's version: one after another, and 32 at once. */
export async function appending(
  ground: Ground,
  aims: { readonly sequential: number; readonly atOnce: number; readonly operations: number },
): Promise<void> {
  const store = ground.store();
  const [alone, pool] = [ground.byHand(1), ground.byHand()];
  const ours = new Versions('ours');
  const theirs = new Versions('hand');
  const append = async (worker: number) => {
    const { stream, version } = ours.next(worker);
    const data = deposit(stream, version);
    await store.append([{ stream, events: [{ type: 'account.deposited', data }], guard: { version: version - 1 } }]);
  };
  const byHand = (hand: typeof alone) => (worker: number) => {
    const { stream, version } = theirs.next(worker);
    return hand.append(stream, version, 'account.deposited', deposit(stream, version));
  };
  await sideBySide({
    name: `${ground.name}: guarded appends, one after another`,
    limit: 'a prepared INSERT for each on one connection',
    aim: aims.sequential,
    operations: aims.operations,
    ours: append,
    byHand: byHand(alone),
  });
  await sideBySide({
    name: `${ground.name}: guarded appends, 32 at once`,
    limit: 'a prepared INSERT for each on as many connections',
    aim: aims.atOnce,
    operations: aims.operations * 5,
    atOnce: 32,
    ours: append,
    byHand: byHand(pool),
  });
  await alone.close();
  await pool.close();
  await store.close();
}

/** Gives out streams in turn, those of one worker being its own, and the version that each comes to. */
class Versions {
  private readonly given = new Map<string, number>();
  private count = 0;

  constructor(private readonly prefix: string) {}

  next(worker: number): { stream: string; version: number } {
    this.count += 1;
    const stream = `${this.prefix}-${worker}-${this.count % streams}`;
    const version = (this.given.get(stream) ?? 0) + 1;
    this.given.set(stream, version);
    return { stream, version };
  }
}
