import type { RebuildProgress, Registry } from 'eventfold';
import pc from 'picocolors';
import type { Arguments } from './arguments';
import { count } from './draw';
import type { Words } from './progress';
import type { Rebuilt } from './rebuild-tables';
import type { Summary } from './summary';

export function introduction(stored: number, records: number, store: string): string {
  if (stored === 0) return `Reporting ${count(records)} flights to ${store} …\n`;
  if (stored < records) return `${count(stored)} of ${count(records)} flights are in ${store}; reporting the others …\n`;
  return `${count(stored)} flights are in ${store} already; --new begins anew.\n`;
}

export function stoppedAt(reported: number, { records, store }: Arguments): string {
  const remedy = store === 'memory' ? 'Nothing of it was kept.' : 'Run it again to go on.';
  return `Stopped after ${count(reported)} of ${count(records)} flights. ${remedy}`;
}

/** How long the parts of the work took, in seconds. */
export interface Times {
  /** How many flights were reported, and in what time. */
  readonly reported: number;
  readonly reporting: number;
  /** How long it took until the projections showed them. */
  readonly folding: number;
}

export function howItWent(
  { airports, routes, days, hours, totals, refused }: Summary,
  { reported, reporting, folding }: Times,
): string {
  const events = totals.tally.flights + refused.count;
  const instances = airports + routes + days.length + hours.length + 2;
  const seconds = reporting + folding;
  const made = `${count(events)} events, folded into ${count(instances)} read models`;
  const later = `${folding.toFixed(2)} seconds`;
  if (reported === 0) return `  no commands; ${made},\n  which were up to date after ${later}`;
  return [
    `  ${count(reported)} commands; ${made}`,
    `  in ${seconds.toFixed(2)} seconds: ${count(Math.round(reported / seconds))} a second; the read models were there ${later} later`,
  ].join('\n');
}

export const rebuildStopped = 'Stopped. All rows are as they were; run it again with --rebuild to go on.';

/** What is said about the bar of a rebuild before the first event. */
export const rebuildBegins: Words = { title: 'airports', remark: 'beside the rows that go on serving' };

/** What is said about the bar of a rebuild; the busiest airport is what the old rows answered last. */
export function rebuildWords({ projection, eventsPerSecond, secondsLeft }: RebuildProgress, asked: Summary | undefined): Words {
  const left = secondsLeft === undefined ? '' : `, ${timeText(secondsLeft)} left`;
  const [busiest] = asked?.busiest ?? [];
  const answer = busiest === undefined ? '' : ` · ${busiest.code} ${count(busiest.movements)}`;
  const table = `${projection.replace('Figures', '').toLowerCase()}s`;
  return { title: table.padEnd(rebuildBegins.title.length), remark: `${count(eventsPerSecond)}/s${left}${answer}` };
}

export function rebuildReport({ tables, isSame, inquiry }: Rebuilt): string {
  const { questions, surprises, slowestMs } = inquiry;
  const lines = tables.map(({ projection, events, seconds }) => {
    const rate = count(Math.round(events / seconds));
    return `  ${projection.padEnd(15)} ${count(events)} events in ${seconds.toFixed(2)} seconds: ${rate} a second`;
  });
  const answers = surprises === 0 ? 'the same answers' : `${count(surprises)} other answers`;
  return [
    ...lines,
    isSame ? '  Every row is the same as before.' : '  The rows are not the same as before.',
    `  Asked ${questions === 1 ? 'once' : `${count(questions)} times`} meanwhile for all of this: ${answers}, within ${Math.ceil(slowestMs)} ms.`,
  ].join('\n');
}

function timeText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The handlers of each event, as the registry resolved them. */
export function handlers(registry: Registry): string {
  const lines = registry.events().map(({ type }) => [
    `  ${type}`,
    ...registry.handlersOf(type).map(({ class: owner, method, ids }) => {
      const sources = Object.entries(ids).map(([id, source]) => {
        if (typeof source !== 'string') return `${id} = ƒ(event)`;
        return id === source ? id : `${id} = ${source}`;
      });
      return `  → ${`${owner}.${method}`.padEnd(22)} ${pc.dim(sources.join(', ') || 'one instance')}`;
    }),
  ]);
  return lines.flat().join('\n');
}
