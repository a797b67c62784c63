import type { EventSourcing } from 'eventfold';
import { type DataSource, MoreThanOrEqual } from 'typeorm';
import { AirportFigures, DayFigures, RouteFigures } from './figures';

/** How many rows the short lists have. */
const most = 8;

/** What is asked of the airports, routes and days. */
export interface FigureTables {
  countOfAirports(): Promise<number>;
  countOfRoutes(): Promise<number>;
  busiestAirports(): Promise<AirportFigures[]>;
  /** Those with the longest delays, of all routes with at least so many flights. */
  worstRoutes(fewestFlights: number): Promise<RouteFigures[]>;
  /** All of them, in order. */
  days(): Promise<DayFigures[]>;
}

/** @returns answers from the tables: whoever has the DataSource can ask so, and need not know of events. */
export function inDatabase(dataSource: DataSource): FigureTables {
  const airports = dataSource.getRepository(AirportFigures);
  const routes = dataSource.getRepository(RouteFigures);
  return {
    countOfAirports: () => airports.count(),
    countOfRoutes: () => routes.count(),
    busiestAirports: () => airports.find({ order: { movements: 'DESC', code: 'ASC' }, take: most }),
    worstRoutes: (fewestFlights) =>
      routes.find({
        where: { tally: { flights: MoreThanOrEqual(fewestFlights) } },
        order: { tally: { averageDelay: 'DESC' }, origin: 'ASC', destination: 'ASC' },
        take: most,
      }),
    days: () => dataSource.getRepository(DayFigures).find({ order: { day: 'ASC' } }),
  };
}

/** @returns the same answers from a store in memory, for which an entity is a class like any other. */
export function inMemory({ projections }: EventSourcing): FigureTables {
  return {
    countOfAirports: async () => (await projections.all(AirportFigures)).length,
    countOfRoutes: async () => (await projections.all(RouteFigures)).length,
    busiestAirports: async () =>
      inOrder(await projections.all(AirportFigures), ({ movements, code }) => [-movements, code]).slice(0, most),
    worstRoutes: async (fewestFlights) => {
      const routes = (await projections.all(RouteFigures)).filter(({ tally }) => tally.flights >= fewestFlights);
      return inOrder(routes, ({ tally, origin, destination }) => [-tally.averageDelay, origin, destination]).slice(0, most);
    },
    days: async () => inOrder(await projections.all(DayFigures), ({ day }) => [day]),
  };
}

/** @returns the items in order of the first part of their keys that differs. */
export function inOrder<T>(items: readonly T[], keyOf: (item: T) => readonly (string | number)[]): T[] {
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  keyed.sort((a, b) => {
    const differing = a.key.findIndex((part, index) => part !== b.key[index]);
    if (differing < 0) return 0;
    return (a.key[differing] as string) < (b.key[differing] as string) ? -1 : 1;
  });
  return keyed.map(({ item }) => item);
}
