import { performance } from 'node:perf_hooks';

/** Work to be timed: `prepare` is not timed, `run` is, and does `operations` operations. */
export interface Contender {
  readonly prepare?: () => Promise<unknown> | unknown;
  readonly run: () => Promise<unknown> | unknown;
}

/** A comparison of ours with the fastest that the same thing could be done by hand. */
export interface Comparison {
  readonly name: string;
  readonly limit: string;
  /** The ratio of speeds, ours to the limit's, that we aim at. */
  readonly aim: number;
  readonly operations: number;
  readonly ours: Contender;
  readonly byHand: Contender;
}

const rounds = 7;

/** Runs both in turn, after a warm-up, and prints medians and the median ratio of the pairs. */
export async function compare({ name, limit, aim, operations, ours, byHand }: Comparison): Promise<void> {
  const pairs: { ours: number; byHand: number }[] = [];
  for (let round = -2; round < rounds; round += 1) {
    const pair = { ours: await time(ours), byHand: await time(byHand) };
    if (round >= 0) pairs.push(pair);
  }
  const ratio = median(pairs.map((pair) => pair.byHand / pair.ours));
  const nanoseconds = (pick: 'ours' | 'byHand') => Math.round((median(pairs.map((pair) => pair[pick])) * 1e6) / operations);
  console.log(
    `${name}: ${ratio.toFixed(2)} of ${limit} (aim ${aim}); ${nanoseconds('ours')} ns to ${nanoseconds('byHand')} ns each`,
  );
}

/** Runs one contender alone, and prints its median rate. */
export async function rate(name: string, aim: string, operations: number, contender: Contender): Promise<void> {
  const times: number[] = [];
  for (let round = -2; round < rounds; round += 1) {
    const elapsed = await time(contender);
    if (round >= 0) times.push(elapsed);
  }
  const perSecond = operations / (median(times) / 1000);
  console.log(`${name}: ${Math.round(perSecond).toLocaleString('en')} a second (aim ${aim})`);
}

async function time({ prepare, run }: Contender): Promise<number> {
  await prepare?.();
  global.gc?.();
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
