import { Handles, Projection, ProjectionId } from 'eventfold';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { FlightRefused, FlightReported } from './route';

/** From how many minutes on a flight counts as late; the U.S. Department of Transportation counts so too. */
export const lateFrom = 15;

/** A number of flights and how punctual they were: four columns in each table that has it. */
export class Tally {
  @Column('int') flights = 0;
  @Column('int') late = 0;
  /** Minutes, of all flights together. */
  @Column('int') delay = 0;
  /** Minutes; 0 without flights. A column and no getter: the database sorts by it. */
  @Column('double precision') averageDelay = 0;

  add({ delay }: FlightReported) {
    this.flights += 1;
    this.delay += delay;
    if (delay >= lateFrom) this.late += 1;
    this.averageDelay = this.delay / this.flights;
  }

  /** From 0 to 1; 0 without flights. */
  get lateShare(): number {
    return this.flights === 0 ? 0 : this.late / this.flights;
  }
}

/** One event changes two airports: where the flight left, and where it went. */
@Entity('flights_airports')
@Projection()
export class AirportFigures {
  @ProjectionId() @PrimaryColumn({ length: 3 }) readonly code!: string;
  @Column(() => Tally) readonly departures = new Tally();
  @Column(() => Tally) readonly arrivals = new Tally();
  @Column('int') movements = 0;

  @Handles(FlightReported, { code: 'origin' })
  left(event: FlightReported) {
    this.departures.add(event);
    this.movements += 1;
  }

  @Handles(FlightReported, { code: 'destination' })
  came(event: FlightReported) {
    this.arrivals.add(event);
    this.movements += 1;
  }
}

@Entity('flights_routes')
@Projection()
export class RouteFigures {
  @ProjectionId() @PrimaryColumn({ length: 3 }) readonly origin!: string;
  @ProjectionId() @PrimaryColumn({ length: 3 }) readonly destination!: string;
  @Column(() => Tally, { prefix: false }) readonly tally = new Tally();
  @Column('int') distance = 0;

  @Handles(FlightReported)
  reported(event: FlightReported) {
    this.tally.add(event);
    this.distance = event.distance;
  }
}

@Entity('flights_days')
@Projection()
export class DayFigures {
  /** `2001-01-31` */
  @ProjectionId() @PrimaryColumn({ length: 10 }) readonly day!: string;
  @Column(() => Tally, { prefix: false }) readonly tally = new Tally();

  @Handles(FlightReported, { day: ({ date }) => date.slice(0, 10) })
  reported(event: FlightReported) {
    this.tally.add(event);
  }
}

/** No entity: each hour is one JSON text, which nobody sorts or searches. */
@Projection()
export class HourFigures {
  /** The hour of the day in which flights left: 0 to 23. */
  @ProjectionId() readonly hour!: number;
  readonly tally = new Tally();

  @Handles(FlightReported, { hour: ({ date }) => Number(date.slice(11, 13)) })
  reported(event: FlightReported) {
    this.tally.add(event);
  }
}

/** Without an id there is one instance, and every event is its. */
@Projection()
export class Totals {
  readonly tally = new Tally();
  miles = 0;

  @Handles(FlightReported)
  reported(event: FlightReported) {
    this.tally.add(event);
    this.miles += event.distance;
  }
}

/** How many refused reports there are, and the first of them. */
@Projection()
export class Refusals {
  count = 0;
  readonly first: Pick<FlightRefused, 'origin' | 'destination' | 'date' | 'reason' | 'explanation'>[] = [];

  @Handles(FlightRefused)
  refused({ origin, destination, date, reason, explanation }: FlightRefused) {
    this.count += 1;
    if (this.first.length < 100) this.first.push({ origin, destination, date, reason, explanation });
  }
}

/** Those that are tables of their own. */
export const tables = [AirportFigures, RouteFigures, DayFigures] as const;
export const figures = [...tables, HourFigures, Totals, Refusals] as const;
