import { Type } from 'class-transformer';
import { IsBoolean, IsDefined, IsInt, IsOptional, IsPositive, IsString, ValidateIf } from 'class-validator';
import { Event, InMemoryEventStore, type RecordedEvent, UnreadablePayloadError } from 'eventfold';
import { z } from 'zod';
import { decode } from '../../lib/events/decode';
import { createEvent } from '../../lib/metadata/create-event';
import { decoded, isDeeplyFrozen, stored } from './round-trip';

class Part {
  size!: number;
}

@Event('assembled')
class Assembled {
  id!: string;
  state = 'new';
  @Type(() => Part) parts?: Part[];
}

class Ruled {
  @IsPositive() sum?: number;
  @IsOptional() @IsString() note?: string | null;
  @IsBoolean() isPaid?: boolean;
  @IsInt({ each: true }) sizes?: number[];
  @IsDefined() free?: number;
  @ValidateIf(() => false) @IsInt() maybe?: number;
}

class Part2 {
  @Type(() => Date) made?: Date;
}

class Typed {
  @Type(() => Date) at?: Date;
  @Type(() => BigInt) big?: bigint;
  @Reflect.metadata('by', 'the compiler') map?: Map<string, number>;
  @Reflect.metadata('by', 'the compiler') set?: Set<number>;
  @Type(() => Date) days?: Map<string, Date>;
  @Type(() => Part2) part?: Part2;
  @Type(() => Part2) parts?: Part2[];

  get computed() {
    return 1;
  }
}

class Built {
  constructor(readonly made: string) {
    if (made === undefined) throw new Error('This constructor must not run.');
  }
}

class Failing {
  constructor() {
    throw new Error('mine');
  }
}

async function recorded(data: object): Promise<RecordedEvent> {
  const store = new InMemoryEventStore();
  const { events } = await store.append([{ stream: 's', guard: { version: 'none' }, events: [{ type: 'assembled', data }] }]);
  return events[0] as RecordedEvent;
}

