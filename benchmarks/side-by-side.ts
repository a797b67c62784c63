import { performance } from 'node:perf_hooks';

/** What one operation of a contender is: it resolves when the operation is durable, or its result is there. */
export type Operation = (worker: number) => Promise<unknown> | unknown;

/** A comparison in which each operation is timed by itself. */
export interface SideBySide {
  readonly name: string;
  readonly limit: string;
  /** The ratio of speeds, ours to the limit's, that we aim at. */
  readonly aim: number;
  /** In each turn, at most: one ends sooner when it takes too long. */
  readonly operations: number;
  /** So many workers do one operation after another; 1 unless given. */
  readonly atOnce?: number;
  readonly ours: Operation;
  readonly byHand: Operation;
  /** Run before each turn, and not timed. */
  readonly prepare?: () => Promise<unknown> | unknown;
  /** How often each has its turn; {@link manyRounds} unless given. */
  readonly rounds?: number;
  /** So many milliseconds a turn begins new operations; {@link aMoment} unless given. */
  readonly longestTurn?: number;
  /** How many things one operation does, for the rate; 1 unless given. */
  readonly counted?: number;
}

interface Turn {
  /** Operations a second. */
  readonly rate: number;
  /** Milliseconds of each operation. */
  readonly latencies: readonly number[];
}

/** Many short turns: on a machine that others use, too, what is measured side by side must be close together. */
const manyRounds = 25;

const aMoment = 200;

/** Lets both do the same in turn, after a warm-up, and prints the median ratio of the pairs, rates, p50 and p99. */
export async function sideBySide(comparison: SideBySide): Promise<void> {
  const { name, limit, aim, ours, byHand, rounds = manyRounds, counted = 1 } = comparison;
  const pairs: { readonly ours: Turn; readonly byHand: Turn }[] = [];
  for (let round = -2; round < rounds; round += 1) {
    // Who goes second finds warmer caches.
    const first = round % 2 === 0 ? await take(comparison, ours) : undefined;
    const second = await take(comparison, byHand);
    const pair = { ours: first ?? (await take(comparison, ours)), byHand: second };
    if (round >= 0) pairs.push(pair);
  }
  const ratios = pairs.map((pair) => pair.ours.rate / pair.byHand.rate);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  console.log(`${name}: ${median(ratios).toFixed(2)} (${range}) of ${limit} (aim ${aim})`);
  console.log(
    `  ours    ${figures(
      pairs.map((pair) => pair.ours),
      counted,
    )}`,
  );
  console.log(
    `  by hand ${figures(
      pairs.map((pair) => pair.byHand),
      counted,
    )}`,
  );
}

async function take({ operations, atOnce = 1, longestTurn = aMoment, prepare }: SideBySide, operation: Operation): Promise<Turn> {
  await prepare?.();
  global.gc?.();
  const latencies: number[] = [];
  let left = operations;
  const end = performance.now() + longestTurn;
  const work = async (worker: number): Promise<void> => {
    while (left > 0 && performance.now() < end) {
      left -= 1;
      const begun = performance.now();
      await operation(worker);
      latencies.push(performance.now() - begun);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, (_, worker) => work(worker)));
  return { rate: latencies.length / ((performance.now() - start) / 1000), latencies };
}

function figures(turns: readonly Turn[], counted: number): string {
  const latencies = turns.flatMap((turn) => turn.latencies).sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? Number.NaN).toFixed(3);
  const rate = Math.round(median(turns.map((turn) => turn.rate)) * counted).toLocaleString('en');
  return `${rate} a second; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
