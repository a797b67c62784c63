import { Handles, Projection, ProjectionId } from 'eventfold';
import { FlightRefused, FlightReported } from './route';

/** From how many minutes on a flight counts as late; the U.S. Department of Transportation counts so too. */
export const lateFrom = 15;

/** A number of flights and how punctual they were. */
export class Tally {
  flights = 0;
  late = 0;
  /** Minutes, of all flights together. */
  delay = 0;

  add({ delay }: FlightReported) {
    this.flights += 1;
    this.delay += delay;
    if (delay >= lateFrom) this.late += 1;
  }

  /** Minutes; 0 without flights. */
  get averageDelay(): number {
    return this.flights === 0 ? 0 : this.delay / this.flights;
  }

  /** From 0 to 1; 0 without flights. */
  get lateShare(): number {
    return this.flights === 0 ? 0 : this.late / this.flights;
  }
}

/** One event changes two airports: where the flight left, and where it went. */
@Projection()
export class AirportFigures {
  @ProjectionId() readonly code!: string;
  readonly departures = new Tally();
  readonly arrivals = new Tally();

  @Handles(FlightReported, { code: 'origin' })
  left(event: FlightReported) {
    this.departures.add(event);
  }

  @Handles(FlightReported, { code: 'destination' })
  came(event: FlightReported) {
    this.arrivals.add(event);
  }
}

@Projection()
export class RouteFigures {
  @ProjectionId() readonly origin!: string;
  @ProjectionId() readonly destination!: string;
  readonly tally = new Tally();
  distance = 0;

  @Handles(FlightReported)
  reported(event: FlightReported) {
    this.tally.add(event);
    this.distance = event.distance;
  }
}

@Projection()
export class DayFigures {
  /** `2001-01-31` */
  @ProjectionId() readonly day!: string;
  readonly tally = new Tally();

  @Handles(FlightReported, { day: ({ date }) => date.slice(0, 10) })
  reported(event: FlightReported) {
    this.tally.add(event);
  }
}

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

export const figures = [AirportFigures, RouteFigures, DayFigures, HourFigures, Totals, Refusals] as const;
