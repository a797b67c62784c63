import type { EventSourcing } from 'eventfold';
import { type FigureTables, inOrder } from './figure-tables';
import { AirportFigures, DayFigures, HourFigures, Refusals, RouteFigures, Totals } from './figures';

/** What is drawn. */
export interface Summary {
  readonly totals: Totals;
  readonly hours: readonly HourFigures[];
  readonly refused: Refusals;
  readonly days: readonly DayFigures[];
  /** How many there are. */
  readonly airports: number;
  readonly routes: number;
  readonly busiest: readonly AirportFigures[];
  readonly worst: readonly RouteFigures[];
  /** Routes with fewer flights are not among the worst: a single late one would be. */
  readonly fewestFlights: number;
}

/** Every instance of every projection, in order of their ids. */
export interface AllFigures extends Pick<Summary, 'totals' | 'hours' | 'refused' | 'days'> {
  readonly airports: readonly AirportFigures[];
  readonly routes: readonly RouteFigures[];
}

/** @returns what the projections show by now. */
export async function summarize({ projections }: EventSourcing, tables: FigureTables): Promise<Summary> {
  const [totals = new Totals()] = await projections.all(Totals);
  const [refused = new Refusals()] = await projections.all(Refusals);
  const fewestFlights = Math.max(5, Math.round(totals.tally.flights / 1000));
  return {
    totals,
    hours: inOrder(await projections.all(HourFigures), ({ hour }) => [hour]),
    refused,
    days: await tables.days(),
    airports: await tables.countOfAirports(),
    routes: await tables.countOfRoutes(),
    busiest: await tables.busiestAirports(),
    worst: await tables.worstRoutes(fewestFlights),
    fewestFlights,
  };
}

/** @returns all that the projections show by now. */
export async function allFigures({ projections }: EventSourcing): Promise<AllFigures> {
  const [totals = new Totals()] = await projections.all(Totals);
  const [refused = new Refusals()] = await projections.all(Refusals);
  return {
    totals,
    airports: inOrder(await projections.all(AirportFigures), ({ code }) => [code]),
    routes: inOrder(await projections.all(RouteFigures), ({ origin, destination }) => [origin, destination]),
    days: inOrder(await projections.all(DayFigures), ({ day }) => [day]),
    hours: inOrder(await projections.all(HourFigures), ({ hour }) => [hour]),
    refused,
  };
}
