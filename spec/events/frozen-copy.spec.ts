import { createEvent, Event, InMemoryEventStore, UnstorablePayloadError } from 'eventfold';
import * as fc from 'fast-check';
import { frozenCopy, guardedCopy, holdsMutable } from '../../lib/events/frozen-copy';

class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}

  get text() {
    return `${this.amount} ${this.currency}`;
  }
}

class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }
}

const refusal = (data: object): UnstorablePayloadError => {
  try {
    frozenCopy(data, 'some.type');
  } catch (error) {
    expect(error).toBeInstanceOf(UnstorablePayloadError);
    return error as UnstorablePayloadError;
  }
  throw new Error('It was copied, but was to be refused.');
};

describe('frozenCopy', () => {
  it('is equal to what it was made from, prototypes included, and shares nothing that could change', () => {
    const data = {
      text: 'x',
      number: 1.5,
      big: 10n ** 30n,
      yes: true,
      nothing: null,
      missing: undefined,
      list: [1, [2, { three: 3 }]],
      date: new Date('2001-01-01T00:00:00Z'),
      map: new Map<unknown, unknown>([['a', { b: 1 }]]),
      set: new Set([{ c: 1 }]),
      money: new Money(5, 'EUR'),
      bare: Object.assign(Object.create(null), { d: 1 }),
    };
    const copy = frozenCopy(data, 't');
    expect(copy).toStrictEqual(data);
    expect(copy.money.text).toBe('5 EUR');
    for (const key of ['list', 'date', 'map', 'set', 'money', 'bare'] as const) expect(copy[key]).not.toBe(data[key]);
    expect(copy.map.get('a')).not.toBe(data.map.get('a'));
  });

  it('is frozen at every depth', () => {
    const copy = frozenCopy({ a: { b: [{ c: 1 }] }, map: new Map([['k', { v: 1 }]]), set: new Set([[1]]) }, 't');
    expect(() => Object.assign(copy, { x: 1 })).toThrow(TypeError);
    expect(() => Object.assign(copy.a.b[0] as object, { c: 2 })).toThrow(TypeError);
    expect(() => copy.a.b.push({ c: 2 })).toThrow(TypeError);
    expect(() => Object.assign(copy.map.get('k') as object, { v: 2 })).toThrow(TypeError);
    expect(() => [...copy.set][0]?.push(2)).toThrow(TypeError);
  });

  it('does not freeze what it was made from', () => {
    const data = { list: [1], nested: { a: 1 } };
    frozenCopy(data, 't');
    data.list.push(2);
    data.nested.a = 2;
    expect(data).toEqual({ list: [1, 2], nested: { a: 2 } });
  });

  it('returns flat data that is frozen already as it is', () => {
    const data = Object.freeze({ a: 1, b: 'x' });
    expect(frozenCopy(data, 't')).toBe(data);
  });

  it('does not trust a frozen object with mutable data in it', () => {
    const inner = { b: 1 };
    const copy = frozenCopy(Object.freeze({ inner }), 't');
    inner.b = 2;
    expect(copy.inner.b).toBe(1);
  });

  it('allows an object to stand in two places, but not in itself', () => {
    const twice = { x: 1 };
    expect(frozenCopy({ a: twice, b: [twice, twice] }, 't')).toStrictEqual({ a: twice, b: [twice, twice] });
    const cyclic: { a: { back?: unknown } } = { a: {} };
    cyclic.a.back = cyclic;
    expect(refusal(cyclic)).toMatchObject({ path: 'a.back', type: 'some.type' });
    const list: unknown[] = [];
    list.push([list]);
    expect(refusal({ list })).toMatchObject({ path: 'list[0][0]' });
    const map = new Map<string, unknown>();
    map.set('self', map);
    expect(refusal({ map })).toMatchObject({ path: 'map<self>' });
  });

  it.each([
    ['NaN', Number.NaN, /NaN, which JSON has no word for/],
    ['infinity', Number.NEGATIVE_INFINITY, /-Infinity/],
    ['a function', () => 1, /a function/],
    ['a class', Money, /a function/],
    ['a symbol', Symbol('x'), /a symbol/],
    ['an invalid date', new Date('x'), /an invalid date/],
    ['a promise', Promise.resolve(1), /Promise/],
    ['a weak map', new WeakMap(), /WeakMap/],
    ['a regular expression', /x/, /RegExp/],
    ['an error', new TypeError('x'), /TypeError/],
    ['bytes', Buffer.from('x'), /Buffer/],
    ['a typed array', new Float64Array(1), /Float64Array/],
    ['an array buffer', new ArrayBuffer(1), /ArrayBuffer/],
    ['a URL', new URL('http://a.b'), /URL/],
    ['a boxed text', Object('x'), /String/],
    ['an instance with private fields', new Secret('x'), /Secret/],
    ['a generator', (function* () {})(), /whose state cannot be stored/],
  ])('refuses %s anywhere, and says where', (_what, value, reason) => {
    for (const [data, path] of [
      [{ value }, 'value'],
      [{ a: [{ value }] }, 'a[0].value'],
      [{ a: new Map([['k', value]]) }, 'a<k>'],
      [{ a: new Set([value]) }, 'a{0}'],
    ] as const) {
      const error = refusal(data);
      expect(error).toMatchObject({ code: 'UNSTORABLE_PAYLOAD', type: 'some.type', path });
      expect(error.reason).toMatch(reason);
      expect(error.message).toContain(path);
    }
  });

  it('refuses a property named __proto__', () => {
    expect(refusal(JSON.parse('{"a":{"__proto__":{"isAdmin":true}}}'))).toMatchObject({ path: 'a' });
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it('equals any storable data, and is deeply frozen', () => {
    const storable = fc.object({
      values: [fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.bigInt(), fc.constant(null)],
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
    });
    fc.assert(
      fc.property(storable, (data) => {
        fc.pre(!hasInvalidDate(data) && !JSON.stringify(data, noBigint).includes('__proto__'));
        const copy = frozenCopy(data as object, 't');
        expect(copy).toStrictEqual(data);
        expect(isDeeplyFrozen(copy)).toBe(true);
      }),
    );
  });
});

describe('guardedCopy', () => {
  it('copies what freezing does not protect, and nothing else', () => {
    const plain = frozenCopy({ a: { b: [1] } }, 't');
    expect(guardedCopy(plain, 't')).toBe(plain);
    const dated = frozenCopy({ a: { at: new Date(0) } }, 't');
    const copy = guardedCopy(dated, 't');
    copy.a.at.setTime(5);
    expect(dated.a.at.getTime()).toBe(0);
  });
});

describe('holdsMutable', () => {
  it('finds dates, maps and sets at any depth', () => {
    expect([{ a: 1 }, { a: [null, { b: 'x' }] }, 5, null].map(holdsMutable)).toEqual([false, false, false, false]);
    expect([{ a: [new Date()] }, { a: { b: new Map() } }, new Set()].map(holdsMutable)).toEqual([true, true, true]);
  });
});

describe('the store', () => {
  it('keeps its own copy of data that is itself a frozen map', async () => {
    const data = Object.freeze(new Map([['a', 1]]));
    const store = new InMemoryEventStore();
    await store.append([{ stream: 's', guard: { version: 'none' }, events: [{ type: 'at', data }] }]);
    data.set('a', 2);
    for await (const event of store.read({})) expect(event.data).toStrictEqual(new Map([['a', 1]]));
  });

  it('keeps its own copy of what createEvent gave', async () => {
    @Event('at')
    class At {
      when!: Date;
    }
    const event = createEvent(At, { when: new Date(0) });
    const store = new InMemoryEventStore();
    await store.append([{ stream: 's', guard: { version: 'none' }, events: [{ type: 'at', data: event }] }]);
    event.when.setTime(5);
    for await (const { data } of store.read({})) expect((data as At).when.getTime()).toBe(0);
  });
});

function noBigint(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map || value instanceof Set ? [...value] : value;
}

function hasInvalidDate(value: unknown): boolean {
  if (value instanceof Date) return Number.isNaN(value.getTime());
  if (value instanceof Map) return [...value].flat().some(hasInvalidDate);
  if (value instanceof Set) return [...value].some(hasInvalidDate);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInvalidDate);
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  return Object.isFrozen(value) && parts.every(isDeeplyFrozen);
}
