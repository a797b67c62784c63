import { IsPositive, IsString } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  type Class,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  InvalidArgumentError,
  type InvalidStoredEvent,
  type NewEvent,
  Projection,
  ProjectionId,
  type StandardSchema,
  upcasts,
} from 'eventfold';
import * as z from 'zod';
import { rejection } from '../controls/wallets';

@Event('checked.paid', { version: 2 })
class Paid {
  @IsString() orderId!: string;
  @IsPositive() cents!: number;
}

@Event('checked.noted', { schema: z.object({ orderId: z.string(), lines: z.array(z.object({ text: z.string().min(1) })) }) })
class Noted {
  orderId!: string;
  lines!: { text: string }[];
}

@Aggregate()
class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;
  cents = 0;

  @Handles(Noted)
  protected noted() {}

  @Handles(Paid)
  protected paid(event: Paid) {
    this.cents += event.cents;
  }
}

class Sheet {
  @ProjectionId() orderId!: string;
  cents = 0;

  @Handles(Paid)
  paid(event: Paid) {
    this.cents += event.cents;
  }
}

@Projection()
class AsyncSheet extends Sheet {}

@Projection({ mode: 'live' })
class LiveSheet extends Sheet {}

const inCents = upcasts(Paid, { from: 1, to: 2 }, ({ total, ...data }: { total: number }) => ({ ...data, cents: total * 100 }));

const history: NewEvent[] = [
  { type: 'checked.paid', data: { orderId: 'a', total: -1 }, id: 'first' },
  { type: 'checked.paid', schemaVersion: 2, data: { orderId: 'a', cents: 200 } },
  { type: 'checked.noted', data: { orderId: 'a', lines: [{ text: 'x' }, { text: '' }, { text: '' }], more: 1 } },
];

async function storeOf(events: readonly NewEvent[]): Promise<InMemoryEventStore> {
  const store = new InMemoryEventStore();
  const tagged = events.map((event) => ({ ...event, tags: ['orderId:a'] }));
  await store.append([{ stream: 'Order:a', guard: { version: 'any' }, events: tagged }]);
  return store;
}

async function open(classes: Class[], validateStored: unknown, events = history) {
  const store = await storeOf(events);
  const options = {
    store,
    classes: [...new Set([...classes, Paid, Noted])],
    upcasters: [inCents],
    storedEvents: 'versions' as const,
    retag: true,
  };
  return EventSourcing.open({ ...options, validateStored: validateStored as 'warn' });
}

const told = ({ event, class: name, violations }: InvalidStoredEvent) => [
  `${name} ${event.type} ${event.schemaVersion} ${event.version}`,
  ...violations.map(({ property, rule }) => `${property}: ${rule}`),
];
const paid = ['Paid checked.paid 2 1', 'cents: isPositive'];
const noted = ['Noted checked.noted 1 3', 'lines[1].text: too_small', 'lines[2].text: too_small'];

