import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { EventSourcing } from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import { accountBalance } from './account-balance';
import { Deposited, deposit, Withdrawn } from './events';
import { connect, type Place } from './place';
import type { ReaderTask, Seen } from './reader';

const samples = 300;
const warmUp = 20;
const longestPauseMs = 40;

/** From an append's end in this process until another process sees the row, whichever of the two folds it. */
export async function visibility({ name, address }: Place): Promise<void> {
  for (const runner of ['writer', 'reader'] as const) {
    const target = accountBalance(`seen_${runner}`);
    const dataSource = await connect(address, [target]);
    const reader = fork(require.resolve('./reader'), [
      JSON.stringify({ address, table: target.name, isRunner: runner === 'reader' } satisfies ReaderTask),
    ]);
    await once(reader, 'message');
    const classes = runner === 'writer' ? [target] : [Deposited, Withdrawn];
    const es = await EventSourcing.open({ store: new TypeOrmEventStore(dataSource), classes });
    if (runner === 'writer') await es.projections.caughtUp();
    const latencies = await latenciesOf(es, target.name, reader);
    reader.disconnect();
    await once(reader, 'exit');
    await es.close();
    await dataSource.destroy();
    const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? Number.NaN).toFixed(1);
    const who = runner === 'writer' ? 'the process that appends' : 'the process that reads';
    console.log(
      `${name}: from append resolved to the row visible in another process, folded by ${who}: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`,
    );
  }
}

/** @returns milliseconds in order. The clock is the machine's, one for all processes. The account has no events yet. */
async function latenciesOf(es: EventSourcing, account: string, reader: ChildProcess): Promise<number[]> {
  const latencies: number[] = [];
  for (let balance = 1; balance <= samples + warmUp; balance += 1) {
    const seen = once(reader, 'message') as Promise<[Seen]>;
    reader.send(balance);
    await es.appendUnguarded(account, [deposit(account, 1)]);
    const appended = process.hrtime.bigint();
    const [{ at }] = await seen;
    if (balance > warmUp) latencies.push(Number(BigInt(at) - appended) / 1e6);
    await delay(Math.random() * longestPauseMs);
  }
  return latencies.sort((a, b) => a - b);
}
