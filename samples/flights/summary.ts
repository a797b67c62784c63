import type { EventSourcing } from 'eventfold';
import { AirportFigures, DayFigures, HourFigures, Refusals, RouteFigures, Totals } from './figures';

/** All that the projections show when the flights are reported. */
export interface Summary {
  readonly totals: Totals;
  readonly airports: readonly AirportFigures[];
  readonly routes: readonly RouteFigures[];
  readonly days: readonly DayFigures[];
  readonly hours: readonly HourFigures[];
  readonly refused: Refusals;
}

/** @returns every projection's instances, in order of their ids, once they show everything that is stored. */
export async function summarize({ projections }: EventSourcing): Promise<Summary> {
  await projections.caughtUp(undefined, { timeoutMs: Infinity });
  const [totals = new Totals()] = await projections.all(Totals);
  const [refused = new Refusals()] = await projections.all(Refusals);
  return {
    totals,
    airports: inOrder(await projections.all(AirportFigures), ({ code }) => code),
    routes: inOrder(await projections.all(RouteFigures), ({ origin, destination }) => `${origin} ${destination}`),
    days: inOrder(await projections.all(DayFigures), ({ day }) => day),
    hours: inOrder(await projections.all(HourFigures), ({ hour }) => String(hour).padStart(2, '0')),
    refused,
  };
}

function inOrder<T>(items: readonly T[], key: (item: T) => string): T[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
