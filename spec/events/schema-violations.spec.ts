import { Type } from 'class-transformer';
import { IsPositive } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Command,
  createEvent,
  Event,
  EventSourcing,
  EventValidationError,
  Handles,
  InMemoryEventStore,
  ProjectionId,
  type StandardSchema,
  type Violation,
} from 'eventfold';
import * as z from 'zod';
import { rejection } from '../controls/wallets';

class Line {
  sku!: string;
  pieces!: number;
}

const schema = z.object({
  orderId: z.string(),
  cents: z.int().positive(),
  at: z.date().optional(),
  lines: z.array(z.object({ sku: z.string().min(2), pieces: z.number() })),
  prices: z.map(z.string(), z.bigint()).optional(),
  labels: z.set(z.string()).optional(),
});

@Event('order.placed', { schema })
class Placed {
  orderId!: string;
  cents!: number;
  @Type(() => Date) at?: Date;
  @Type(() => Line) lines!: Line[];
  @Type(() => BigInt) prices?: Map<string, bigint>;
  @Type(() => Set) labels?: Set<string>;
}

@Aggregate()
class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;

  @Command()
  async place(data: { cents: number; lines: Line[] }) {
    this.emit(Placed, data);
  }

  @Handles(Placed)
  protected placed() {}
}

const lines = [{ sku: 'ab', pieces: 1 }];

/** A schema by hand: the standard asks for no more. */
function schemaOf<D>(validate: (value: unknown) => unknown): StandardSchema<D> {
  return { '~standard': { version: 1, vendor: 'by-hand', validate: validate as never } };
}

function violationsBy(validate: (value: unknown) => unknown, data: object = { id: 'a' }): readonly Violation[] {
  @Event('noted', { schema: schemaOf<never>(validate) as StandardSchema })
  class Noted {
    id!: string;
    note?: unknown;
  }
  return violationsOf(() => createEvent(Noted, data as Noted));
}

function violationsOf(make: () => unknown): readonly Violation[] {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(EventValidationError);
    return (error as EventValidationError).violations;
  }
  return [];
}

const rulesOf = (violations: readonly Violation[]) => violations.map(({ property, rule }) => `${property}: ${rule}`);

