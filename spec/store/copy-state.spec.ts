import { copyState } from '../../lib/store/copy-state';

class Leg {
  constructor(readonly to: string) {}
}

class Trip {
  legs: Leg[] = [];
  name = 'a trip';
  readonly tell = () => this.name;
}

describe('copyState', () => {
  it.each<[string, object]>([
    ['plain values', Object.assign(new Trip(), { none: null, missing: undefined, big: 2n ** 99n, flag: true })],
    ['instances within', Object.assign(new Trip(), { legs: [new Leg('a'), new Leg('b')] })],
    ['dates, maps and sets', { at: new Date(7), map: new Map([[{ a: 1 }, new Set([new Leg('a')])]]) }],
    [
      'bytes',
      {
        bytes: new Uint8Array([1, 2, 3]),
        text: Buffer.from('text'),
        raw: new ArrayBuffer(2),
        view: new DataView(new ArrayBuffer(1)),
      },
    ],
    ['errors and patterns', { error: Object.assign(new RangeError('no'), { code: 'NO' }), pattern: /a+/gi }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['keys that are prototype names', JSON.parse('{ "in": { "__proto__": { "a": 1 }, "constructor": 2 } }') as object],
    ['an own __proto__', JSON.parse('{ "__proto__": { "a": 1 } }') as object],
    ['symbols as keys', Object.assign(new Leg('a'), { [Symbol.for('a')]: 1 })],
    ['holes and properties in an array', { list: Object.assign(new Array<number>(3), { 1: 7, extra: true }) }],
    [
      'an instance of a class that extends a built-in one',
      { map: new (class Ledger extends Map<string, number> {})([['a', 1]]) },
    ],
  ])('copies %s', (_what, state) => {
    const copy = copyState(state);
    expect(copy).toStrictEqual(state);
    expect(copy).not.toBe(state);
    expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(state));
    expect(Reflect.ownKeys(copy)).toStrictEqual(Reflect.ownKeys(state));
  });

  it('shares nothing that can be changed', () => {
    const state = { trip: new Trip(), at: new Date(7), map: new Map([['a', new Set([1])]]), bytes: new Uint8Array([1]) };
    const copy = copyState(state);
    state.trip.legs.push(new Leg('a'));
    state.trip.name = 'another';
    state.at.setTime(8);
    state.map.get('a')?.add(2);
    state.bytes[0] = 9;
    expect([copy.trip.legs, copy.trip.name]).toStrictEqual([[], 'a trip']);
    expect([copy.at, copy.map, copy.bytes]).toStrictEqual([new Date(7), new Map([['a', new Set([1])]]), new Uint8Array([1])]);
  });

  it('keeps what is one object one object, also in a cycle', () => {
    const leg = new Leg('a');
    const state: { first: Leg; second: Leg; self?: object } = { first: leg, second: leg };
    state.self = state;
    const copy = copyState(state);
    expect(copy.first).toBe(copy.second);
    expect(copy.first).not.toBe(leg);
    expect(copy.self).toBe(copy);
  });

  it('copies an instance whose earlier ones were flat', () => {
    const [flat, deep] = [new Leg('a'), Object.assign(new Leg('b'), { stops: [new Leg('c')] })];
    expect(copyState(flat)).toStrictEqual(flat);
    const copy = copyState(deep);
    expect(copy).toStrictEqual(deep);
    expect(copy.stops[0]).not.toBe(deep.stops[0]);
  });

  it('fails where a property cannot be read', () => {
    const broken = Object.defineProperty(new Leg('a'), 'via', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    expect(() => copyState(broken)).toThrow('no');
  });
});
