import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The flights that the package `vega-datasets` has, and how many: 2k to 20k are drawn from January to March 2001. */
export const dataSets = { '2k': 2_000, '5k': 5_000, '10k': 10_000, '20k': 20_000, '3m': 3_000_000 } as const;
export type DataSet = keyof typeof dataSets;

/** One flight as an airline reported it. */
export interface Flight {
  /** When it left, by the clock on the wall of the airport: `2001-01-31T06:55`, without a time zone. */
  readonly date: string;
  /** Minutes after the schedule; below zero for early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** A flight and its place in the data set. */
export interface FlightRecord extends Flight {
  /** 1, 2, 3 … */
  readonly number: number;
}

/** Which flights of a data set to read. */
export interface Range {
  /** The number of the first one: 1 unless given. */
  readonly from?: number;
  /** The number of the last one: all of them unless given. */
  readonly to?: number;
}

/** Reads flights in the order of the data set, which is that of their dates. No more than a few thousand are in memory at a time. */
export async function* readFlights(
  dataSet: DataSet,
  { from = 1, to = dataSets[dataSet] }: Range = {},
): AsyncGenerator<FlightRecord> {
  if (from > to) return;
  if (dataSet !== '3m') return yield* readJson(dataPath(`flights-${dataSet}.json`), from, to);
  // Loading DuckDB takes longer than it takes to report two thousand flights.
  const { readParquet } = require('./read-parquet') as typeof import('./read-parquet');
  yield* readParquet(dataPath('flights-3m.parquet'), from, to);
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

/** The largest of the files in JSON has 20,000 flights: small enough to be parsed at once. */
function* readJson(file: string, from: number, to: number): Generator<FlightRecord> {
  const flights = JSON.parse(readFileSync(file, 'utf8')) as Flight[];
  for (const [index, flight] of flights.slice(from - 1, to).entries())
    yield { ...flight, number: from + index, date: localTime(flight.date) };
}

function dataPath(file: string): string {
  return join(dirname(require.resolve('vega-datasets')), '..', 'data', file);
}
