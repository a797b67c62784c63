import type { Subscription } from 'rxjs';
import type { Position } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { RuleBook } from './rule-book';
import { append, noted, notes, notesIn, notesOf, readAll, refusalOf, to } from './steps';

/** Wake-ups. */
export function appendedRules({ describe, it, expect }: RuleBook): void {
  describe('appended', () => {
    it('tells every subscriber of the newest position', async (store) => {
      const ears = [new Ear(store), new Ear(store)];
      for (const stream of ['a', 'b', 'a']) {
        const { position } = await append(store, stream, notes(2));
        for (const ear of ears) await ear.hears(position);
      }
      for (const ear of ears) expect(ear.heard.at(-1)).toBe(await store.head());
    });

    it('tells of an append when it can be read', async (store) => {
      const read: Promise<unknown[]>[] = [];
      const subscription = store.appended().subscribe(() => read.push(notesIn(store)));
      const ear = new Ear(store);
      const { position } = await append(store, 'a', notes(3));
      await ear.hears(position);
      subscription.unsubscribe();
      for (const notesRead of await Promise.all(read)) expect(notesRead).toStrictEqual([1, 2, 3]);
      expect(read.length > 0).toBe(true);
    });

    it('tells nobody before the commit', async (store) => {
      const ear = new Ear(store);
      let early = -1;
      const { position } = await store.append([to('a', [noted('cause')])], async (events, transaction) => {
        if (notesOf(events)[0] === 'cause') await transaction.append([to('b', [noted('derived')])]);
        early = ear.heard.length;
      });
      await ear.hears(position);
      expect(early).toBe(0);
    });

    it('tells nobody of what was not stored', async (store) => {
      const ear = new Ear(store);
      await store.append([]);
      await append(store, 'a', []);
      await refusalOf(append(store, 'a', notes(1), { version: 1 }));
      await refusalOf(append(store, 'a', [noted(1, { id: 'event-1' }), noted(2, { id: 'event-1' })]));
      await refusalOf(store.append([to('a', notes(1))], () => Promise.reject(new Error('no'))));
      const { position } = await append(store, 'a', notes(1));
      await ear.hears(position);
      for (const heard of ear.heard) expect(heard).toBe(position);
      expect(await readAll(store)).toHaveLength(1);
    });

    it('tells nobody of added tags', async (store) => {
      const { position: first } = await append(store, 'a', notes(1));
      const ear = new Ear(store);
      await store.retag(['noted'], () => ['a:1']);
      const { position } = await append(store, 'a', notes(1));
      await ear.hears(position);
      for (const heard of ear.heard) expect([first, position].includes(heard)).toBe(true);
    });

    it('does not tell who has left', async (store) => {
      const left = new Ear(store);
      const ear = new Ear(store);
      left.leave();
      const { position } = await append(store, 'a', notes(1));
      await ear.hears(position);
      expect(left.heard).toStrictEqual([]);
    });
  });
}

/** Hears the wake-ups of a store, until it closes. */
class Ear {
  readonly heard: Position[] = [];
  private readonly subscription: Subscription;
  private wake: () => void = () => undefined;

  constructor(private readonly store: EventStore) {
    this.subscription = store.appended().subscribe((position) => {
      this.heard.push(position);
      this.wake();
    });
  }

  /** Waits until it has heard of `position`, or of a later one. */
  async hears(position: Position | undefined): Promise<void> {
    while (position !== undefined && !this.heard.some((heard) => this.store.compare(heard, position) >= 0))
      await new Promise<void>((wake) => {
        this.wake = wake;
      });
  }

  leave(): void {
    this.subscription.unsubscribe();
  }
}
