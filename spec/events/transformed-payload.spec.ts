import { Exclude, Expose, Transform, Type } from 'class-transformer';
import { encodePayload } from '../../lib/events/payload-codec';
import { decoded, isDeeplyFrozen, refusal, roundTrip } from './round-trip';

class Point {
  constructor(
    readonly x = 0,
    readonly y = 0,
  ) {}
}

class Pinned {
  @Expose({ name: 'pin_id' }) id!: string;

  @Transform(({ value }: { value: Point }) => `${value.x};${value.y}`, { toPlainOnly: true })
  @Transform(({ value }: { value: string }) => new Point(...value.split(';').map(Number)), { toClassOnly: true })
  at!: Point;

  @Type(() => Date) when?: Date;

  @Transform(({ value }: { value?: bigint }) => value?.toString(16), { toPlainOnly: true })
  @Transform(({ value }: { value?: string }) => (value === undefined ? undefined : BigInt(`0x${value}`)), { toClassOnly: true })
  big?: bigint;

  @Exclude() password?: string;
  rest?: unknown;
}

class Board {
  name!: string;
  @Type(() => Pinned) pins!: Pinned[];
}

abstract class Shape {
  label?: string;
}

class Circle extends Shape {
  radius!: number;

  get area() {
    return Math.PI * this.radius ** 2;
  }
}

class Square extends Shape {
  @Type(() => BigInt) side!: bigint;
}

class Star extends Shape {
  kind!: string;
}

const subTypes = [
  { name: 'circle', value: Circle },
  { name: 'square', value: Square },
  { name: 'star', value: Star },
];

class Drawn {
  @Type(() => Shape, { discriminator: { property: 'kind', subTypes: subTypes.slice(0, 2) } }) shape?: Shape | null;
  @Type(() => Shape, { discriminator: { property: 'kind', subTypes: subTypes.slice(0, 2) } }) shapes?: Shape[];
  @Type(() => Shape, { discriminator: { property: 'kind', subTypes }, keepDiscriminatorProperty: true }) star?: Shape;
}

const make = <E extends object>(target: new () => E, data: Partial<E>): E => Object.assign(new target(), data);
const pinned = (data: Partial<Pinned> = {}) => make(Pinned, { id: 'p', at: new Point(1, 2), ...data });

