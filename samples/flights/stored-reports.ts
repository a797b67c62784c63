import type { EventStore } from 'eventfold';
import { type DataSet, type FlightRecord, readFlights } from './records';
import { atOnce, startOfWindow } from './report-flights';

/** Which reports a store has. */
export interface StoredReports {
  readonly count: number;
  /** Every report before this one is stored. */
  readonly from: number;
  /** Says whether a report is stored. */
  has(report: number): boolean;
}

/** A store has other events than flights of the data set; the message is for the user. */
export class OtherDataSetError extends Error {
  constructor(name: string, stored: unknown, wanted: DataSet) {
    const there = typeof stored === 'string' ? `flights of the data set ${stored}` : 'events that are not of this sample';
    super(`There are ${there} in ${name}, and those of ${wanted} would mix with them. Give another --store, or --new.`);
    this.name = 'OtherDataSetError';
  }
}

/**
 * Finds out where to go on. Every event knows the number of its report; those of the last window may have been stored in
 * any order, and in part, and all before are there.
 *
 * @param name What to call the store in an error.
 * @throws {@link OtherDataSetError}
 */
export async function storedReports(store: EventStore, dataSet: DataSet, name: string): Promise<StoredReports> {
  const newest: number[] = [];
  for await (const { metadata } of store.read({ direction: 'backward', limit: atOnce })) {
    if (metadata.dataSet !== dataSet || typeof metadata.report !== 'number')
      throw new OtherDataSetError(name, metadata.dataSet, dataSet);
    newest.push(metadata.report);
  }
  if (newest.length === 0) return { count: 0, from: 1, has: () => false };
  const from = startOfWindow(Math.max(...newest));
  const lastWindow = new Set(newest.filter((report) => report >= from));
  return { count: from - 1 + lastWindow.size, from, has: (report) => report < from || lastWindow.has(report) };
}

/** Reads those of the first flights of a data set that are not stored yet. */
export async function* missingFlights(dataSet: DataSet, to: number, { from, has }: StoredReports): AsyncGenerator<FlightRecord> {
  for await (const record of readFlights(dataSet, { from, to })) if (!has(record.number)) yield record;
}
