import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { type Fields, fieldsOfText, Obstacle, textOfFields } from '../../lib/snapshots/state-text';

function read(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(fieldsOfText(textOfFields(new Map(Object.entries(fields)))));
}

function refusal(value: unknown): string {
  try {
    textOfFields(new Map([['field', value]]));
  } catch (error) {
    if (error instanceof Obstacle) return String(error);
    throw error;
  }
  throw new Error('It was written down, but was to be refused.');
}

const anything = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom('$', 'v', '__proto__', 'toJSON', '0', 'constructor')),
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withSparseArray: true,
  withUnicodeString: true,
  maxDepth: 5,
});

class Point {
  x = 1;
}

describe('textOfFields', () => {
  it('writes any state so that it is read back the same', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((name) => name !== '__proto__'),
          anything,
        ),
        (fields) => {
          const given = new Map(Object.entries(fields));
          const text = textOfFields(given);
          const back = fieldsOfText(text);
          // To Node.js two dates that are no dates differ; their text is compared below.
          expect(text.includes('{"$":"date","v":null}') || isDeepStrictEqual(back, given)).toBe(true);
          expect(textOfFields(back)).toBe(text);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps apart what JSON takes for the same', () => {
    const values = [0, -0, Number.NaN, null, undefined, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1n, '1', 2n ** 99n];
    const back = read({ values }).values as unknown[];
    for (const [index, value] of values.entries()) expect(Object.is(back[index], value)).toBe(true);
    const dates = [new Date(0), new Date(Number.NaN), new Date(8.64e15)];
    expect((read({ dates }).dates as Date[]).map(Number)).toStrictEqual(dates.map(Number));
    const sparse = new Array<number>(3).fill(1, 1, 2);
    expect(Object.keys(read({ sparse }).sparse as unknown[])).toStrictEqual(['1']);
    expect(read({ sparse }).sparse).toHaveLength(3);
  });

  it('keeps an ordinary state readable for people', () => {
    const fields = new Map<string, unknown>([
      ['balance', 5],
      ['lines', [{ item: 'tea', isPaid: true, note: null }]],
    ]);
    expect(textOfFields(fields)).toBe('{"balance":5,"lines":[{"item":"tea","isPaid":true,"note":null}]}');
  });

  it('reads an object that stands in two places as one', () => {
    const line = { count: 1 };
    const back = read({ lines: [line], byId: new Map([['a', line]]), keys: new Set([line]) }) as {
      lines: { count: number }[];
      byId: Map<string, object>;
      keys: Set<object>;
    };
    expect(back.byId.get('a')).toBe(back.lines[0]);
    expect([...back.keys][0]).toBe(back.lines[0]);
    expect(back.lines[0]).toStrictEqual(line);
  });

  it('reads two equal objects as two', () => {
    const back = read({ one: { count: 1 }, other: { count: 1 } });
    expect(back.one).not.toBe(back.other);
  });

  it('reads a circle as a circle', () => {
    const parent: { children: object[] } = { children: [] };
    const map = new Map<string, unknown>();
    parent.children.push({ parent, map });
    map.set('map', map);
    const back = read({ parent }).parent as { children: { parent: object; map: Map<string, unknown> }[] };
    expect(back.children[0]?.parent).toBe(back);
    expect(back.children[0]?.map.get('map')).toBe(back.children[0]?.map);
  });

  it('takes what is frozen for what it is', () => {
    expect(read({ line: Object.freeze({ item: 'tea', at: Object.freeze([1]) }) })).toStrictEqual({
      line: { item: 'tea', at: [1] },
    });
  });

  it.each<[string, unknown, string]>([
    ['a function', { run: () => 1 }, 'field.run is a function'],
    ['a symbol', [1, Symbol('s')], 'field[1] is a symbol'],
    ['an instance of a class', new Map([['a', { at: new Point() }]]), 'field<a>.at is an object of Point'],
    ['a subclass of an array', new (class Lines extends Array {})(), 'field is an array'],
    ['a subclass of a Map', new Set([new (class Index extends Map {})()]), 'field{0} is an object of Index'],
    ['an error', new Error('no'), 'field is an object of Error'],
    ['a RegExp', /x/, 'field is an object of RegExp'],
    ['bytes', new Uint8Array(2), 'field is an object of Uint8Array'],
    ['a promise', Promise.resolve(), 'field is an object of Promise'],
    [
      'a getter',
      {
        get now() {
          return 1;
        },
      },
      'field.now is no ordinary property',
    ],
    ['a hidden property', Object.defineProperty({}, 'secret', { value: 1 }), 'field.secret is no ordinary property'],
    ['a property named by a symbol', { [Symbol('s')]: 1 }, 'field.Symbol(s) is no ordinary property'],
    ['an array with a name in it', Object.assign([1], { total: 1 }), 'field has properties of its own'],
    ['a Map with a property', Object.assign(new Map(), { total: 1 }), 'field has properties of its own'],
  ])('refuses %s, and says where it is', (_what, value, message) => {
    expect(refusal(value)).toBe(message);
  });

  it('refuses what is nested too deeply', () => {
    let value: unknown[] = [];
    for (let depth = 0; depth < 100_000; depth += 1) value = [value];
    expect(refusal(value)).toBe('field is nested too deeply, or too large');
  });
});

describe('fieldsOfText', () => {
  it.each([
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{"a":{"$":"wurst"}}',
    '{"a":{"$":"same","v":7}}',
    '{"a":{"$":"map","v":[1]}}',
    '{"a":{"$":"set","v":{}}}',
    '{"a":{"$":"bigint","v":"x"}}',
  ])('refuses %s', (text) => {
    expect((): Fields => fieldsOfText(text)).toThrow();
  });
});
