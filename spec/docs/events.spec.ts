import { Type } from 'class-transformer';
import { createEvent, Event, UnstorablePayloadError } from 'eventfold';
import { encodePayload } from '../../lib/events/payload-codec';
import { roundTrip } from '../events/round-trip';

class Stop {
  port!: string;
  @Type(() => Date) due?: Date;
}

@Event('cargo.routed')
class Routed {
  cargoId!: string;
  @Type(() => Date) deadline!: Date;
  @Type(() => BigInt) grams!: bigint;
  @Type(() => Stop) stops!: Stop[];
  @Type(() => Date) customs!: Map<string, Date>;
  @Type(() => Set) labels!: Set<string>;
}

const day = new Date('2001-02-03T00:00:00Z');
const given = {
  cargoId: 'c',
  deadline: day,
  grams: 5n,
  stops: [{ port: 'Oslo', due: day }],
  customs: new Map([['NO', day]]),
  labels: new Set(['cold']),
};

describe('docs/events.md', () => {
  it('shows an event that comes back equal, in the forms that the table says', () => {
    const event = createEvent(Routed, given);
    expect(event.stops[0]).toBeInstanceOf(Stop);
    expect(roundTrip(event)).toStrictEqual(event);
    const date = '2001-02-03T00:00:00.000Z';
    expect(JSON.parse(encodePayload(event, 'cargo.routed'))).toStrictEqual({
      cargoId: 'c',
      deadline: date,
      grams: '5',
      stops: [{ port: 'Oslo', due: date }],
      customs: [['NO', date]],
      labels: ['cold'],
    });
  });

  it('takes decorators that are called', () => {
    class Plain {
      deadline?: Date;
    }
    expect(() => encodePayload(Object.assign(new Plain(), { deadline: day }), 'plain')).toThrow(UnstorablePayloadError);
    class Called extends Plain {}
    Type(() => Date)(Called.prototype, 'deadline');
    const event = Object.assign(new Called(), { deadline: day });
    expect(roundTrip(event)).toStrictEqual(event);
  });
});
