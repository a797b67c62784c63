import { Type } from 'class-transformer';
import { Allow, IsNotIn, IsString, ValidateNested } from 'class-validator';
import { createEvent, Event, type Position, type RecordedEvent, Registry, UpcastError, upcasts } from 'eventfold';
import { z } from 'zod';

@Event('order.placed', { version: 2 })
class Placed {
  orderId!: string;
  lines!: object[];
}

function recorded(schemaVersion: number): RecordedEvent {
  return {
    id: 'e',
    type: 'order.placed',
    schemaVersion,
    stream: 'Order:a',
    version: 1,
    position: '1' as Position,
    metadata: {},
    time: '2001-02-03T04:05:06.000Z',
    tags: [],
    data: {},
  };
}

function errorOf(schemaVersion: number, result: object = {}): Error {
  const made = upcasts('order.placed', { from: 1, to: 2 }, () => result);
  try {
    Registry.of([Placed], () => [], { upcasters: [made] }).upcasting.parts(recorded(schemaVersion));
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not throw.');
}

function cyclic(data: { readonly lines: object[] }): object {
  data.lines.push(data);
  return data;
}

/** Data that throws when it is read. */
function throwing(thrown: unknown): object {
  return {
    get orderId(): string {
      throw thrown;
    },
  };
}

describe('upcast', () => {
  it.each<[string, object, RegExp]>([
    [
      'data that holds itself',
      cyclic({ lines: [] }),
      / refers back to itself, or is nested too deeply: it is not that of Placed\.$/,
    ],
    [
      'an instance that holds itself',
      cyclic(Object.assign(new Placed(), { lines: [] })),
      / refers back to an object that contains it/,
    ],
    ['a getter that throws', throwing(new Error('no such order')), /Error: no such order/],
    ['a getter that throws a RangeError', throwing(new RangeError('too far')), /RangeError: too far/],
    ['a getter that throws text', throwing('no'), /"no"/],
    [
      'a getter of an instance that throws',
      Object.create(Placed.prototype, Object.getOwnPropertyDescriptors(throwing(new Error('no such order')))) as object,
      /Error: no such order/,
    ],
  ])('says what is wrong with %s', (_, result, problem) => {
    const error = errorOf(1, result);
    expect(error).toBeInstanceOf(UpcastError);
    expect(error.message).toMatch(problem);
    expect(error.message).not.toMatch(/an object of/);
  });

  it.each([new Map([['orderId', 'a']]), new Set(), new Date(0)])('says that %p is no data', (result) => {
    expect(errorOf(1, result).message).toMatch(/returned an object of (?:Map|Set|Date); return the data of the next version/);
  });

  it.each<[string, object, string | undefined]>([
    ['what it asks for', { orderId: 'a', pieces: 1 }, undefined],
    ['more than that', { orderId: 'a', pieces: 1, note: 'n' }, undefined],
    ['what has broken a rule', { orderId: '', pieces: -1 }, undefined],
    ['the data of another event', { name: 'a' }, 'data that is not of Packed: "orderId" is missing.'],
    ['text for a number', { orderId: 'a', pieces: '1' }, 'data whose "pieces" is a string where the class declares a number'],
  ])('holds %s against the schema of an event', (_, result, problem) => {
    const schema = z.object({ orderId: z.string().min(1), pieces: z.int().positive(), note: z.string().optional() });
    @Event('order.packed', { version: 2, schema })
    class Packed {
      orderId!: string;
      pieces!: number;
      note?: string;
    }
    const upcasters = [upcasts(Packed, { from: 1, to: 2 }, () => result)];
    const { upcasting } = Registry.of([Packed], () => [], { upcasters });
    const read = () => upcasting.parts({ ...recorded(1), type: 'order.packed' })[0]?.data;
    if (problem === undefined) expect(read()).toMatchObject(result);
    else expect(read).toThrow(`returned ${problem}`);
  });

  it('asks for no property that may be missing when an event is emitted', () => {
    @Event('order.shipped', { version: 2 })
    class Shipped {
      @IsString() orderId!: string;
      @Allow() note?: string;
      @ValidateNested() @Type(() => Placed) order?: Placed;
      @IsNotIn(['x']) by?: string;
    }
    const upcasters = [upcasts(Shipped, { from: 1, to: 2 }, (data) => data)];
    const read = (data: object) =>
      Registry.of([Shipped], () => [], { upcasters }).upcasting.parts({ ...recorded(1), type: 'order.shipped', data });
    expect(read({ orderId: 'a' })[0]?.data).toStrictEqual(createEvent(Shipped, { orderId: 'a' }));
    expect(() => read({})).toThrow(/"orderId" is missing/);
  });

  it('takes a function that is written with the word', () => {
    function withLines(data: object) {
      return { ...data, orderId: 'a', lines: [] };
    }
    const upcasters = [upcasts(Placed, { from: 1, to: 2 }, withLines)];
    const [read] = Registry.of([Placed], () => [], { upcasters }).upcasting.parts(recorded(1));
    expect(read?.data).toStrictEqual(Object.assign(new Placed(), { orderId: 'a', lines: [] }));
  });

  it.each([0, 1.5, Number.NaN])('suggests no upcaster from version %p, which none can lead on from', (version) => {
    expect(errorOf(version).message).toBe(
      `Event e at 1, of type "order.placed", is of version ${version}, which no upcaster reads. Versions begin with 1: set the version of the stored row to the one that its data is of.`,
    );
  });
});
