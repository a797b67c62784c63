import { Type } from 'class-transformer';
import { IsOptional, IsString, ValidateNested } from 'class-validator';
import { createEvent, Event, UnstorablePayloadError } from 'eventfold';
import * as fc from 'fast-check';
import { encodePayload } from '../../lib/events/payload-codec';
import { isDeeplyFrozen, refusal, roundTrip } from './round-trip';

const Declared = () => Reflect.metadata('by', 'a compiler that emits the types of decorated properties');

class Money {
  @Type(() => BigInt) cents!: bigint;
  @IsString() currency = 'EUR';

  get text() {
    return `${this.cents} ${this.currency}`;
  }
}

class Line {
  @IsString() name!: string;
  @Type(() => Money) price?: Money | null;
  @Type(() => Line) parts?: Line[];
}

class Basic {
  @Type(() => Date) begun?: Date;
}

class Everything extends Basic {
  id!: string;
  count?: number;
  isPaid?: boolean;
  json?: unknown;
  @Declared() at?: Date;
  @Declared() big?: bigint;
  @Declared() total?: Money;
  @Declared() prices?: Map<string, number>;
  @Declared() marks?: Set<string>;
  @Declared() words?: string[];
  @Type(() => Date) days?: Date[];
  @Type(() => Date) calendar?: Date[][];
  @Type(() => Line) lines?: Line[];
  @Type(() => Line) first?: Line;
  @Type(() => Date) due?: Map<string, Date>;
  @Type(() => Line) byNumber?: Map<number, Line>;
  @Type(() => Line) grouped?: Map<string, Line[]>;
  @Type(() => BigInt) numbers?: Set<bigint>;
  @Type(() => Map) maps?: Map<string, number>[];
  @Type(() => Date) maybe?: Date | null;
}

const make = <E extends object>(target: new () => E, data: Partial<E>): E => Object.assign(new target(), data);
const money = (cents: bigint) => make(Money, { cents });
const line = (name: string, more: Partial<Line> = {}) => make(Line, { name, ...more });
const at = new Date('2001-02-03T04:05:06.789Z');

