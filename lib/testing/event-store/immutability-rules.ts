import type { RecordedEvent } from '../../events/recorded-event';
import { UnstorablePayloadError } from '../../events/unstorable-payload-error';
import type { Append, NewEvent } from '../../store/append';
import type { EventStore } from '../../store/event-store';
import type { RuleBook } from './rule-book';
import { readAll, to } from './steps';
import { tamperWith } from './tamper';

/** What is stored cannot be changed through any object that was given or returned. */
export function immutabilityRules({ describe, it, expect }: RuleBook): void {
  for (const [kind, value] of Object.entries(values)) {
    describe(`immutability, with ${kind} inside`, () => {
      it('is not lost through what was given', async (store) => {
        const given = changeable(value());
        if (await isRefused(store.append([to('a', [given])]))) return;
        tamperWith(given);
        await expectUntouched(store, value());
      });

      it('is not lost through what a call returned', async (store) => {
        if (await isRefused(store.append([to('a', [changeable(value())])]).then(tamperWith))) return;
        await expectUntouched(store, value());
        tamperWith(await readAll(store));
        await expectUntouched(store, value());
        tamperWith(await store.page({}, { first: 1 }));
        await expectUntouched(store, value());
      });

      it('is not lost through what a hook is given', async (store) => {
        const appends: Append[] = [to('a', [changeable(value())])];
        if (await isRefused(store.append(appends, tamperWith))) return;
        await expectUntouched(store, value());
      });

      it('is not lost through what is tagged', async (store) => {
        if (await isRefused(store.append([to('a', [changeable(value())])]))) return;
        await store.retag(['noted'], (event) => {
          tamperWith(event);
          return [];
        });
        await expectUntouched(store, value());
      });
    });
  }

  async function expectUntouched(store: EventStore, value: unknown): Promise<void> {
    const events = await readAll(store);
    expect(events).toHaveLength(1);
    expect(await readAll(store, { criteria: [{ tags: ['changed'] }] })).toStrictEqual([]);
    expect(await readAll(store, { criteria: [{ tags: ['a:1', 'b:2'] }] })).toStrictEqual(events);
    expect(await readAll(store, { criteria: [{ types: ['noted'] }] })).toStrictEqual(events);
    expect(await readAll(store, { stream: 'a' })).toStrictEqual(events);
    const { type, data, metadata, tags, version } = events[0] as RecordedEvent;
    expect({ type, data, metadata, tags: [...tags].sort() }).toStrictEqual(changeable(value));
    expect(version).toBe(1);
  }
}

const values: Record<string, () => unknown> = {
  'an object': () => ({ list: [{ at: 1 }] }),
  'a date': () => new Date(0),
  'a frozen date': () => Object.freeze(new Date(0)),
  'a map': () => new Map([['a', { at: 1 }]]),
  'a set': () => new Set([1]),
};

function changeable(value: unknown): NewEvent {
  return { type: 'noted', data: { value, list: [1] }, metadata: { value }, tags: ['a:1', 'b:2'] };
}

/** @returns whether the store cannot hold the value, and says so. */
async function isRefused(appending: Promise<unknown>): Promise<boolean> {
  try {
    await appending;
    return false;
  } catch (error) {
    if (error instanceof UnstorablePayloadError) return true;
    throw error;
  }
}