describe('EventSourcing.open({ validateStored })', () => {
  const readers: [what: string, read: (heard: InvalidStoredEvent[]) => Promise<EventSourcing>, expected: string[][]][] = [
    [
      'loads of aggregates',
      async (heard) => {
        const es = await open([Order], (invalid: InvalidStoredEvent) => heard.push(invalid));
        expect((await es.load(Order, { orderId: 'a' })).cents).toBe(100);
        return es;
      },
      [paid, noted],
    ],
    [
      'projections that keep state',
      async (heard) => {
        const es = await open([AsyncSheet], (invalid: InvalidStoredEvent) => heard.push(invalid));
        await es.projections.caughtUp();
        expect(await es.projections.get(AsyncSheet, { orderId: 'a' })).toMatchObject({ cents: 100 });
        expect(await es.projections.parked()).toStrictEqual([]);
        return es;
      },
      [paid],
    ],
    [
      'live projections',
      async (heard) => {
        const es = await open([LiveSheet], (invalid: InvalidStoredEvent) => heard.push(invalid));
        expect(await es.projections.get(LiveSheet, { orderId: 'a' })).toMatchObject({ cents: 100 });
        return es;
      },
      [paid],
    ],
    [
      'es.events',
      async (heard) => {
        const es = await open([Paid, Noted], (invalid: InvalidStoredEvent) => heard.push(invalid));
        let count = 0;
        for await (const { data } of es.events()) {
          expect(data).toBeInstanceOf(count === 2 ? Noted : Paid);
          count += 1;
          if (count === 3) break;
        }
        return es;
      },
      [paid, noted],
    ],
  ];

  it.each(readers)(
    'tells what %s read that breaks rules, after upcasters, and changes nothing',
    async (_what, read, expected) => {
      const heard: InvalidStoredEvent[] = [];
      await (await read(heard)).close();
      expect(heard.map(told)).toStrictEqual(expected);
      expect(heard[0]?.event).toMatchObject({ id: 'first', stream: 'Order:a', data: { orderId: 'a', cents: -100 } });
    },
  );

  it('looks at nothing unless asked', async () => {
    const asked: unknown[] = [];
    const validate = (value: unknown) => ({ value, issues: asked.push(value) > 0 ? [{ message: 'never' }] : undefined });
    @Event('checked.asked', { schema: { '~standard': { version: 1, vendor: 'mine', validate } } })
    class Asked {
      orderId!: string;
    }
    const es = await open([Asked], undefined, [{ type: 'checked.asked', data: { orderId: 'a' } }]);
    for await (const { data } of es.events()) {
      expect(data).toBeInstanceOf(Asked);
      break;
    }
    expect(asked).toStrictEqual([]);
    await es.close();
  });

  describe('with warnings', () => {
    const { emitWarning } = process;
    let warnings: string[] = [];
    beforeEach(() => {
      warnings = [];
      process.emitWarning = (warning) => void warnings.push(String(warning));
    });
    afterEach(() => {
      process.emitWarning = emitWarning;
    });

    it('tells of each rule at its first event, its tenth, its hundredth', async () => {
      const many = Array.from({ length: 120 }, () => history[0] as NewEvent).map(({ id: _id, ...event }) => event);
      const es = await open([Order], 'warn', [...many, history[2] as NewEvent]);
      expect((await es.load(Order, { orderId: 'a' })).cents).toBe(-12_000);
      expect(warnings.map((text) => text.replace(/^Event \S+ at \S+ is/, 'It is'))).toStrictEqual([
        'It is no valid Paid of "checked.paid": cents must be a positive number (isPositive). It is read all the same.',
        'It is no valid Paid of "checked.paid": cents must be a positive number (isPositive). It is read all the same. 10 such events were read.',
        'It is no valid Paid of "checked.paid": cents must be a positive number (isPositive). It is read all the same. 100 such events were read.',
        expect.stringMatching(/^It is no valid Noted of "checked.noted": lines\[1\]\.text: Too small/),
      ]);
      await es.close();
    });

    it.each([
      ['throws', () => JSON.parse('{')],
      ['rejects', () => Promise.reject(new SyntaxError('mine'))],
    ])('of what it is given that %s, and goes on reading', async (_how, hear) => {
      const es = await open([Order], hear);
      expect((await es.load(Order, { orderId: 'a' })).cents).toBe(100);
      await es.load(Order, { orderId: 'a' });
      expect(warnings).toHaveLength(2);
      expect(warnings[0]).toMatch(/^validateStored failed: SyntaxError/);
      await es.close();
    });
  });

  it('hears of a rule that throws', async () => {
    const schema: StandardSchema = { '~standard': { version: 1, vendor: 'mine', validate: () => JSON.parse('{') } };
    @Event('checked.throws', { schema })
    class Throws {
      orderId!: string;
    }
    const heard: InvalidStoredEvent[] = [];
    const events = [{ type: 'checked.throws', data: { orderId: 'a' } }];
    const es = await open([Throws], (invalid: InvalidStoredEvent) => heard.push(invalid), events);
    for await (const { data } of es.events()) {
      expect(data).toBeInstanceOf(Throws);
      break;
    }
    expect(heard).toMatchObject([{ class: 'Throws', violations: [{ rule: 'throws' }] }]);
    await es.close();
  });

  it.each([[true], ['report'], [{}], [null]])('refuses %p', async (value) => {
    expect(await rejection(open([Order], value))).toBeInstanceOf(InvalidArgumentError);
  });
});
