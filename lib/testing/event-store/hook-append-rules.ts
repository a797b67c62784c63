import type { Position } from '../../events/recorded-event';
import type { Append, AppendTransaction, BeforeCommit, Guard } from '../../store/append';
import { DuplicateEventError, InvalidAppendError, OptimisticLockError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, noted, notes, notesIn, notesOf, readAll, refusalOf, to, versionsOf } from './steps';

/** Appending more from within a hook, in the same transaction. */
export function hookAppendRules({ describe, it, expect }: RuleBook): void {
  describe('an append from within a hook', () => {
    it('is stored with what led to it', async (store) => {
      const { events, position } = await store.append([to('a', [noted('cause')])], derive(to('b', [noted('derived')])));
      expect(notesOf(events)).toStrictEqual(['cause', 'derived']);
      expect(await readAll(store)).toStrictEqual([...events]);
      expect(position).toBe(await store.head());
    });

    it('returns its events, and numbers them on', async (store) => {
      let inner: unknown;
      await append(store, 'a', notes(1));
      await store.append([to('a', [noted('cause')])], async (events, transaction) => {
        if (notesOf(events)[0] !== 'cause') return;
        const result = await transaction.append([to('a', [noted('derived')]), to('b', [noted('other')])]);
        inner = result;
      });
      const stored = await readAll(store);
      expect(stored.map(({ stream, version }) => `${stream}${version}`)).toStrictEqual(['a1', 'a2', 'a3', 'b1']);
      expect(inner).toStrictEqual({ events: stored.slice(2), position: stored[3]?.position });
    });

    it('calls the hook for its events too', async (store) => {
      const calls: unknown[][] = [];
      await store.append([to('a', [noted('cause')])], async (events, transaction) => {
        calls.push(notesOf(events));
        if (calls.length === 1) await transaction.append([to('b', [noted('derived'), noted('more')])]);
        if (calls.length === 2) await transaction.append([to('c', [noted('last')])]);
      });
      expect(calls).toStrictEqual([['cause'], ['derived', 'more'], ['last']]);
      expect(await notesIn(store)).toStrictEqual(['cause', 'derived', 'more', 'last']);
    });

    it('does nothing without events', async (store) => {
      let inner: unknown;
      await store.append([to('a', notes(1))], async (_events, transaction) => {
        inner = await transaction.append([to('b', [], { version: 'none' })]);
      });
      expect(inner).toEqual({ events: [], position: undefined });
      expect(await readAll(store)).toHaveLength(1);
    });

    it('is taken back with the hook', async (store) => {
      const failure = new Error('no');
      const deriving = derive(to('b', [noted('derived')]));
      const hook: BeforeCommit = async (events, transaction) => {
        await deriving(events, transaction);
        if (notesOf(events)[0] === 'cause') throw failure;
      };
      expect(await refusalOf(store.append([to('a', [noted('cause')])], hook))).toBe(failure);
      expect(await readAll(store)).toStrictEqual([]);
      await append(store, 'b', notes(1), { version: 'none' });
    });

    it('is guarded by what the transaction has appended so far', async (store) => {
      const inTransaction = (guard: Guard, stream = 'a') => outcomeOf(to(stream, [noted('derived')], guard), [to('a', notes(2))]);
      expect(await inTransaction({ version: 'none' })).toBeInstanceOf(OptimisticLockError);
      expect(await inTransaction({ version: 0 })).toBeInstanceOf(OptimisticLockError);
      expect(await inTransaction({ version: 'exists' }, 'b')).toBeInstanceOf(OptimisticLockError);
      expect(await readAll(store)).toStrictEqual([]);
      expect(await inTransaction({ version: 2 })).toBe('nothing was refused');
      expect(await inTransaction({ version: 5 })).toBe('nothing was refused');
      expect(await inTransaction({ version: 'exists' })).toBe('nothing was refused');
      expect(await versionsOf(store, 'a')).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);

      function outcomeOf(derived: Append, causes: readonly Append[]): Promise<unknown> {
        return refusalOf(store.append(causes, derive(derived)));
      }
    });

    it('is under a condition that sees what the transaction has appended so far', async (store) => {
      const criteria = [{ tags: ['a:1'] }];
      const cause = () => [to('a', [noted('cause', { tags: ['a:1'] })])];
      const derivedAfter = (position: Position | undefined) =>
        to('b', [noted('derived')], { condition: { criteria, after: position } });
      const first = await append(store, 'z', notes(1));
      expect(await refusalOf(store.append(cause(), derive(derivedAfter(first.position))))).toBeInstanceOf(OptimisticLockError);
      expect(await refusalOf(store.append(cause(), derive(derivedAfter(undefined))))).toBeInstanceOf(OptimisticLockError);
      expect(await readAll(store)).toHaveLength(1);
      await store.append(cause(), async (events, transaction) => {
        if (notesOf(events)[0] === 'cause') await transaction.append([derivedAfter(events[0]?.position)]);
      });
      expect(await notesIn(store)).toStrictEqual([1, 'cause', 'derived']);
    });

    it('fails the whole when it fails, also when the hook lets that pass', async (store) => {
      await append(store, 'b', [noted('there', { id: 'event-1' })]);
      const failing: [Append, new (...args: never[]) => Error][] = [
        [to('b', notes(1), { version: 'none' }), OptimisticLockError],
        [to('c', [noted('new'), noted('twice', { id: 'event-1' })]), DuplicateEventError],
        [to('c', [noted('new'), noted('twice', { id: 'event-2' })]), DuplicateEventError],
        [to('', notes(1)), InvalidAppendError],
      ];
      for (const [derived, error] of failing) {
        const cause = [to('a', [noted('cause', { id: 'event-2' })])];
        const pass: BeforeCommit = async (events, transaction) =>
          void (await refusalOf(derive(derived)(events, transaction) as Promise<void>));
        expect(await refusalOf(store.append(cause, pass))).toBeInstanceOf(error);
        expect(await notesIn(store)).toStrictEqual(['there']);
      }
    });

    it('is part of the whole when the hook does not wait for it', async (store) => {
      const hook: BeforeCommit = (events, transaction) => {
        if (notesOf(events)[0] !== 'cause') return Promise.resolve();
        void transaction.append([to('b', [noted('derived')])]);
        void transaction.append([to('c', [noted('more')])]);
        return undefined;
      };
      await store.append([to('a', [noted('cause')])], hook);
      expect((await notesIn(store)).sort()).toStrictEqual(['cause', 'derived', 'more']);
    });

    it('is refused after the hook, and changes nothing', async (store) => {
      const transactions: AppendTransaction[] = [];
      const keep: BeforeCommit = (_events, transaction) => void transactions.push(transaction);
      const { events } = await store.append([to('a', notes(1))], keep);
      await refusalOf(store.append([to('a', notes(1))], (given, transaction) => Promise.reject(keep(given, transaction))));
      for (const transaction of transactions)
        expect(await refusalOf(transaction.append([to('b', notes(1))]))).toBeInstanceOf(InvalidAppendError);
      expect([transactions.length, events.length]).toStrictEqual([2, 1]);
      expect(await readAll(store)).toStrictEqual([...events]);
    });
  });
}

/** @returns a hook that appends once more, after the append that it was given to. */
function derive(derived: Append): BeforeCommit {
  let isDone = false;
  return async (_events, transaction) => {
    if (isDone) return;
    isDone = true;
    await transaction.append([derived]);
  };
}