describe('encodePayload', () => {
  it('stores each type as it says', () => {
    const event = make(Everything, {
      at,
      big: 2n ** 64n,
      total: money(5n),
      prices: new Map([['a', 1]]),
      marks: new Set(['x']),
      due: new Map([['a', at]]),
      numbers: new Set([1n]),
      lines: [line('a', { price: money(1n) })],
    });
    expect(JSON.parse(encodePayload(event, 't'))).toStrictEqual({
      at: '2001-02-03T04:05:06.789Z',
      big: '18446744073709551616',
      total: { cents: '5', currency: 'EUR' },
      prices: [['a', 1]],
      marks: ['x'],
      due: [['a', '2001-02-03T04:05:06.789Z']],
      numbers: ['1'],
      lines: [{ name: 'a', price: { cents: '1', currency: 'EUR' } }],
    });
  });

  it.each<[string, Partial<Everything>]>([
    ['text', { id: 'naïve 漢字 🙂 "quoted" \\ \n\t \u2028' }],
    ['NUL and half a pair', { id: 'a\u0000b\ud83d' }],
    ['numbers', { count: 5e-324 }],
    ['JSON values', { json: { a: [1, [null, { b: { c: '' } }], true], d: {}, constructor: 'a key', 'odd key.$': [] } }],
    ['a date', { at }],
    ['a date of long ago', { at: new Date(-8.64e15) }],
    ['an inherited date', { begun: at }],
    ['text that looks like a date', { id: '2001-02-03T04:05:06.789Z', json: ['2001-02-03T04:05:06.789Z'] }],
    ['text that looks like a bigint', { id: '123' }],
    ['null where a date is declared', { maybe: null, at: null as never }],
    ['a bigint', { big: -(10n ** 30n) }],
    ['a class', { total: money(1n) }],
    ['a map', { prices: new Map([['a', 1]]) }],
    ['an empty map and an empty set', { prices: new Map(), marks: new Set(), due: new Map() }],
    ['a set', { marks: new Set(['a', 'b']) }],
    ['an array', { words: ['a', 'b'] }],
    ['an array of dates', { days: [at, null as never] }],
    ['arrays of arrays of dates', { calendar: [[at], []] }],
    ['an array of classes', { lines: [line('a'), line('b', { price: null })] }],
    ['a class that holds its own kind', { first: line('a', { parts: [line('b', { parts: [line('c')] })] }) }],
    ['a map of dates', { due: new Map([['a', at]]) }],
    ['a map of classes by number', { byNumber: new Map([[1.5, line('a', { price: money(2n) })]]) }],
    ['a map of arrays of classes', { grouped: new Map([['a', [line('a')]]]) }],
    ['a set of bigints', { numbers: new Set([1n, 2n]) }],
    ['an array of maps', { maps: [new Map([['a', 1]]), new Map()] }],
  ])('gives back %s, and freezes it', (_what, data) => {
    const event = make(Everything, { id: 'e', ...data });
    const back = roundTrip(event);
    expect(back).toStrictEqual(event);
    expect(isDeeplyFrozen(back)).toBe(true);
  });

  it('keeps the methods of what it gives back', () => {
    const back = roundTrip(make(Everything, { total: money(7n), lines: [line('a', { price: money(8n) })] }));
    expect([back.total?.text, back.lines?.[0]?.price?.text]).toStrictEqual(['7 EUR', '8 EUR']);
  });

  it('stores what createEvent makes, with the plain objects that were given for classes', () => {
    @Event()
    class Ordered {
      @IsString() id!: string;
      @ValidateNested() total!: Money;
      @IsOptional() @ValidateNested({ each: true }) @Type(() => Line) lines?: Line[];
      @Type(() => Date) due!: Map<string, Date>;
    }
    const total = { cents: 5n, currency: 'USD' } as Money;
    const event = createEvent(Ordered, { id: 'a', total, lines: [{ name: 'x' }], due: new Map([['a', at]]) });
    expect(event.total.text).toBe('5 USD');
    expect(roundTrip(event)).toStrictEqual(event);
  });

  it('stores a plain object as JSON, whatever made it', () => {
    const data = { a: [1, { b: null }], c: 'x' };
    expect(encodePayload(data, 't')).toBe(JSON.stringify(data));
    expect(encodePayload(Object.assign(Object.create(null), data), 't')).toBe(JSON.stringify(data));
    expect(encodePayload({}, 't')).toBe('{}');
  });

  it('leaves out undefined properties', () => {
    expect(encodePayload(make(Everything, { id: 'a' }), 't')).toBe('{"id":"a"}');
    expect(encodePayload({ a: undefined, b: { c: undefined } }, 't')).toBe('{"b":{}}');
  });

  it('asks no toJSON, and no class that inherits from another', () => {
    class Odd {
      value = 1;
      @Type(() => Odd) inner?: Odd;

      toJSON() {
        return 'something else';
      }
    }
    const odd = make(Odd, { inner: new Odd() });
    expect(encodePayload(odd, 't')).toBe('{"value":1,"inner":{"value":1}}');
    expect(roundTrip(odd)).toStrictEqual(odd);
  });

  it('does not change what it is given', () => {
    const event = make(Everything, { at, lines: [line('a')] });
    const before = { ...event };
    encodePayload(event, 't');
    expect({ ...event }).toStrictEqual(before);
    expect(Object.isFrozen(event.lines)).toBe(false);
  });

  it.each<[string, object, string, RegExp]>([
    ['a date', make(Everything, { json: at }), 'json', /is a Date, and no decorator says so\. Put @Type\(\(\) => Date\) on it\./],
    ['a bigint', make(Everything, { json: 1n }), 'json', /is a bigint.* Put @Type\(\(\) => BigInt\) on it\./],
    ['a map', make(Everything, { json: new Map() }), 'json', /Put @Type\(\(\) => Map\) on it/],
    ['a class', make(Everything, { json: money(1n) }), 'json', /Put @Type\(\(\) => Money\) on it/],
    ['a date in an array', make(Everything, { json: [[at]] }), 'json[0][0]', /Put @Type\(\(\) => Date\) on "json"/],
    ['a date in a map', make(Everything, { prices: new Map([['a', at as never]]) }), 'prices<a>', /=> Date\) on "prices"/],
    ['a class in a set', make(Everything, { marks: new Set([money(1n) as never]) }), 'marks{0}', /=> Money\) on "marks"/],
    ['a date in a class', make(Everything, { lines: [line('a'), line(at as never)] }), 'lines[1].name', /=> Date\) on it/],
    [
      'a date in a plain object',
      make(Everything, { json: { a: [at] } }),
      'json.a[0]',
      /in a plain object\. Plain objects hold JSON/,
    ],
  ])('refuses %s of which no decorator says so, and says what to write', (_what, data, path, message) => {
    const error = refusal(data);
    expect(error.path).toBe(path);
    expect(error.message).toMatch(message);
  });

  it.each<[string, object, string, RegExp]>([
    [
      'text for a date',
      make(Everything, { at: '2001-01-01' as never }),
      'at',
      /is "2001-01-01" where the class says Date\. Give a Date/,
    ],
    ['a number for a bigint', make(Everything, { big: 5 as never }), 'big', /is 5 where the class says BigInt\. Give a bigint/],
    ['a plain object for a class', make(Everything, { total: { cents: 1n } as never }), 'total', /says Money\. Give a Money/],
    [
      'a subclass',
      make(Everything, { total: new (class Cash extends Money {})() }),
      'total',
      /Name the subclass in a discriminator/,
    ],
    ['an object for an array', make(Everything, { lines: line('a') as never }), 'lines', /where the class says Array/],
    ['an array for a date', make(Everything, { at: [at] as never }), 'at', /is an array where the class says Date/],
    ['an array for a map', make(Everything, { prices: [] as never }), 'prices', /where the class says Map/],
    ['an array for a set', make(Everything, { marks: [] as never }), 'marks', /where the class says Set/],
    [
      'a key that is an object',
      make(Everything, { prices: new Map([[at as never, 1]]) }),
      'prices',
      /has the key an object of Date/,
    ],
    ['undefined in a map', make(Everything, { due: new Map([['a', undefined as never]]) }), 'due<a>', /is undefined/],
    ['undefined in a set', make(Everything, { marks: new Set([undefined as never]) }), 'marks{0}', /is undefined/],
    [
      'undefined in an array of classes',
      make(Everything, { lines: [undefined as never] }),
      'lines[0]',
      /is undefined.*Give null/,
    ],
    ['a hole in an array', make(Everything, { json: new Array(1) }), 'json[0]', /is undefined.*Give null/],
    [
      'an array with a property',
      make(Everything, { json: Object.assign([1], { x: 1 }) }),
      'json',
      /an array with a property "x"/,
    ],
    ['a class of array', make(Everything, { json: new (class Rows extends Array {})() }), 'json', /whose state cannot be stored/],
    ['an invalid date', make(Everything, { at: new Date(Number.NaN) }), 'at', /is an invalid date/],
    ['a class of date', make(Everything, { at: new (class Day extends Date {})() }), 'at', /would come back as a Date/],
    ['a property named by a symbol', make(Everything, { json: { [Symbol('s')]: 1 } }), 'json', /Symbol\(s\)/],
    ['a default that is undefined', make(Money, { cents: 1n, currency: undefined as never }), 'currency', /Give null/],
  ])('refuses %s, which would come back otherwise', (_what, data, path, message) => {
    const error = refusal(data);
    expect(error.path).toBe(path);
    expect(error.message).toMatch(message);
  });

  it.each<[string, unknown, RegExp]>([
    ['NaN', Number.NaN, /NaN, which JSON has no word for/],
    ['an infinity', Number.NEGATIVE_INFINITY, /-Infinity/],
    ['a function', () => 1, /a function/],
    ['a class', Money, /a function/],
    ['a symbol', Symbol('x'), /a symbol/],
    ['an invalid date', new Date('x'), /an invalid date/],
    ['a promise', Promise.resolve(1), /Promise, whose state cannot be stored/],
    ['bytes', Buffer.from('x'), /Buffer, whose state/],
    ['a URL', new URL('http://a.b'), /URL, whose state/],
    ['a boxed text', Object('x'), /String, whose state/],
    ['a regular expression', /x/, /RegExp, whose state/],
  ])('refuses %s anywhere, and says where', (_what, value, reason) => {
    for (const [data, path] of [
      [{ value }, 'value'],
      [{ a: [{ value }] }, 'a[0].value'],
      [make(Everything, { json: value }), 'json'],
      [make(Everything, { json: { a: value } }), 'json.a'],
      [make(Everything, { lines: [line(value as never)] }), 'lines[0].name'],
      [make(Everything, { prices: new Map([['k', value as number]]) }), 'prices<k>'],
      [make(Everything, { marks: new Set([value as string]) }), 'marks{0}'],
    ] as const) {
      const error = refusal(data);
      expect(error.path).toBe(path);
      expect(error.reason).toMatch(reason);
    }
  });

  it.each<[string, object, RegExp]>([
    ['an array', [], /an array/],
    ['a map', new Map(), /whose state cannot be stored/],
    ['an error', new TypeError('x'), /whose state cannot be stored/],
    ['an object whose class is not known', Object.create(Object.create({})) as object, /its class is not known/],
  ])('refuses %s for data', (_what, data, reason) => {
    expect(refusal(data)).toMatchObject({ path: '', reason: expect.stringMatching(reason) });
  });

  it('refuses an instance with private fields', () => {
    class Secret {
      readonly #value = 1;
      value = () => this.#value;
    }
    class Holder {
      @Type(() => Secret) secret = new Secret();
    }
    expect(refusal(new Secret())).toMatchObject({ path: '', reason: expect.stringMatching(/Secret, whose state/) });
    expect(refusal(new Holder())).toMatchObject({ path: 'secret', reason: expect.stringMatching(/Secret, whose state/) });
  });

  it('refuses a cycle by the property that closes it', () => {
    const cyclic: { a: { back?: unknown }[] } = { a: [{}] };
    (cyclic.a[0] as { back?: unknown }).back = cyclic;
    expect(refusal(cyclic)).toMatchObject({ path: 'a[0].back', reason: expect.stringMatching(/refers back/) });
    const tree = line('a');
    tree.parts = [line('b', { parts: [tree] })];
    expect(refusal(tree)).toMatchObject({ path: 'parts[0].parts[0]', reason: expect.stringMatching(/refers back/) });
  });

  it('refuses what is nested too deeply, and takes what is nested deeply', () => {
    const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as unknown;
    expect(roundTrip(make(Everything, { json: nested(400) })).json).toStrictEqual(nested(400));
    for (const levels of [600, 100_000]) expect(refusal({ a: nested(levels) }).reason).toBe('is nested too deeply');
  });

  it('names the getter that throws', () => {
    const broken = (object: object) =>
      Object.defineProperty(object, 'broken', {
        enumerable: true,
        get() {
          throw new RangeError('mine');
        },
      });
    for (const [data, path] of [
      [broken({}), 'broken'],
      [broken(make(Everything, {})), 'broken'],
      [make(Everything, { lines: [broken(line('a')) as Line] }), 'lines[0].broken'],
    ] as const) {
      const error = refusal(data);
      expect(error).toMatchObject({ path, cause: new RangeError('mine') });
    }
  });

  it('refuses a property named __proto__', () => {
    for (const data of [{}, make(Everything, {})]) {
      Object.defineProperty(data, '__proto__', { enumerable: true, value: { isAdmin: true } });
      expect(refusal(data).message).toContain('__proto__');
    }
    expect(refusal({ a: JSON.parse('{"__proto__":1}') })).toMatchObject({ path: 'a' });
  });

  it('remembers only so much of a class that is a dictionary', () => {
    class Scores {
      [player: string]: number;
    }
    const scores = make(Scores, Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`p${index}`, index])));
    expect(roundTrip(scores)).toStrictEqual(scores);
  });
});

