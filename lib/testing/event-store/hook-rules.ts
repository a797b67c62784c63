import type { RecordedEvent } from '../../events/recorded-event';
import type { BeforeCommit } from '../../store/append';
import { OptimisticLockError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, appendOne, noted, notes, notesIn, notesOf, readAll, refusalOf, to, versionsOf } from './steps';

/** The hook that runs before an append is committed. */
export function hookRules({ describe, it, expect }: RuleBook): void {
  describe('before commit, a hook', () => {
    it('sees the events as they are then stored', async (store) => {
      await append(store, 'a', notes(2));
      const seen: RecordedEvent[] = [];
      const appends = [to('a', [noted(3, { tags: ['a:1'] })]), to('b', [noted(4)])];
      const { events } = await store.append(appends, (given) => void seen.push(...given));
      expect(seen.map(({ stream, version }) => `${stream}${version}`)).toStrictEqual(['a3', 'b1']);
      expect(seen).toStrictEqual([...events]);
      expect(seen).toStrictEqual((await readAll(store)).slice(2));
    });

    it('is told the newest position before the append', async (store) => {
      const previous: unknown[] = [];
      const hook: BeforeCommit = (_events, transaction) => void previous.push(transaction.previous);
      const { position } = await store.append([to('a', notes(2))], hook);
      await store.append([to('b', notes(1))], hook);
      expect(previous).toStrictEqual([undefined, position]);
    });

    it('is waited for', async (store) => {
      const steps: string[] = [];
      const appending = store.append([to('a', notes(1))], async () => {
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
        steps.push('hook');
      });
      await appending.then(() => steps.push('appended'));
      expect(steps).toStrictEqual(['hook', 'appended']);
    });

    for (const [kind, failing] of failingHooks) {
      it(`takes the append back when it ${kind}`, async (store) => {
        await append(store, 'a', notes(1));
        const head = await store.head();
        const failure = new Error('no');
        const appends = [to('a', [noted(2, { id: 'event-1', tags: ['a:1'] })]), to('b', [noted(3)])];
        expect(await refusalOf(store.append(appends, failing(failure)))).toBe(failure);
        expect(await notesIn(store)).toStrictEqual([1]);
        expect(await readAll(store, { criteria: [{ tags: ['a:1'] }] })).toStrictEqual([]);
        expect(await store.head()).toBe(head);
      });

      it(`uses up no version and no event id when it ${kind}`, async (store) => {
        const event = noted(1, { id: 'event-1' });
        await refusalOf(store.append([to('a', [event])], failing(new Error('no'))));
        const recorded = await appendOne(store, 'a', event, { version: 0 });
        expect([recorded.id, recorded.version]).toStrictEqual(['event-1', 1]);
        expect(store.compare(recorded.position, (await store.head()) as typeof recorded.position)).toBe(0);
      });
    }

    it('does not run for an append without events, or one that is refused', async (store) => {
      await append(store, 'a', [noted(1, { id: 'event-1' })]);
      let calls = 0;
      const hook = () => {
        calls += 1;
      };
      await store.append([], hook);
      await store.append([to('a', [])], hook);
      await refusalOf(store.append([to('a', notes(1), { version: 0 })], hook));
      await refusalOf(store.append([to('a', [noted(2, { id: 'event-1' })])], hook));
      await refusalOf(store.append([to('a', [{ type: '', data: {} }])], hook));
      expect(calls).toBe(0);
    });

    it('leaves the versions of concurrent appends contiguous, whether it fails or not', async (store) => {
      const appends = Array.from({ length: 30 }, (_, index) =>
        refusalOf(
          store.append([to('a', [noted(index)])], async () => {
            await Promise.resolve();
            if (index % 3 === 0) throw new Error('no');
          }),
        ),
      );
      appends.push(...Array.from({ length: 10 }, (_, index) => refusalOf(append(store, 'a', [noted(index)]))));
      await Promise.all(appends);
      expect(await versionsOf(store, 'a')).toStrictEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    });

    it('keeps the guard of an append that begins while it runs', async (store) => {
      let rival: Promise<unknown> = Promise.resolve();
      await store.append([to('a', [noted('first')], { version: 0 })], async () => {
        rival = refusalOf(append(store, 'a', [noted('rival')], { version: 0 }));
        await Promise.resolve();
      });
      expect(await rival).toBeInstanceOf(OptimisticLockError);
      expect(await notesIn(store)).toStrictEqual(['first']);
    });

    for (const what of ['succeeds', 'fails'] as const) {
      it(`may run for several appends together, which are made by themselves when it fails: it ${what}`, async (store) => {
        const seen: RecordedEvent[] = [];
        const failure = new Error('no');
        const together: BeforeCommit['together'] = (parts) => {
          if (what === 'fails') throw failure;
          for (const { events } of parts) seen.push(...events);
        };
        const hook = (given: readonly RecordedEvent[]) => void seen.push(...given);
        const hookOf = () => Object.assign(hook.bind(undefined), { together });
        const guards = ['any', 'any', 0, 'any'] as const;
        const appends = guards.map((version, index) => store.append([to('a', [noted(index)], { version })], hookOf()));
        const results = await Promise.allSettled(appends);
        const events = results.flatMap((result) => (result.status === 'fulfilled' ? [...result.value.events] : []));
        expect(notesOf(events)).toStrictEqual([0, 1, 3]);
        expect(await readAll(store)).toStrictEqual(events);
        expect(seen).toStrictEqual(events);
        expect(await versionsOf(store, 'a')).toStrictEqual([1, 2, 3]);
      });
    }

    it('lets an append to the store itself wait until it is over', async (store) => {
      for (const wait of [() => undefined, () => Promise.resolve()]) {
        let other: Promise<unknown> = Promise.resolve();
        await store.append([to('a', [noted('outer')])], () => {
          other = append(store, 'a', [noted('other')]);
          return wait();
        });
        await other;
      }
      const events = await readAll(store);
      expect(events.map(({ version }) => version)).toStrictEqual([1, 2, 3, 4]);
      expect(await notesIn(store)).toStrictEqual(['outer', 'other', 'outer', 'other']);
    });
  });
}

const failingHooks: readonly (readonly [string, (failure: Error) => BeforeCommit])[] = [
  [
    'throws',
    (failure) => () => {
      throw failure;
    },
  ],
  ['rejects', (failure) => () => Promise.reject(failure)],
  [
    'rejects later',
    (failure) => async () => {
      await Promise.resolve();
      throw failure;
    },
  ],
];
