import { IsIn, IsInt, IsPositive, Matches } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, ProjectionId } from 'eventfold';
import type { Flight } from './records';

const airportCode = /^[A-Z]{3}$/;
const reasons = ['already reported', 'another distance', 'out of order'] as const;

/** What airlines send. */
class Report {
  /** When it left, by the clock on the wall of the airport: `2001-01-31T06:55`. */
  @Matches(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/) date!: string;
  /** Minutes after the schedule; below zero for early. */
  @IsInt() delay!: number;
  /** Miles. */
  @IsInt() @IsPositive() distance!: number;
  @Matches(airportCode) origin!: string;
  @Matches(airportCode) destination!: string;
}

@Event('flight.reported')
export class FlightReported extends Report {}

/** A report that contradicts what is known of its route. That it came is a fact as well. */
@Event('flight.refused')
export class FlightRefused extends Report {
  @IsIn(reasons) reason!: (typeof reasons)[number];
  /** What is known, and what the report says. */
  explanation!: string;
}

/** What a route has to be told of a flight. */
type Journey = Pick<Flight, 'date' | 'delay' | 'distance'>;

/** From one airport to another. It learns its distance from its first flight. */
@Aggregate()
export class Route extends AggregateRoot<'origin' | 'destination'> {
  @ProjectionId() readonly origin!: string;
  @ProjectionId() readonly destination!: string;
  /** Reports come in order, so that the last one is all that a route needs to remember. */
  private last: Journey | undefined;

  /** Each report becomes one event: it is taken, or refused. */
  @Command()
  async report({ date, delay, distance }: Journey) {
    const report = { date, delay, distance };
    const objection = this.objectionTo(report);
    if (objection === undefined) this.emit(FlightReported, report);
    else this.emit(FlightRefused, { ...report, ...objection });
  }

  @Handles(FlightReported)
  protected reported({ date, delay, distance }: FlightReported) {
    this.last = { date, delay, distance };
  }

  @Handles(FlightRefused)
  protected refused() {}

  private objectionTo({ date, delay, distance }: Journey): Pick<FlightRefused, 'reason' | 'explanation'> | undefined {
    const { last } = this;
    if (last === undefined) return undefined;
    // Airports do not move.
    if (distance !== last.distance)
      return { reason: 'another distance', explanation: `the route has ${last.distance} miles, not ${distance}` };
    if (date < last.date)
      return { reason: 'out of order', explanation: `reported after the flight of ${last.date.replace('T', ' ')}` };
    // Reports carry no flight number: route and minute are all that tells two flights apart.
    if (date === last.date) {
      const explanation = `known as ${delayText(last.delay)}, reported as ${delayText(delay)}`;
      return { reason: 'already reported', explanation };
    }
    return undefined;
  }
}

function delayText(minutes: number): string {
  if (minutes === 0) return 'on time';
  return minutes > 0 ? `${minutes} min late` : `${-minutes} min early`;
}
