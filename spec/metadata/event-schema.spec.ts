import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { Expose, Transform, Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  Contains,
  IsDate,
  IsEnum,
  IsIn,
  IsInt,
  IsISO8601,
  IsNotEmpty,
  IsOptional,
  IsPositive,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { createEvent, Event, type JsonSchema, Registry, type StandardSchema, upcasts } from 'eventfold';
import * as z from 'zod';
import { encodePayload } from '../../lib/events/payload-codec';

const id = '7f2c1c1e-5a0c-4a8e-9b49-6a1d4f4bd0f1';
const day = new Date('2001-02-03T00:00:00Z');

type Class = abstract new (...args: never[]) => object;

const Level = { 0: 'Low', 1: 'High', Low: 0, High: 1 } as const; // what the compiler makes of an enum of numbers
const Colour = { Red: 'red', Blue: 'blue' } as const;

class Price {
  @IsInt() cents!: number;
  @IsIn(['EUR', 'USD']) currency!: string;
}

class Line {
  @IsString() sku!: string;
  @ValidateNested() @Type(() => Price) price!: Price;
}

class Card {
  @IsString() last4!: string;
}

class Transfer {
  @IsString() iban!: string;
}

class Comment {
  @IsString() text!: string;
  @ValidateNested({ each: true }) @Type(() => Comment) answers!: Comment[];
}

/** Another class of a name that is taken. */
function otherLine(): Class {
  class Line {
    @IsInt() length!: number;
  }
  return Line;
}

function schemaOf(target: Class): JsonSchema {
  const [schema] = Object.values(Registry.of([target]).toJsonSchema());
  return schema as JsonSchema;
}

function propertiesOf(target: Class): Record<string, JsonSchema> {
  return { ...schemaOf(target).properties };
}

function judge(target: Class): (data: unknown) => boolean {
  const ajv = addFormats.default(new Ajv({ strict: true, allowUnionTypes: true, strictTuples: false }));
  const validate = ajv.compile(schemaOf(target));
  return (data) => validate(data) as boolean;
}

/** What is stored of an event with this data. */
function stored(target: Class, data: object): Record<string, unknown> {
  const event = createEvent(target as never, data as never) as object;
  return JSON.parse(encodePayload(event, 'event')) as Record<string, unknown>;
}

@Event('rules')
class Rules {
  @IsUUID() id!: string;
  @IsInt() @IsPositive() pieces!: number;
  @IsPositive() @IsInt() @Max(9) boxes!: number;
  @IsEnum(Level) level!: number;
  @IsEnum(Colour) colour!: string;
  @IsNotEmpty() weight!: number;
  @IsNotEmpty() name!: string;
  @IsInt({ each: true }) @ArrayNotEmpty() sizes!: number[];
  @IsOptional() @MaxLength(3) note?: string | null;
  @ValidateIf((event: Rules) => event.pieces > 1) @IsString() batch?: string;
  @Matches(/^[a-z]+$/) code!: string;
  @Matches(/^[a-z]+$/i) Code!: string;
  @Contains('a.b') path!: string;
  @IsISO8601() at!: string;
}

const rules = {
  id,
  pieces: 1,
  boxes: 2,
  level: 1,
  colour: 'red',
  weight: 3,
  name: 'n',
  sizes: [1],
  code: 'a',
  Code: 'A',
  path: '/a.b',
  at: '2001-02-03',
};

@Event('stored')
class Stored {
  @IsDate() @Type(() => Date) due!: Date;
  @IsOptional() @IsDate() paid?: Date;
  @Type(() => BigInt) grams!: bigint;
  @Type(() => Date) customs!: Map<string, Date>;
  @Type(() => Set) labels!: Set<string>;
  @Type(() => Line) byPort!: Map<string, Line>;
  @ValidateNested({ each: true }) @ArrayNotEmpty() @Type(() => Line) lines!: Line[];
  @Type(() => Object, {
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'card', value: Card },
        { name: 'transfer', value: Transfer },
      ],
    },
  })
  paidBy!: Card | Transfer;
  @Type(() => Comment) comment!: Comment;
}

const line = { sku: 's', price: { cents: 1, currency: 'EUR' } };
const data = {
  due: day,
  paid: day,
  grams: 5n,
  customs: new Map([['NO', day]]),
  labels: new Set(['cold']),
  byPort: new Map([['Oslo', line]]),
  lines: [line],
  paidBy: { kind: 'card', last4: '1234' },
  comment: { text: 'a', answers: [{ text: 'b', answers: [] }] },
};