describe('What encodePayload accepts', () => {
  const unit = fc.oneof(
    fc.constantFrom('a', 'b', '0', '\u0000', '"'),
    fc.nat(0xffff).map((code) => String.fromCharCode(code)),
  );
  const text = fc.string({ unit }); // half pairs included
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  const jsonValue = fc.jsonValue({ stringUnit: 'binary' }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const date = fc.date({ noInvalidDate: true });
  const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null }) as fc.Arbitrary<T>;
  const lineOf = fc.letrec<{ line: Line }>((tie) => ({
    line: fc
      .record(
        {
          name: text,
          price: some(fc.bigInt().map(money)),
          parts: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie('line'), { maxLength: 2 })),
        },
        { requiredKeys: ['name'] },
      )
      .map((data) => make(Line, data as Partial<Line>)),
  })).line;
  const everything = fc
    .record(
      {
        id: text,
        count: number,
        isPaid: fc.boolean(),
        json: jsonValue,
        begun: some(date),
        at: some(date),
        big: some(fc.bigInt()),
        total: some(fc.bigInt().map(money)),
        prices: some(fc.array(fc.tuple(text, number)).map((pairs) => new Map(pairs))),
        marks: some(fc.array(text).map((items) => new Set(items))),
        words: fc.array(some(text)),
        days: fc.array(some(date)),
        calendar: fc.array(fc.array(date)),
        lines: some(fc.array(lineOf)),
        first: some(lineOf),
        due: fc.array(fc.tuple(text, some(date))).map((pairs) => new Map(pairs)),
        byNumber: fc.array(fc.tuple(number, lineOf)).map((pairs) => new Map(pairs)),
        grouped: fc.array(fc.tuple(text, fc.array(lineOf))).map((pairs) => new Map(pairs)),
        numbers: fc.array(fc.bigInt()).map((items) => new Set(items)),
        maps: fc.array(fc.array(fc.tuple(text, number)).map((pairs) => new Map(pairs))),
      },
      { requiredKeys: ['id'] },
    )
    .map((data) => make(Everything, data as Partial<Everything>));

  it('comes back equal', () => {
    fc.assert(
      fc.property(everything, (event) => {
        fc.pre(!JSON.stringify(event, noBigint).includes('__proto__'));
        const back = roundTrip(event);
        expect(back).toStrictEqual(event);
        expect(isDeeplyFrozen(back)).toBe(true);
      }),
    );
  });

  it('comes back equal, or is refused with its property, whatever stands wherever', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true });
    const key = fc.constantFrom('id', 'json', 'at', 'big', 'total', 'prices', 'marks', 'days', 'lines', 'due', 'numbers', 'maps');
    let accepted = 0;
    fc.assert(
      fc.property(everything, key, fc.oneof(anything, jsonValue, date), (event, property, value) => {
        fc.pre(value !== undefined && !holdsUndefinedOrMinusZero(value));
        fc.pre(!JSON.stringify(event, noBigint).includes('__proto__'));
        (event as unknown as Record<string, unknown>)[property] = value;
        try {
          expect(roundTrip(event)).toStrictEqual(event);
          accepted += 1;
        } catch (error) {
          if (!(error instanceof UnstorablePayloadError)) throw error;
          expect(error.path.startsWith(property)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});

function noBigint(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map || value instanceof Set ? [...value] : value;
}

function holdsUndefinedOrMinusZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Object.values(value).some(holdsUndefinedOrMinusZero);
}
