import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'class-transformer';
import { createEvent, Event, EventSourcing, InMemoryEventStore, UnstorablePayloadError } from 'eventfold';
import * as z from 'zod';
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

@Event('cargo.booked', {
  schema: z.object({
    cargoId: z.string().min(1),
    grams: z.int().positive(),
    customer: z.object({ email: z.email() }),
  }),
})
class Booked {
  cargoId!: string;
  grams!: number;
  customer!: { email: string };
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
  it('shows code that runs, and nothing else', () => {
    const root = join(__dirname, '../../..');
    const page = readFileSync(join(root, 'docs/events.md'), 'utf8');
    const source = readFileSync(join(root, 'spec/docs/events.spec.ts'), 'utf8').replace(/^ +/gm, '');
    const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = '']) => block.replace(/^ +/gm, ''));
    expect(blocks).toHaveLength(3);
    for (const block of blocks) expect(source).toContain(block);
  });

  it('shows what is refused, and what is told of what is stored', async () => {
    const store = new InMemoryEventStore();
    const bad = { cargoId: 'c', grams: 0, customer: { email: 'ann' } };
    await store.append([{ stream: 's', guard: { version: 'none' }, events: [{ type: 'cargo.booked', data: bad }] }]);
    const es = await EventSourcing.open({ store, classes: [Booked], validateStored: 'warn' });
    await expect(async () => createEvent(Booked, bad)).rejects.toMatchObject({
      violations: [
        { property: 'grams', rule: 'too_small' },
        { property: 'customer.email', rule: 'invalid_format' },
      ],
    });
    const { emitWarning } = process;
    const warnings: string[] = [];
    try {
      process.emitWarning = (warning) => void warnings.push(String(warning));
      for await (const { data } of es.events()) {
        expect({ ...data }).toStrictEqual(bad);
        break;
      }
    } finally {
      process.emitWarning = emitWarning;
      await es.close();
    }
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/is no valid Booked of "cargo.booked": grams: Too small/);
  });

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
