import { identityOf } from '../../metadata/identity';
import type { InstanceId } from '../../store/projection-store';
import { refusalOf } from '../event-store/steps';
import type { RuleBook } from './rule-book';
import type { Scene } from './scene';
import { definitionOf } from './tally';

class Sheet {
  id!: string;
  held: unknown = null;
}

class Part {
  constructor(readonly name = 'a part') {}
}

class Pair {
  left!: unknown;
  right!: unknown;
}

/** What documents may hold, and what they may be named. */
export function documentRules(book: RuleBook): void {
  const { describe, expect } = book;
  const it = (rule: string, show: (scene: Scene) => Promise<void>) =>
    book.it(rule, async (scene) => {
      if (scene.place.kindOf(Sheet) === 'document') await show(scene);
    });

  describe('a document', () => {
    it('holds dates, maps, sets, bigints and odd text', async (scene) => {
      const values = [
        new Date('2001-02-03T04:05:06.789Z'),
        new Map<unknown, unknown>([
          ['a', 1],
          [2, new Date(0)],
          [{ deep: true }, new Set([1])],
        ]),
        new Set<unknown>(['a', 2n, new Map([['b', new Set([3])]])]),
        2n ** 200n,
        'naïve 漢字 🙂 "quoted" \\ \n\t \u2028 \u0000',
        [undefined, Number.NaN, Number.NEGATIVE_INFINITY, -0, 5e-324, null, true],
        { nested: { list: [{ deep: { deeper: [] } }], empty: {} }, 'odd key.$': 1, $: 'date', v: 0 },
        JSON.parse('{ "__proto__": { "mine": 1 }, "constructor": "text" }') as object,
        'x'.repeat(200_000),
        [],
      ];
      await keepSheets(scene, values);
      for (const [index, value] of values.entries()) expect(await sheet(scene, index)).toStrictEqual(sheetOf(index, value));
    });

    it('holds instances of classes with their prototypes, or is refused', async (scene) => {
      const values = [new Part('one'), [new Part('two')], { part: new Part('three') }, new Map([['four', new Part('four')]])];
      for (const [index, value] of values.entries()) {
        const refusal = await refusalOf(keepSheets(scene, [value], index));
        const isRefused = refusal !== 'nothing was refused';
        if (isRefused) expect(scene.place.isRefusal(refusal)).toBe(true);
        expect(await sheet(scene, index)).toStrictEqual(isRefused ? undefined : sheetOf(index, value));
      }
    });

    it('does not share what it holds', async (scene) => {
      const list = [{ count: 1 }];
      const held = { list, map: new Map([['a', { count: 1 }]]), date: new Date(1) };
      await keepSheets(scene, [held]);
      tamper(held);
      tamper((await sheet(scene, 0))?.held as typeof held);
      const untouched = { list: [{ count: 1 }], map: new Map([['a', { count: 1 }]]), date: new Date(1) };
      expect(await sheet(scene, 0)).toStrictEqual(sheetOf(0, untouched));
    });

    it('is told apart from others to the last character of its key', async ({ place }) => {
      const long = 'x'.repeat(5_000);
      const names = [
        ...['a', 'A', 'a ', ' a', ' ', '0', 'null', 'undefined', 'false', '%', '_', "'", '"', '`', '|', '\\', '\\|', '|\\'],
        ...[
          '\u00e9',
          'e\u0301',
          'e',
          'ß',
          'ss',
          'ｅ',
          '🙂',
          '漢字',
          '\n',
          '\u0001',
          '\u2028',
          `${long}y`,
          `${long}z`,
          `${long}Z`,
        ],
        ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length'],
      ];
      const record = await place.create(sheets, 1, 'serving');
      const ids = names.map((name) => identityOf([name]));
      const states = ids.map((id, index) => Object.assign(sheets.create(id), { held: index }));
      const saved = ids.map((id, index) => ({ id, state: states[index] as Sheet, isNew: true }));
      const nothing = { from: undefined, to: undefined, saved: [], removed: [], queued: [], released: [] };
      await place.commit(sheets, record, { ...nothing, saved });
      const loaded = await place.load(sheets, record, ids);
      expect(ids.map(({ key }) => loaded.get(key))).toStrictEqual(states);
      const scanned: object[] = [];
      for await (const chunk of place.scan(sheets, record)) scanned.push(...chunk);
      expect(scanned.map((state) => (state as Sheet).held).sort()).toStrictEqual([...names.keys()].sort());
      const [first, ...others] = ids as [InstanceId, ...InstanceId[]];
      await place.commit(sheets, record, { ...nothing, removed: [first] });
      const left = [...(await place.load(sheets, record, ids)).keys()];
      expect(left.sort()).toStrictEqual(others.map(({ key }) => key).sort());
    });

    it('has any number of ids of any kind', async ({ place, events }) => {
      const tuples = [
        ['a|b', 'c'],
        ['a', 'b|c'],
        ['a\\', 'b'],
        ['a', '\\b'],
        [1n, true],
        [1.5, false],
      ] as const;
      const pairs = definitionOf({ projection: 'Pairs', target: Pair, kind: 'document', ids: ['left', 'right'] });
      const record = await place.create(pairs, 1, 'serving');
      const ids = tuples.map((tuple) => identityOf(tuple));
      const saved = ids.map((id) => ({ id, state: pairs.create(id), isNew: true }));
      const changes = { from: undefined, to: events[0]?.position, saved, removed: [], queued: [], released: [] };
      expect(await place.commit(pairs, record, changes)).toBe(true);
      expect(await place.load(pairs, record, ids)).toStrictEqual(new Map(saved.map(({ id, state }) => [id.key, state])));
    });

    it('is the only one of its projection when it has no ids', async ({ place, events }) => {
      const sole = definitionOf({ projection: 'Sole', target: Part, kind: 'document', ids: [] });
      const record = await place.create(sole, 1, 'serving');
      const [id, state] = [identityOf([]), new Part('the one')];
      const changes = { from: undefined, to: events[0]?.position, removed: [], queued: [], released: [] };
      await place.commit(sole, record, { ...changes, saved: [{ id, state, isNew: true }] });
      expect([...(await place.load(sole, record, [id])).values()]).toStrictEqual([state]);
    });
  });
}

const sheets = definitionOf({ projection: 'Sheets', target: Sheet, kind: 'document', ids: ['id'] });

function sheetOf(index: number, held: unknown): Sheet {
  return Object.assign(new Sheet(), { id: `sheet ${index}`, held });
}

/** Keeps a sheet for each of the values, numbered from `first` on. */
async function keepSheets({ place }: Scene, values: readonly unknown[], first = 0): Promise<void> {
  const record = await place.create(sheets, 1, 'serving');
  const states = values.map((value, index) => sheetOf(first + index, value));
  const saved = states.map((state) => ({ id: sheets.idOf(state), state, isNew: true }));
  await place.commit(sheets, record, { from: undefined, to: undefined, saved, removed: [], queued: [], released: [] });
}

async function sheet({ place }: Scene, index: number): Promise<Sheet | undefined> {
  const id = identityOf([`sheet ${index}`]);
  const loaded = await place.load(sheets, { projection: 'Sheets', role: 'serving' }, [id]);
  return loaded.get(id.key) as Sheet | undefined;
}

function tamper({ list, map, date }: { list: { count: number }[]; map: Map<string, { count: number }>; date: Date }): void {
  for (const item of list) item.count = 99;
  for (const item of map.values()) item.count = 99;
  list.push({ count: 7 });
  map.set('b', { count: 7 });
  date.setTime(0);
}
