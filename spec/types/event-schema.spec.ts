import { DecoratorError, Event, type EventOptions, type StandardSchema } from 'eventfold';
import * as z from 'zod';

const money = z.object({ cents: z.int(), currency: z.enum(['EUR', 'SEK']) });

describe('@Event with a schema compiles', () => {
  it('where the class holds what the schema gives', () => {
    @Event('paid', { schema: money.extend({ note: z.string().optional() }), version: 2 })
    class Paid {
      readonly cents!: number;
      currency!: 'EUR' | 'SEK';
      note?: string;

      get euros() {
        return this.cents / 100;
      }

      describe() {
        return `${this.euros} ${this.currency}`;
      }
    }
    expect(Paid.name).toBe('Paid');
  });

  it('where the class is wider, or the schema tells nothing of its data', () => {
    @Event('wider', { schema: money })
    class Wider {
      cents!: number | bigint;
      currency!: string;
    }
    const anything: StandardSchema = z.unknown();
    const options: EventOptions = { schema: anything };
    @Event('untold', options)
    class Untold {
      cents!: number;
    }
    @Event(undefined, { schema: z.any() })
    class Unnamed {
      cents!: number;
    }
    expect([Wider, Untold, Unnamed]).toHaveLength(3);
  });
});

describe('@Event with a schema does not compile', () => {
  it('where a property is of another type, or missing in the schema', () => {
    // @ts-expect-error - "cents" is a number in the schema
    @Event('typed', { schema: money })
    class Typed {
      cents!: string;
      currency!: string;
    }
    // @ts-expect-error - the schema says nothing of "payer", and would leave it out
    @Event('lacking', { schema: money })
    class Lacking {
      cents!: number;
      currency!: string;
      payer!: string;
    }
    // @ts-expect-error - the schema may leave it out
    @Event('optional', { schema: money.partial() })
    class Optional {
      cents!: number;
      currency!: string;
    }
    expect([Typed, Lacking, Optional]).toHaveLength(3);
  });

  it('with what is no schema', () => {
    // @ts-expect-error - a plain object is no Standard Schema
    expect(() => Event('plain', { schema: { cents: 'number' } })).toThrow(DecoratorError);
  });
});