@Event('plain')
class Plain {
  owner!: string;
  currency = 'EUR';
  @IsString() country = 'NO';
  @Transform(({ value }) => String(value), { toPlainOnly: true })
  @Transform(({ value }) => Number(value), { toClassOnly: true })
  weight!: number;
  @Expose({ name: 'stored_as' }) @IsString() name!: string;
}

describe('Registry.toJsonSchema', () => {
  it('has what the rules say, of their stored form', () => {
    expect(propertiesOf(Rules)).toStrictEqual({
      id: { type: 'string', format: 'uuid' },
      pieces: { type: 'integer', exclusiveMinimum: 0 },
      boxes: { type: 'integer', exclusiveMinimum: 0, maximum: 9 },
      level: { type: 'number', enum: [0, 1] },
      colour: { type: 'string', enum: ['red', 'blue'] },
      weight: { type: 'number' },
      name: { type: 'string', minLength: 1 },
      sizes: { type: 'array', minItems: 1, items: { type: 'integer' } },
      note: { type: ['string', 'null'], maxLength: 3 },
      batch: { type: ['string', 'null'] },
      code: { type: 'string', pattern: '^[a-z]+$' },
      Code: { type: 'string' },
      path: { type: 'string', pattern: 'a\\.b' },
      at: { type: 'string', anyOf: [{ format: 'date' }, { format: 'date-time' }] },
    });
  });

  it('requires what has a rule, no default, and is not optional', () => {
    const optional = ['note', 'batch'];
    expect(schemaOf(Rules).required).toStrictEqual(Object.keys(propertiesOf(Rules)).filter((name) => !optional.includes(name)));
    expect(schemaOf(Plain).required).toStrictEqual(['stored_as']);
  });

  it.each([
    { target: Rules, given: rules },
    { target: Stored, given: data },
  ])('accepts what is stored of an event of $target.name', ({ target, given }) => {
    expect(judge(target)(stored(target, given))).toBe(true);
  });

  it.each([
    [Rules, { ...rules, pieces: 1.5 }],
    [Rules, { ...rules, name: '' }],
    [Rules, { ...rules, sizes: [] }],
    [Rules, { ...rules, id: undefined }],
  ])('refuses what the rules refuse, of %p', (target, given) => {
    expect(judge(target)(JSON.parse(JSON.stringify(given)))).toBe(false);
    expect(() => stored(target, given)).toThrow();
  });

  it('knows dates, bigints, maps, sets and nested classes in the form that they are stored in', () => {
    const pairs = (value: JsonSchema) => ({
      type: 'array',
      items: {
        type: 'array',
        items: [{ type: ['string', 'number', 'boolean', 'null'] }, value],
        minItems: 2,
        maxItems: 2,
      },
    });
    const date = { type: 'string', format: 'date-time' };
    expect(propertiesOf(Stored)).toStrictEqual({
      due: date,
      paid: { ...date, type: ['string', 'null'] },
      grams: { type: 'string', pattern: '^-?\\d+$' },
      customs: pairs(date),
      labels: { type: 'array' },
      byPort: pairs({ $ref: '#/definitions/Line' }),
      lines: { type: 'array', items: { $ref: '#/definitions/Line' }, minItems: 1 },
      paidBy: expect.objectContaining({ oneOf: expect.arrayContaining([expect.anything()]) }),
      comment: { $ref: '#/definitions/Comment' },
    });
  });

  it.each([
    ['a date', { due: '5' }],
    ['a bigint', { grams: '5n' }],
    ['a pair of a map', { customs: [['NO']] }],
    ['nested data', { lines: [{ sku: 's' }] }],
    ['data of a subclass', { paidBy: { kind: 'cash' } }],
    ['data that holds itself', { comment: { text: 'a', answers: [{ text: 1, answers: [] }] } }],
  ])('refuses %s that is not in its stored form', (_, changed) => {
    expect(judge(Stored)({ ...stored(Stored, data), ...changed })).toBe(false);
  });

  it('describes each nested class once, by names of their own', () => {
    const Other = otherLine();
    @Event('two')
    class Two {
      @ValidateNested() @Type(() => Line) one!: Line;
      @ValidateNested() @Type(() => Other) other!: object;
    }
    expect(Object.keys(schemaOf(Stored).definitions ?? {})).toStrictEqual(['Card', 'Comment', 'Line', 'Price', 'Transfer']);
    expect(Object.keys(schemaOf(Two).definitions ?? {})).toStrictEqual(['Line', 'Line2', 'Price']);
  });

  it('has what a new instance tells of properties without decorators, and nothing of what a function makes', () => {
    expect(propertiesOf(Plain)).toStrictEqual({
      owner: {},
      currency: { type: 'string', default: 'EUR' },
      country: { type: 'string', default: 'NO' },
      weight: {},
      stored_as: { type: 'string' },
    });
  });

  it('has the rules of a class for its subclasses, and not the other way round', () => {
    class Base {
      @IsString() by!: string;
    }
    @Event('sub')
    class Sub extends Base {
      @IsInt() count!: number;
    }
    @Event('base')
    class Named extends Base {}
    expect(propertiesOf(Sub)).toStrictEqual({ by: { type: 'string' }, count: { type: 'integer' } });
    expect(propertiesOf(Named)).toStrictEqual({ by: { type: 'string' } });
  });

  describe('of an event with a schema', () => {
    const schema = z.object({
      id: z.uuid(),
      cents: z.int().positive(),
      due: z.date(),
      note: z.string().max(3).nullable().optional(),
      line: z.object({ sku: z.string().min(2) }).meta({ id: 'Line' }),
      paid: z.object({ cents: z.number(), currency: z.string() }),
      price: z.object({ cents: z.number(), currency: z.string() }).optional(),
      country: z.string(),
    });

    @Event('described', { schema })
    class Described {
      id!: string;
      cents!: number;
      @Type(() => Date) due!: Date;
      note?: string | null;
      line!: object;
      @Type(() => Price) paid!: Price;
      @Type(() => Line) price?: Line['price'];
      country = 'NO';
      extra?: string;
    }

    it('has what the library tells, but of what is stored otherwise', () => {
      expect(schemaOf(Described)).toMatchObject({
        required: ['id', 'cents', 'due', 'line', 'paid'],
        properties: {
          id: { type: 'string', format: 'uuid' },
          cents: { type: 'integer', exclusiveMinimum: 0 },
          due: { type: 'string', format: 'date-time' },
          note: { anyOf: [{ type: 'string', maxLength: 3 }, { type: 'null' }] },
          line: { $ref: '#/definitions/Line' },
          paid: { $ref: '#/definitions/Price' },
          price: { anyOf: [{ $ref: '#/definitions/Line2' }, { type: 'array', items: { $ref: '#/definitions/Line2' } }] },
          country: { type: 'string', default: 'NO' },
          extra: {},
        },
        definitions: { Line: { properties: { sku: { minLength: 2 } } }, Line2: { properties: { price: {} } } },
      });
    });

    it('has no pattern of a known format, and no bounds of all whole numbers', () => {
      const { id, cents } = propertiesOf(Described);
      expect([id, cents]).toStrictEqual([
        { type: 'string', format: 'uuid' },
        { type: 'integer', exclusiveMinimum: 0 },
      ]);
    });

    it('judges by it', () => {
      const data = { id, cents: 1, due: day, line: { sku: 'ab' }, paid: { cents: 1, currency: 'EUR' }, country: 'SE' };
      const judges = judge(Described);
      expect(judges(stored(Described, data))).toBe(true);
      for (const changed of [{ cents: 0 }, { due: 5 }, { line: { sku: 'a' } }, { note: 'long' }, { id: undefined }, { id: 'a' }])
        expect(judges({ ...stored(Described, data), ...changed })).toBe(false);
    });

    it('has the shape of the class where the library tells nothing, or not by property', () => {
      const recursive: z.ZodType = z.object({ text: z.string(), answers: z.lazy(() => z.array(recursive)) });
      const standard = { version: 1, vendor: 'mine', validate: (value: unknown) => ({ value }) } as const;
      const jsonSchema = {
        input: () => {
          throw new Error('not of that');
        },
        output: () => ({}),
      };
      const throwing = { ...standard, jsonSchema };
      const silent = [{ '~standard': standard }, { '~standard': throwing }, recursive, z.union([z.object({ text: z.string() })])];
      for (const schema of silent as StandardSchema[]) {
        @Event('silent', { schema })
        class Silent {
          @IsString() text!: string;
        }
        expect(schemaOf(Silent)).toMatchObject({ properties: { text: { type: 'string' } }, required: ['text'] });
      }
    });
  });

  it('names each event by its stored name, in order', () => {
    expect(Object.keys(Registry.of([Stored, Plain, Rules]).toJsonSchema())).toStrictEqual(['plain', 'rules', 'stored']);
  });

  it('tells what an event is read from beside', () => {
    @Event('tea.made', { version: 2, aliases: ['TeaMade'] })
    class Made {}
    const upcasters = [upcasts('tea.made', { from: 1, to: 2 }, (data: object) => data)];
    const { 'tea.made': schema } = Registry.of([Made], () => [], { upcasters }).toJsonSchema();
    expect(schema?.['$comment']).toBe('Also stored as TeaMade. Read from tea.made version 1 (upcasts("tea.made", from 1)).');
    expect(Registry.of([Plain]).toJsonSchema()['plain']).not.toHaveProperty('$comment');
  });
});
