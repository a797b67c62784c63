import Table from 'cli-table3';
import pc from 'picocolors';
import { type DayFigures, type HourFigures, lateFrom, type Refusals, type RouteFigures, type Tally } from './figures';
import type { Summary } from './summary';

const eighths = ['', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const partialBars = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const chartHeight = 6;
/** An hour or a day with fewer flights says little: no bar is drawn. */
const fewFlights = 10;

/**
 * Draws the figures for a terminal of `width` columns, 80 or more.
 *
 * @param cities The city of each airport, by its code.
 */
export function draw(summary: Summary, cities: Map<string, string>, width: number) {
  const { totals, airports, busiest, worst, fewestFlights, days, hours, refused } = summary;
  const { tally, miles } = totals;
  const nameOf = (code: string) => `${pc.bold(code)} ${cities.get(code) ?? ''}`;
  return [
    `${pc.bold(count(tally.flights))} flights over ${count(Math.round(miles / 1e5) / 10)} million miles between ${airports} airports.`,
    `${percent(tally.lateShare)} were late, by ${lateFrom} minutes or more; the average delay is ${minutes(tally.averageDelay)} minutes.`,
    heading('The later the hour, the later the flight', '% late by hour of departure'),
    hourChart(hours),
    heading('Good days and bad days', 'how many were late, day by day'),
    calendar(days),
    heading('The busiest airports'),
    table(
      ['', 'departures', 'late', 'average', 'arrivals', 'late', 'average'],
      busiest.map(({ code, departures, arrivals }) => [nameOf(code), ...cells(departures), ...cells(arrivals)]),
    ),
    heading('The routes to avoid', `average delay in minutes, from ${count(fewestFlights)} flights on`),
    routeChart(worst, nameOf, width),
    heading('Refused by the routes themselves', `${count(refused.count)} of ${count(tally.flights + refused.count)} reports`),
    refusals(refused),
  ].join('\n');
}

export function heading(title: string, remark?: string): string {
  return `\n${pc.bold(title)}${remark === undefined ? '' : pc.dim(` · ${remark}`)}`;
}

/** @returns a number with commas: 20,000. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function minutes(value: number): string {
  return value.toFixed(1);
}

function cells(tally: Tally): string[] {
  return [count(tally.flights), percent(tally.lateShare), minutes(tally.averageDelay)];
}

function table(head: string[], rows: string[][]): string {
  const none = { top: '', 'top-left': '', 'top-mid': '', 'top-right': '', bottom: '', 'bottom-left': '', 'bottom-mid': '' };
  const built = new Table({
    head: head.map((text) => pc.dim(text)),
    colAligns: ['left', ...head.slice(1).map(() => 'right' as const)],
    chars: {
      ...none,
      'bottom-right': '',
      left: ' ',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
    style: { head: [], border: [], 'padding-left': 1, 'padding-right': 1 },
  });
  built.push(...rows);
  return built.toString().replace(/ +$/gm, '');
}

/** Columns of two characters an hour, each with its number on top. */
function hourChart(hours: readonly HourFigures[]): string {
  const shares = Array.from({ length: 24 }, (_, hour) => {
    const tally = hours.find((figures) => figures.hour === hour)?.tally;
    return tally !== undefined && tally.flights >= fewFlights ? tally.lateShare : undefined;
  });
  const most = Math.max(...shares.map((share) => share ?? 0), 0.01);
  const heights = shares.map((share) => (share === undefined ? undefined : Math.round((share / most) * chartHeight * 8)));
  const rows = Array.from({ length: chartHeight + 1 }, (_, row) => {
    const floor = (chartHeight - row) * 8;
    return `  ${heights.map((height, hour) => cell(height, floor, shares[hour] ?? 0)).join(' ')}`.trimEnd();
  });
  const axis = shares.map((share, hour) => (share === undefined ? pc.dim(' ·') : String(hour).padStart(2, '0')));
  return [...rows, `  ${pc.dim(axis.join(' '))}`].join('\n');
}

/** One column in one row of the chart, whose lower edge is at `floor` eighths. */
function cell(height: number | undefined, floor: number, share: number): string {
  if (height === undefined || height <= floor - 8) return '  ';
  if (height <= floor) return String(Math.round(share * 100)).padStart(2);
  return pc.cyan((eighths[Math.min(8, height - floor)] ?? '').repeat(2));
}

/** A line for each month, a column for each day. */
function calendar(days: readonly DayFigures[]): string {
  const most = Math.max(...days.map(({ tally }) => tally.lateShare), 0.01);
  const months = [...new Set(days.map(({ day }) => day.slice(0, 7)))];
  return months
    .map((month) => {
      const ofMonth = days.filter(({ day }) => day.startsWith(month));
      const columns = Array.from({ length: 31 }, (_, index) => {
        const found = ofMonth.find(({ day }) => Number(day.slice(8)) === index + 1);
        return found === undefined ? ' ' : (eighths[Math.max(1, Math.round((found.tally.lateShare / most) * 8))] ?? '');
      });
      const [worst] = ofMonth.toSorted((a, b) => b.tally.lateShare - a.tally.lateShare);
      const remark = worst === undefined ? '' : pc.dim(`worst on the ${ordinal(worst.day)}: ${percent(worst.tally.lateShare)}`);
      return `  ${month}  ${pc.cyan(columns.join(''))}  ${remark}`;
    })
    .join('\n');
}

function ordinal(day: string): string {
  const number = Number(day.slice(8));
  const suffix = number > 10 && number < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${suffix}`;
}

function routeChart(routes: readonly RouteFigures[], nameOf: (code: string) => string, width: number): string {
  const most = Math.max(...routes.map(({ tally }) => tally.averageDelay), 1);
  const labels = routes.map(({ origin, destination }) => `${nameOf(origin)} → ${nameOf(destination)}`);
  const widest = Math.max(...labels.map(visibleLength));
  const room = Math.max(10, Math.min(60, width - widest - 14));
  return routes
    .map(({ tally }, index) => {
      const label = labels[index] ?? '';
      const length = Math.max(1, Math.round((tally.averageDelay / most) * room * 8));
      const bar = '█'.repeat(Math.floor(length / 8)) + (partialBars[length % 8] ?? '');
      return `  ${label}${' '.repeat(widest - visibleLength(label))}  ${pc.cyan(bar)} ${minutes(tally.averageDelay)}`;
    })
    .join('\n');
}

function refusals({ count: all, first }: Refusals): string {
  if (all === 0) return '  none';
  const shown = first.slice(0, 8).map(({ origin, destination, date, explanation }) => {
    return `  ${origin} → ${destination}, ${date.replace('T', ' ')}: ${explanation}.`;
  });
  return [...shown, ...(all > shown.length ? [pc.dim(`  and ${count(all - shown.length)} more`)] : [])].join('\n');
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character.
  return text.replace(/\u001b\[\d+m/g, '').length;
}
