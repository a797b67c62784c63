import type { EventSourcing } from 'eventfold';
import type { FlightRecord } from './records';
import { ReportRefused, Route } from './route';

/**
 * Reports flights one after another, each by a command to its route.
 *
 * @returns what was refused, and why.
 */
export async function reportFlights(
  es: EventSourcing,
  records: readonly FlightRecord[],
  progress: (done: number, record: FlightRecord) => void = () => undefined,
): Promise<ReportRefused[]> {
  const refused: ReportRefused[] = [];
  for (const [index, record] of records.entries()) {
    const { origin, destination } = record;
    const route = await es.loadOrCreate(Route, { origin, destination });
    try {
      await route.report(record);
    } catch (error) {
      if (!(error instanceof ReportRefused)) throw error;
      refused.push(error);
    }
    progress(index + 1, record);
  }
  return refused;
}
