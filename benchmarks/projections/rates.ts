import { performance } from 'node:perf_hooks';

/** Work that takes seconds, and resolves to how many events it has folded. */
export interface LongWork {
  readonly prepare?: () => Promise<unknown> | unknown;
  readonly run: () => Promise<number> | number;
}

/** A comparison of rates: the two need not fold as many events. */
export interface RateComparison {
  readonly name: string;
  readonly limit: string;
  /** The ratio of rates, ours to the limit's, that we aim at. */
  readonly aim: number;
  readonly rounds: number;
  readonly ours: LongWork;
  readonly byHand: LongWork;
}

/** Lets both work in turn, after a warm-up, and prints the median ratio of the pairs and the rates. */
export async function compareRates({ name, limit, aim, rounds, ours, byHand }: RateComparison): Promise<void> {
  const pairs: { readonly ours: number; readonly byHand: number }[] = [];
  for (let round = -1; round < rounds; round += 1) {
    // Who goes second finds warmer caches.
    const first = round % 2 === 0 ? await rateOf(ours) : undefined;
    const second = await rateOf(byHand);
    const pair = { ours: first ?? (await rateOf(ours)), byHand: second };
    if (round >= 0) pairs.push(pair);
  }
  const ratios = pairs.map((pair) => pair.ours / pair.byHand);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  const rate = (pick: 'ours' | 'byHand') => Math.round(median(pairs.map((pair) => pair[pick]))).toLocaleString('en');
  console.log(`${name}: ${median(ratios).toFixed(2)} (${range}) of ${limit} (aim ${aim})`);
  console.log(`  ours ${rate('ours')} events a second, by hand ${rate('byHand')}`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function rateOf({ prepare, run }: LongWork): Promise<number> {
  await prepare?.();
  global.gc?.();
  const start = performance.now();
  return (await run()) / ((performance.now() - start) / 1000);
}
