import { setImmediate } from 'node:timers/promises';
import type { EventSourcing } from 'eventfold';
import type { FlightRecord } from './records';
import { Route } from './route';

/** How many flights are reported at once. Stores gather what is appended at once into common commits. */
export const atOnce = 100;

/** What may be wanted of {@link reportFlights}. */
export interface ReportOptions {
  /** What is noted in the metadata of every event, beside the number of the report. */
  readonly dataSet?: string;
  /** Called when all flights up to this one are stored. */
  readonly progress?: (last: FlightRecord) => void;
  /** Ends the work between two windows. */
  readonly signal?: AbortSignal;
}

/**
 * Reports each flight by a command to its route, many at once: those of one window, which begins when the one before is
 * stored. Commands to one route queue up in the order in which they were called.
 *
 * @returns how many were reported.
 */
export async function reportFlights(
  es: EventSourcing,
  records: AsyncIterable<FlightRecord> | Iterable<FlightRecord>,
  { dataSet, progress, signal }: ReportOptions = {},
): Promise<number> {
  const routes = new Map<string, Promise<Route>>();
  const routeOf = ({ origin, destination }: FlightRecord) => {
    const key = `${origin} ${destination}`;
    const route = routes.get(key) ?? es.loadOrCreate(Route, { origin, destination });
    routes.set(key, route);
    return route;
  };
  const report = async (record: FlightRecord) => {
    const route = await routeOf(record);
    await es.withMetadata({ dataSet, report: record.number }, () => route.report(record));
  };
  let reported = 0;
  for await (const window of windowsOf(records)) {
    // Neither memory nor SQLite makes anybody wait: without a pause there would be no chance to hear a Ctrl-C.
    await setImmediate();
    if (signal?.aborted) break;
    await Promise.all(window.map(report));
    reported += window.length;
    progress?.(window.at(-1) as FlightRecord);
  }
  return reported;
}

/** @returns the number of the first report in the window of this one. */
export function startOfWindow(report: number): number {
  return report - ((report - 1) % atOnce);
}

async function* windowsOf(records: AsyncIterable<FlightRecord> | Iterable<FlightRecord>): AsyncGenerator<FlightRecord[]> {
  let window: FlightRecord[] = [];
  for await (const record of records) {
    if (window[0] !== undefined && startOfWindow(window[0].number) !== startOfWindow(record.number)) {
      yield window;
      window = [];
    }
    window.push(record);
  }
  if (window.length > 0) yield window;
}