describe('A class with @Transform, @Expose or @Exclude', () => {
  it('is stored as class-transformer says, and comes back equal and frozen', () => {
    const event = pinned({ when: new Date(0), big: 2n ** 70n, rest: { a: [1, null] } });
    expect(JSON.parse(encodePayload(event, 't'))).toStrictEqual({
      pin_id: 'p',
      at: '1;2',
      when: '1970-01-01T00:00:00.000Z',
      big: '400000000000000000',
      rest: { a: [1, null] },
    });
    const back = roundTrip(event);
    expect(back).toStrictEqual(event);
    expect(isDeeplyFrozen(back)).toBe(true);
  });

  it('is stored so within another class, and when it is frozen', () => {
    const event = make(Board, { name: 'b', pins: [Object.freeze(pinned()), pinned({ id: 'q' })] });
    expect(roundTrip(event)).toStrictEqual(event);
  });

  it('does not store what it excludes', () => {
    const event = pinned({ password: 'x' });
    expect(encodePayload(event, 't')).not.toContain('password');
    expect(roundTrip(event)).toStrictEqual(pinned());
  });

  it('is refused where its decorators do not undo each other, by the property', () => {
    class Rounded {
      @Transform(({ value }: { value: number }) => Math.round(value)) amount!: number;
    }
    expect(roundTrip(make(Rounded, { amount: 2 }))).toStrictEqual(make(Rounded, { amount: 2 }));
    const error = refusal(make(Board, { name: make(Rounded, {}) as never, pins: [] }));
    expect(error.path).toBe('name');
    const { path, message } = refusal(make(Rounded, { amount: 1.5 }));
    expect(path).toBe('amount');
    expect(message).toMatch(/is 1\.5, and would come back from class-transformer as 2\. Make what its decorators do toClassOnly/);
  });

  it.each<[string, Partial<Pinned>, string, RegExp]>([
    ['a date that is not declared', { rest: new Date(0) }, 'rest', /Put @Type\(\(\) => Date\) on "rest"/],
    ['a bigint that is not declared', { rest: [1n] }, 'rest[0]', /Put @Transform on it, both ways/],
    ['a class that is not declared', { rest: new Point() }, 'rest', /would come back/],
    ['a map', { rest: new Map([['a', 1]]) }, 'rest', /would come back/],
    ['NaN', { rest: Number.NaN }, 'rest', /NaN, which JSON has no word for/],
    ['a function', { rest: { deep: () => 1 } }, 'rest.deep', /is a function/],
    ['an invalid date', { when: new Date(Number.NaN) }, 'when', /an invalid date/],
    ['bytes', { rest: Buffer.from('x') }, 'rest', /whose state cannot be stored/],
  ])('refuses %s, by the property', (_what, data, path, message) => {
    const error = refusal(pinned(data));
    expect(error.path).toBe(path);
    expect(error.message).toMatch(message);
  });

  it('refuses what its own transformation throws at', () => {
    expect(refusal(pinned({ at: undefined as never }))).toMatchObject({ cause: expect.any(TypeError) });
  });

  it('is refused as a cycle by the property that closes it', () => {
    const event = pinned();
    event.rest = { event };
    expect(refusal(event)).toMatchObject({ path: 'rest.event', reason: expect.stringMatching(/refers back/) });
  });
});

describe('A @Type with a discriminator', () => {
  it('stores which class it is, and gives that class back', () => {
    const event = make(Drawn, {
      shape: make(Circle, { radius: 2 }),
      shapes: [make(Square, { side: 5n }), make(Circle, { radius: 1, label: 'x' })],
    });
    expect(JSON.parse(encodePayload(event, 't'))).toStrictEqual({
      shape: { radius: 2, kind: 'circle' },
      shapes: [
        { side: '5', kind: 'square' },
        { radius: 1, label: 'x', kind: 'circle' },
      ],
    });
    const back = roundTrip(event);
    expect(back).toStrictEqual(event);
    expect((back.shape as Circle).area).toBe(4 * Math.PI);
    expect(isDeeplyFrozen(back)).toBe(true);
    expect(roundTrip(make(Drawn, { shape: null }))).toStrictEqual(make(Drawn, { shape: null }));
  });

  it('gives that class back where the classes have no base but Object', () => {
    class Based {
      @Type(() => Object, { discriminator: { property: 'kind', subTypes } }) shape!: Circle | Square;
    }
    const event = make(Based, { shape: make(Square, { side: 5n }) });
    expect(roundTrip(event)).toStrictEqual(event);
    expect(() => decoded('{"shape":{"kind":"line"}}', Based)).toThrow(/names no class/);
  });

  it('leaves the discriminator where it is to be kept', () => {
    const event = make(Drawn, { star: make(Star, { kind: 'star' }) });
    expect(roundTrip(event)).toStrictEqual(event);
    expect(refusal(make(Drawn, { star: new Star() }))).toMatchObject({
      path: 'star.kind',
      message: expect.stringMatching(/Give it "star"/),
    });
  });

  it('refuses a class that it does not name', () => {
    const error = refusal(make(Drawn, { shape: new Star() }));
    expect(error.message).toMatch(/"shape" is an object of Star where the class says Circle or Square/);
  });

  it('cannot be read when no class is of that name', () => {
    expect(() => decoded('{"shape":{"kind":"line"}}', Drawn)).toThrow(
      /"shape\.kind" is "line", which names no class; known are "circle", "square"/,
    );
  });
});