describe('The schema of an event', () => {
  it('passes data that fits, of every kind that an event can hold', () => {
    const data = {
      orderId: 'a',
      cents: 1,
      at: new Date(0),
      lines,
      prices: new Map([['a', 1n]]),
      labels: new Set(['new']),
    };
    const event = createEvent(Placed, data);
    expect(event.lines[0]).toBeInstanceOf(Line);
    expect({ ...event, lines: [{ ...event.lines[0] }] }).toStrictEqual(data);
  });

  it('names each broken rule with its path, as the library calls it', () => {
    const make = () => createEvent(Placed, { orderId: 'a', cents: -1, lines: [...lines, { sku: 'c', pieces: 'x' as never }] });
    expect(rulesOf(violationsOf(make))).toStrictEqual([
      'cents: too_small',
      'lines[1].sku: too_small',
      'lines[1].pieces: invalid_type',
    ]);
    expect(make).toThrow('Placed is not valid: cents: Too small: expected number to be >0 (too_small); lines[1].sku:');
  });

  it('is asked by emit and append: nothing is stored of what it refuses', async () => {
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Order] });
    const order = await es.create(Order, { orderId: 'a' });
    expect(await rejection(order.place({ cents: 0, lines }))).toMatchObject({
      code: 'EVENT_VALIDATION',
      event: 'Placed',
      violations: [{ property: 'cents', rule: 'too_small' }],
    });
    const bad = Object.assign(new Placed(), { orderId: 'a', cents: 1.5, lines: [] });
    expect(await rejection(es.appendUnguarded('Order:a', [bad]))).toMatchObject({ violations: [{ property: 'cents' }] });
    expect(await store.head()).toBeUndefined();
    await order.place({ cents: 1, lines });
    expect(await store.head()).toBeDefined();
    await es.close();
  });

  it('is asked beside the rules of class-validator', () => {
    @Event('both', { schema: z.object({ pieces: z.number(), name: z.string().min(2) }) })
    class Both {
      @IsPositive() pieces!: number;
      name!: string;
    }
    expect(rulesOf(violationsOf(() => createEvent(Both, { pieces: 0, name: '' })))).toStrictEqual([
      'pieces: isPositive',
      'name: too_small',
    ]);
  });

  it('refuses data that it would change: by defaults, coercion or leaving out', () => {
    const changing = z.object({
      id: z.string(),
      currency: z.string().default('EUR'),
      total: z.coerce.number(),
      tags: z.array(z.string().trim()).optional(),
    });
    @Event('changed', { schema: changing })
    class Changed {
      id!: string;
      currency!: string;
      total!: number;
      tags?: string[];
      note?: string;
    }
    const data = { id: 'a', total: '5', tags: ['x', ' y'], note: 'n' };
    const violations = violationsOf(() => createEvent(Changed, data as never));
    expect(violations).toStrictEqual([
      {
        property: 'total',
        rule: 'unchanged',
        message: 'total is "5", and its schema makes 5 of it: give it as it is to be stored',
      },
      {
        property: 'tags[1]',
        rule: 'unchanged',
        message: 'tags[1] is " y", and its schema makes "y" of it: give it as it is to be stored',
      },
      { property: 'note', rule: 'unchanged', message: 'note is left out by its schema: name it there too' },
      {
        property: 'currency',
        rule: 'unchanged',
        message: 'currency is missing, and its schema makes "EUR" of that: give it, or give the class that value',
      },
    ]);
    expect(createEvent(Changed, { id: 'a', currency: 'SEK', total: 5 })).toMatchObject({ currency: 'SEK' });
  });

  it('may be written by hand, with paths of either form', () => {
    const issues = [{ message: 'is odd', path: ['a', { key: 0 }, { key: 'b' }, Symbol('c')] }, { message: 'is bad' }];
    expect(violationsBy(() => ({ issues }))).toStrictEqual([
      { property: 'a[0].b.Symbol(c)', rule: 'by-hand', message: 'a[0].b.Symbol(c): is odd' },
      { property: '', rule: 'by-hand', message: 'is bad' },
    ]);
    expect(violationsBy(() => ({ issues: [] }))).toMatchObject([{ rule: 'by-hand', message: 'its schema refuses it' }]);
    expect(violationsBy((value) => ({ value }))).toStrictEqual([]);
    const seen: unknown[] = [];
    violationsBy((value) => ({ value: seen.push(value) && value }), { id: 'a', note: undefined });
    expect(seen).toStrictEqual([{ id: 'a' }]);
  });

  it('may be a function, and is called as a method of its own', () => {
    const standard = {
      version: 1,
      vendor: 'callable',
      validate(value: unknown) {
        return this === standard ? { value } : { issues: [{ message: 'lost' }] };
      },
    } as const;
    const callable = Object.assign(() => undefined, { '~standard': standard }) as StandardSchema;
    @Event('called', { schema: callable })
    class Called {
      id!: string;
    }
    expect(createEvent(Called, { id: 'a' })).toMatchObject({ id: 'a' });
  });

  it('that answers later, throws, or gives nothing is refused, and the event named', async () => {
    expect(violationsBy(async (value) => ({ value }))).toMatchObject([{ rule: 'isSynchronous' }]);
    expect(violationsBy(() => Promise.reject(new Error('unheard')))).toMatchObject([{ rule: 'isSynchronous' }]);
    expect(violationsBy(() => undefined)).toMatchObject([{ property: '', rule: 'unchanged' }]);
    const broken = () => {
      throw new TypeError('cannot');
    };
    expect(violationsBy(broken)).toStrictEqual([{ property: '', rule: 'throws', message: 'its schema threw TypeError: cannot' }]);
    @Event('late', { schema: z.object({ id: z.string().refine(async () => true) }) })
    class Late {
      id!: string;
    }
    expect(() => createEvent(Late, { id: 'a' })).toThrow(
      'Late is not valid: its schema answers with a promise, which cannot be waited for (isSynchronous).',
    );
  });
});
