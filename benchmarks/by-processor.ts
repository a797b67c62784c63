/** Two ways of doing the same, each a whole that takes some milliseconds of this process. */
export interface ProcessorComparison {
  readonly name: string;
  readonly limit: string;
  /** The ratio of speeds, ours to the limit's, that we aim at. */
  readonly aim: number;
  /** So many operations are one run. */
  readonly operations: number;
  readonly ours: () => Promise<unknown> | unknown;
  readonly byHand: () => Promise<unknown> | unknown;
}

const rounds = 41;

/**
 * Runs both in turn, after a warm-up, and prints the median ratio of the pairs and between which half of them lies. It counts
 * the processor's time in this process, not the clock's: what else the machine does tells less on it.
 */
export async function byProcessor({ name, limit, aim, operations, ours, byHand }: ProcessorComparison): Promise<void> {
  const pairs: { readonly ours: number; readonly byHand: number }[] = [];
  for (let round = -5; round < rounds; round += 1) {
    // Who goes second finds warmer caches.
    const first = round % 2 === 0 ? await spent(ours) : undefined;
    const second = await spent(byHand);
    const pair = { ours: first ?? (await spent(ours)), byHand: second };
    if (round >= 0) pairs.push(pair);
  }
  const ratios = pairs.map((pair) => pair.byHand / pair.ours);
  const each = (pick: 'ours' | 'byHand') =>
    Math.round(
      (at(
        pairs.map((pair) => pair[pick]),
        0.5,
      ) *
        1000) /
        operations,
    );
  const range = `${at(ratios, 0.25).toFixed(2)} to ${at(ratios, 0.75).toFixed(2)}`;
  console.log(
    `${name}: ${at(ratios, 0.5).toFixed(2)} (${range}) of ${limit} (aim ${aim}); ${each('ours')} ns to ${each('byHand')} ns each`,
  );
}

/** @returns microseconds of the processor, this process's other threads included. */
async function spent(run: () => Promise<unknown> | unknown): Promise<number> {
  global.gc?.();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}
