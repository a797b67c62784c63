import type { Ending } from '../../store/ending';
import { InvalidAppendError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, noted, notesIn, notesOf, refusalOf, to } from './steps';

/** Who appends within a hook hears how it ended. */
export function endingRules({ describe, it, expect }: RuleBook): void {
  describe('the end of an append', () => {
    it('is told once it is stored and can be read, and before the call returns', async (store) => {
      const told: unknown[] = [];
      await store.append([to('a', [noted('one')])], (_events, transaction) => {
        transaction.onEnd(async (how) => void told.push(how, await notesIn(store)));
      });
      expect(told).toStrictEqual(['committed', ['one']]);
    });

    it('is told when a hook has failed', async (store) => {
      const [told, failure] = [[] as unknown[], new Error('no')];
      const failing = store.append([to('a', [noted('one')])], async (_events, transaction) => {
        transaction.onEnd((how) => void told.push(how));
        throw failure;
      });
      expect(await refusalOf(failing)).toBe(failure);
      expect(told).toStrictEqual(['rolledBack']);
      const alsoFailing = store.append([to('a', [noted('one')])], (_events, transaction) => {
        transaction.onEnd((how) => void told.push(how));
        throw failure;
      });
      expect(await refusalOf(alsoFailing)).toBe(failure);
      expect(told).toStrictEqual(['rolledBack', 'rolledBack']);
      await append(store, 'a', [noted('two')]);
      expect(await notesIn(store)).toStrictEqual(['two']);
    });

    it('is told to each who asks, also within what is appended by a hook', async (store) => {
      const told: unknown[] = [];
      await store.append([to('a', [noted('cause')])], async (events, transaction) => {
        const [note] = notesOf(events);
        for (const number of [1, 2]) transaction.onEnd((how) => void told.push(`${String(note)} ${number} ${how}`));
        if (note === 'cause') await transaction.append([to('b', [noted('derived')])]);
      });
      expect(told.sort()).toStrictEqual(
        ['cause 1 committed', 'cause 2 committed', 'derived 1 committed', 'derived 2 committed'].sort(),
      );
    });

    it('is told of each append by itself', async (store) => {
      const told = new Map<string, string>();
      const appends = ['a', 'b', 'c', 'd'].map((stream) =>
        refusalOf(
          store.append([to(stream, [noted(stream)])], (_events, transaction) => {
            transaction.onEnd((how) => void told.set(stream, how));
            if (stream > 'b') throw new Error('no');
          }),
        ),
      );
      await Promise.all(appends);
      expect(Object.fromEntries(told)).toEqual({ a: 'committed', b: 'committed', c: 'rolledBack', d: 'rolledBack' });
      expect((await notesIn(store)).sort()).toStrictEqual(['a', 'b']);
    });

    it('is not to be asked for after the hook', async (store) => {
      let ask: (ending: Ending) => unknown = () => undefined;
      await store.append([to('a', [noted()])], (_events, transaction) => {
        ask = (ending) => transaction.onEnd(ending);
      });
      let refusal: unknown;
      try {
        ask(() => undefined);
      } catch (error) {
        refusal = error;
      }
      expect(refusal).toBeInstanceOf(InvalidAppendError);
    });
  });
}
