import { StoreClosedError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, gate, notes, refusalOf } from './steps';

/** Closing. */
export function closeRules({ describe, it, expect }: RuleBook): void {
  describe('close', () => {
    it('refuses appends from then on', async (store) => {
      await append(store, 'a', notes(1));
      await store.close();
      expect(await refusalOf(append(store, 'a', notes(1)))).toBeInstanceOf(StoreClosedError);
      expect(await refusalOf(store.append([]))).toBeInstanceOf(StoreClosedError);
    });

    it('is harmless when called again', async (store) => {
      await Promise.all([store.close(), store.close()]);
      await store.close();
      expect(await refusalOf(append(store, 'a', notes(1)))).toBeInstanceOf(StoreClosedError);
    });

    it('completes the wake-ups, also for who comes late', async (store) => {
      const ended = () => {
        const { opened, open } = gate();
        store.appended().subscribe({ complete: open });
        return opened;
      };
      const early = ended();
      await store.close();
      await early;
      await ended();
    });
  });
}
