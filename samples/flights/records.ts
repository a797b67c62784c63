import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The sizes in which the package `vega-datasets` has the flights of January to March 2001. */
export const sizes = ['2k', '5k', '10k', '20k'] as const;
export type Size = (typeof sizes)[number];

/** One flight as an airline reported it. */
export interface FlightRecord {
  /** When it left, by the clock on the wall of the airport: `2001-01-31T06:55`, without a time zone. */
  readonly date: string;
  /** Minutes after the schedule; below zero for early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** @returns the flights in the order of the file, which is that of their dates. */
export function readFlights(size: Size): FlightRecord[] {
  const records = JSON.parse(readFileSync(dataPath(`flights-${size}.json`), 'utf8')) as FlightRecord[];
  return records.map((record) => ({ ...record, date: localTime(record.date) }));
}

/** @returns the city of each airport, by the airport's code. */
export function readCities(): Map<string, string> {
  const lines = readFileSync(dataPath('airports.csv'), 'utf8').matchAll(/^([A-Z]{3}),(?:"[^"]*"|[^,]*),([^,]*),/gm);
  return new Map([...lines].map(([, code = '', city = '']) => [code, city]));
}

/**
 * Turns `2001/01/31 06:55` into `2001-01-31T06:55`. No `Date` of the machine's own time zone has a part in it, so that
 * 02:30 stays 02:30, also in the night when the clocks change.
 *
 * @throws {@link RangeError} when it is no minute of the calendar.
 */
export function localTime(text: string): string {
  const parts = /^(\d{4})\/(\d{2})\/(\d{2}) (\d{2}):(\d{2})$/.exec(text)?.slice(1);
  const [year, month, day, hour, minute] = parts ?? [];
  const local = `${year}-${month}-${day}T${hour}:${minute}`;
  const utc = new Date(`${local}:00Z`);
  if (Number.isNaN(utc.getTime()) || !utc.toISOString().startsWith(local)) throw new RangeError(`"${text}" is no date and time.`);
  return local;
}

function dataPath(file: string): string {
  return join(dirname(require.resolve('vega-datasets')), '..', 'data', file);
}
