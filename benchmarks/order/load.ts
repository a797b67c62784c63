import { holes, holesBelowXmax } from './holes';
import { tableLockers } from './lockers';
import { locksBeforeSnapshot, markerAfterNumber, markerOnce, markers, rowsBeforeHorizon } from './markers';
import { counterRow, naive, serialised } from './naive';
import { type Load, type Outcome, round } from './round';
import { transactionHorizon } from './transaction-horizon';
import type { Variant } from './variant';

const all: readonly Variant[] = [
  naive,
  transactionHorizon,
  holes,
  markers,
  markerOnce,
  tableLockers,
  serialised,
  counterRow,
  holesBelowXmax,
  rowsBeforeHorizon,
  locksBeforeSnapshot,
  markerAfterNumber,
];

/** Every variant under each load, in turn, several rounds; prints medians of speeds and sums of faults. */
export async function sideBySide(rounds: number, seconds: number): Promise<void> {
  const loads: Load[] = [
    { name: '32 writers, autocommit', writers: 32, unhurried: 0, readers: 2, seconds },
    { name: '32 writers, 8 of them unhurried', writers: 32, unhurried: 8, readers: 3, seconds },
    { name: '8 writers, autocommit', writers: 8, unhurried: 0, readers: 1, seconds },
    { name: '8 writers, 2 of them unhurried', writers: 8, unhurried: 2, readers: 2, seconds },
  ];
  for (const load of loads) {
    const outcomes = new Map<Variant, Outcome[]>(all.map((variant) => [variant, []]));
    for (let index = 0; index < rounds; index += 1) for (const [variant, list] of outcomes) list.push(await round(variant, load));
    print(`${load.name}, ${load.readers} reading, ${rounds} rounds of ${seconds} s`, outcomes);
  }
}

/** The marker variants alone, for as long as wanted, under every load that makes holes. */
export async function soak(minutes: number): Promise<void> {
  const loads: Load[] = [
    { name: 'all unhurried', writers: 32, unhurried: 32, readers: 3, seconds: 5 },
    { name: 'half unhurried', writers: 32, unhurried: 16, readers: 3, seconds: 5 },
    { name: 'autocommit', writers: 32, unhurried: 0, readers: 3, seconds: 5 },
    { name: 'synchronous_commit off', writers: 32, unhurried: 4, readers: 3, seconds: 5, settings: '-c synchronous_commit=off' },
    { name: 'many', writers: 80, unhurried: 30, readers: 3, seconds: 5 },
  ];
  const end = performance.now() + minutes * 60_000;
  const sums = new Map<string, Outcome[]>();
  while (performance.now() < end) {
    for (const load of loads)
      for (const variant of [markers, markerOnce]) {
        const key = `${variant.name}, ${load.name}`;
        sums.set(key, [...(sums.get(key) ?? []), await round(variant, load)]);
      }
  }
  console.log(`\nsoak, ${minutes} minutes`);
  for (const [name, outcomes] of sums) line(name, outcomes);
}

function print(title: string, outcomes: ReadonlyMap<Variant, readonly Outcome[]>): void {
  console.log(`\n${title}`);
  for (const [variant, list] of outcomes) line(`${variant.control ? '✗ ' : ''}${variant.name}`, list);
}

function line(name: string, list: readonly Outcome[]): void {
  const median = (pick: (outcome: Outcome) => number) =>
    list.map(pick).sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
  const sum = (pick: (outcome: Outcome) => number) => list.reduce((total, outcome) => total + pick(outcome), 0);
  console.log(
    `${name.padEnd(38)} ${median((o) => o.perSecond)
      .toFixed(0)
      .padStart(6)}/s  missed ${sum((o) => o.missed)} of ${sum((o) => o.committed)}, ` +
      `turned ${sum((o) => o.turned)}, repeated ${sum((o) => o.repeated)}, orders ${list.some((o) => o.ordersDiffer) ? 'DIFFER' : 'equal'}, ` +
      `rolled back ${sum((o) => o.rolledBack)}, conflicts ${sum((o) => o.conflicts)}, ` +
      `p50 ${median((o) => o.p50).toFixed(1)} p99 ${median((o) => o.p99).toFixed(1)} ms`,
  );
}