describe('decode', () => {
  it.each<[object, string, string]>([
    [{ sum: '1' }, 'sum', 'is a string where the class declares a number'],
    [{ sum: null }, 'sum', 'is null where the class declares a number'],
    [{ sum: [1] }, 'sum', 'is an array where the class declares a number'],
    [{ note: 1 }, 'note', 'is a number where the class declares a string'],
    [{ isPaid: 'no' }, 'isPaid', 'is a string where the class declares a boolean'],
  ])('refuses %j, which no event was emitted with', async (data, path, reason) => {
    const stored = await recorded(data);
    expect(() => decode(stored, { class: Ruled })).toThrow(expect.objectContaining({ code: 'UNREADABLE_PAYLOAD', path, reason }));
  });

  it('refuses what is of another kind than the schema of its event names', async () => {
    const schema = z.object({ sum: z.int(), at: z.date(), big: z.bigint(), note: z.string().nullish() });
    class Described {
      sum!: number;
      @Type(() => Date) at!: Date;
      @Type(() => BigInt) big!: bigint;
      note?: string | null;
    }
    const whole = { sum: 1, at: '2001-02-03', big: '5', note: null };
    expect(decode(await recorded(whole), { class: Described, schema }).data).toMatchObject({ sum: 1, big: 5n });
    const damaged = await recorded({ ...whole, sum: '1' });
    const reason = 'is a string where the class declares a number';
    expect(() => decode(damaged, { class: Described, schema })).toThrow(expect.objectContaining({ path: 'sum', reason }));
    expect(decode(await recorded({ sum: -1 }), { class: Described, schema }).data).toMatchObject({ sum: -1 });
  });

  it.each([{ sum: -1 }, { note: null }, {}, { sizes: [1, 2] }, { free: 'x' }, { maybe: 'x' }])(
    'asks no rule of %j: only whether values are of the kind that the rules are about',
    async (data) => {
      expect({ ...decode(await recorded(data), { class: Ruled }).data }).toMatchObject(data);
    },
  );

  it('makes stored data an instance of its class, nested types included, and keeps the rest', async () => {
    const stored = await recorded({ id: 'a', parts: [{ size: 1 }] });
    const event = decode(stored, { class: Assembled }) as RecordedEvent<Assembled>;
    expect(event).toStrictEqual({ ...stored, data: createEvent(Assembled, { id: 'a', state: 'new', parts: [{ size: 1 }] }) });
    expect(event.data.parts?.[0]).toBeInstanceOf(Part);
  });

  it('gives what it makes frozen, as what it was given', async () => {
    const event = decode(await recorded({ id: 'a', parts: [{ size: 1 }] }), { class: Assembled }) as RecordedEvent<Assembled>;
    expect(() => Object.assign(event, { type: 'x' })).toThrow(TypeError);
    expect(() => Object.assign(event.data.parts?.[0] as object, { size: 2 })).toThrow(TypeError);
  });

  it('returns an event that is an instance of the class already', async () => {
    const stored = await recorded(createEvent(Assembled, { id: 'a', state: 'old' }));
    expect(decode(stored, { class: Assembled })).toBe(stored);
  });

  it('does not check the rules of today on the events of yesterday', async () => {
    expect(() => decode({ ...({} as RecordedEvent), data: { id: 5 } }, { class: Assembled })).not.toThrow();
  });

  it('fills in the defaults of today in the events of yesterday, and takes null for null', () => {
    expect(decoded('{"id":"a"}', Assembled)).toStrictEqual(Object.assign(new Assembled(), { id: 'a' }));
    expect(decoded('{"id":null,"state":null}', Assembled)).toMatchObject({ id: null, state: null });
  });

  it('keeps properties that the class no longer has', () => {
    expect(decoded('{"id":"a","gone":{"x":[1]}}', Assembled)).toMatchObject({ gone: { x: [1] } });
  });

  it('does not run a constructor that wants arguments', () => {
    expect(decoded('{"made":"x"}', Built)).toStrictEqual(new Built('x'));
  });

  it('freezes all of what it gives', () => {
    const text = '{"at":"2001-01-01","days":[["a","2001-01-01"]],"map":[["a",1]],"part":{"made":"2001-01-01"},"rest":[{"a":{}}]}';
    expect(isDeeplyFrozen(decoded(text, Typed))).toBe(true);
  });

  it('keeps the context of the event as it is', () => {
    const event = stored({ id: 'a' }, 'assembled');
    const { data: _data, ...context } = decode(event, { class: Assembled });
    const { data: _stored, ...given } = event;
    expect(context).toStrictEqual(given);
  });

  it('takes values that are of the declared type already, as the store in memory keeps them', async () => {
    const data = { at: new Date(0), map: new Map([['a', 1]]), set: new Set([1]), part: new Part2(), big: 1n };
    expect(decode(await recorded(data), { class: Typed }).data).toStrictEqual(Object.assign(new Typed(), data));
  });

  it('takes a whole number for a bigint, as which an older class may have stored it', () => {
    expect(decoded('{"big":5}', Typed)).toMatchObject({ big: 5n });
  });

  it.each<[string, string, RegExp]>([
    ['{"at":"soon"}', 'at', /is "soon", where the class says Date, which is stored as text of a date/],
    ['{"at":"foo 2001"}', 'at', /where the class says Date/],
    ['{"at":"2001-99-99"}', 'at', /where the class says Date/],
    ['{"at":5}', 'at', /is 5, where the class says Date/],
    ['{"at":{}}', 'at', /is an object of Object/],
    ['{"big":"1.5"}', 'big', /where the class says BigInt, which is stored as decimal text/],
    ['{"big":1.5}', 'big', /is 1\.5/],
    ['{"map":{"a":1}}', 'map', /where the class says Map, which is stored as an array of pairs/],
    ['{"map":[["a"]]}', 'map[0]', /is an array, where the class says Map, which is stored as a pair/],
    ['{"set":"x"}', 'set', /where the class says Set/],
    ['{"days":[["a","b"]]}', 'days<a>', /is "b", where the class says Date/],
    ['{"part":"x"}', 'part', /is "x", where the class says Part2, which is stored as an object/],
    ['{"parts":[{},{"made":true}]}', 'parts[1].made', /is true, where the class says Date/],
    ['{"parts":{}}', 'parts', /where the class says Array/],
    ['{"computed":2}', 'computed', /cannot be set in an instance of Typed: TypeError/],
    ['{"__proto__":{"isAdmin":true}}', '__proto__', /a name that would change the class/],
    ['{"__proto__":null}', '__proto__', /a name that would change the class/],
    ['{"rest":[{"__proto__":1}]}', 'rest', /a property named "__proto__"/],
    ['[]', '', /is an array/],
    ['null', '', /is null/],
    ['"text"', '', /is "text"/],
  ])('says of %s which event cannot be read, and where', (text, path, reason) => {
    const error = errorOf(() => decoded(text, Typed));
    const event = { type: 'some.type', id: 'event-1', position: '7' };
    expect(error).toMatchObject({ code: 'UNREADABLE_PAYLOAD', event, path, reason: expect.stringMatching(reason) });
    expect(error.message).toMatch(/^Event event-1 at 7, of type "some\.type", cannot be read: /);
  });

  it('says so, with the cause, when the class cannot be made', () => {
    expect(errorOf(() => decoded('{}', Failing))).toMatchObject({ path: '', cause: new Error('mine') });
  });
});

function errorOf(work: () => unknown): UnreadablePayloadError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadablePayloadError);
    return error as UnreadablePayloadError;
  }
  throw new Error('It was read, but could not have been.');
}
