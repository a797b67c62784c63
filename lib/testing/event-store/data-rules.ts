import { UnstorablePayloadError } from '../../events/unstorable-payload-error';
import type { Append } from '../../store/append';
import { InvalidAppendError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, noted, notesIn, readAll, refusalOf, unguarded } from './steps';

/** What events hold: returned as it was given, or refused. */
export function dataRules({ describe, it, expect }: RuleBook): void {
  describe('data', () => {
    it('returns data equal to what was given', async (store) => {
      const data = {
        text: 'naïve 漢字 🙂 "quoted" \\ \n\t \u2028',
        empty: '',
        numbers: [0, -1, 1.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER],
        flags: [true, false, null],
        nested: { list: [{ deep: { deeper: [] } }], empty: {} },
        'odd key.$': 1,
        constructor: 'a property',
        long: 'x'.repeat(100_000),
      };
      await append(store, 'a', [{ type: 'noted', data, metadata: data }]);
      const [recorded] = await readAll(store);
      expect(recorded?.data).toStrictEqual(data);
      expect(recorded?.metadata).toStrictEqual(data);
    });

    it('returns dates, maps, sets, bigints and odd text equal to what was given, or refuses them', async (store) => {
      const values = [new Date(0), new Map([['a', 1]]), new Set([1, 2]), 2n ** 64n, 'NUL \u0000', 'a half pair \ud83d'];
      for (const [index, value] of values.entries()) {
        const refusal = await refusalOf(append(store, `s${index}`, [noted(value)]));
        const isRefused = refusal instanceof UnstorablePayloadError;
        expect(await notesIn(store, { stream: `s${index}` })).toStrictEqual(isRefused ? [] : [value]);
        if (!isRefused) expect(refusal).toBe('nothing was refused');
      }
    });

    it('refuses data and metadata that could not be read back, and all that is appended with it', async (store) => {
      const cycle: { self?: object } = {};
      cycle.self = cycle;
      const values = [Number.NaN, Number.NEGATIVE_INFINITY, () => 1, Symbol('s'), cycle, new Date(Number.NaN), new WeakMap()];
      for (const value of values) {
        const events = [{ data: { value } }, { data: { list: [{ value }] } }, { data: {}, metadata: { value } }];
        for (const event of events) {
          const error = await refusalOf(append(store, 'a', [noted(), { type: 'noted', ...event }]));
          expect(error).toBeInstanceOf(UnstorablePayloadError);
        }
      }
      expect(await readAll(store)).toStrictEqual([]);
    });

    it('refuses an append that is malformed, and stores nothing of it', async (store) => {
      const event = (given: object) => ({ stream: 'a', events: [noted(), { ...noted(), ...given }], guard: unguarded });
      const malformed: unknown[] = [
        ...[null, 'a', { stream: '', events: [noted()], guard: unguarded }, { stream: 7, events: [noted()], guard: unguarded }],
        ...[
          { stream: 'a', events: noted(), guard: unguarded },
          { stream: 'a', events: [null], guard: unguarded },
        ],
        ...[{ type: '' }, { type: 7 }, { data: 'text' }, { data: null }, { data: [] }, { id: '' }, { id: 7 }].map(event),
        ...[{ schemaVersion: 0 }, { schemaVersion: 1.5 }, { time: 'yesterday' }, { time: new Date(Number.NaN) }].map(event),
        ...[{ tags: 'a:1' }, { tags: [7] }, { metadata: 'text' }, { metadata: null }].map(event),
      ];
      for (const entry of malformed) {
        const appends = [{ stream: 'b', events: [noted()], guard: unguarded }, entry] as Append[];
        expect(await refusalOf(store.append(appends))).toBeInstanceOf(InvalidAppendError);
      }
      expect(await refusalOf(store.append(undefined as never))).toBeInstanceOf(InvalidAppendError);
      expect(await readAll(store)).toStrictEqual([]);
    });
  });
}
