import { IsInt, IsPositive, Matches } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, ProjectionId } from 'eventfold';
import type { FlightRecord } from './records';

const airportCode = /^[A-Z]{3}$/;

@Event('flight.reported')
export class FlightReported {
  /** When it left, by the clock on the wall of the airport: `2001-01-31T06:55`. */
  @Matches(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/) date!: string;
  /** Minutes after the schedule; below zero for early. */
  @IsInt() delay!: number;
  /** Miles. */
  @IsInt() @IsPositive() distance!: number;
  @Matches(airportCode) origin!: string;
  @Matches(airportCode) destination!: string;
}

/** A report contradicts what is known of its route. */
export abstract class ReportRefused extends Error {
  abstract readonly reason: 'already reported' | 'another distance';

  constructor(
    readonly report: FlightRecord,
    problem: string,
  ) {
    const { origin, destination, date } = report;
    super(`${origin} → ${destination}, ${date.replace('T', ' ')}: ${problem}.`);
    this.name = new.target.name;
  }
}

/** Reports carry no flight number: route and minute are all that tells two flights apart. */
export class AlreadyReported extends ReportRefused {
  readonly reason = 'already reported';

  constructor(
    report: FlightRecord,
    /** The delay in the report that came first. */
    readonly knownDelay: number,
  ) {
    super(report, `known as ${delayText(knownDelay)}, reported as ${delayText(report.delay)}`);
  }
}

/** Airports do not move. */
export class AnotherDistance extends ReportRefused {
  readonly reason = 'another distance';

  constructor(
    report: FlightRecord,
    /** The distance of all earlier reports of the route, in miles. */
    readonly knownDistance: number,
  ) {
    super(report, `the route has ${knownDistance} miles, not ${report.distance}`);
  }
}

/** From one airport to another. It learns its distance from its first flight. */
@Aggregate()
export class Route extends AggregateRoot<'origin' | 'destination'> {
  @ProjectionId() readonly origin!: string;
  @ProjectionId() readonly destination!: string;
  private distance: number | undefined;
  private readonly delays = new Map<string, number>();

  /** @throws {@link ReportRefused} when the report contradicts an earlier one. */
  @Command()
  async report({ date, delay, distance }: Pick<FlightRecord, 'date' | 'delay' | 'distance'>) {
    const { origin, destination } = this;
    const record = { date, delay, distance, origin, destination };
    const knownDelay = this.delays.get(date);
    if (this.distance !== undefined && this.distance !== distance) throw new AnotherDistance(record, this.distance);
    if (knownDelay !== undefined) throw new AlreadyReported(record, knownDelay);
    this.emit(FlightReported, { date, delay, distance });
  }

  @Handles(FlightReported)
  protected reported({ date, delay, distance }: FlightReported) {
    this.distance = distance;
    this.delays.set(date, delay);
  }
}

function delayText(minutes: number): string {
  if (minutes === 0) return 'on time';
  return minutes > 0 ? `${minutes} min late` : `${-minutes} min early`;
}
