import type { Position } from '../../events/recorded-event';
import { InvalidPositionError } from '../../store/store-errors';
import type { RuleBook } from './rule-book';
import { append, appendInTurn, notes, positionsAt, refusalOf } from './steps';

/** Positions: the one order, as text outside the store. */
export function positionRules({ describe, it, expect }: RuleBook): void {
  describe('positions', () => {
    it('have no head while nothing is stored, then the newest', async (store) => {
      expect(await store.head()).toBeUndefined();
      const { position } = await append(store, 'a', notes(3));
      expect(await store.head()).toBe(position);
    });

    it('are compared in the order of events, beyond one digit too', async (store) => {
      const positions = (await appendInTurn(store, ['a', 'b', 'c'], 12)).map(({ position }) => position);
      for (const [index, a] of positions.entries()) {
        for (const [other, b] of positions.entries()) expect(Math.sign(store.compare(a, b))).toBe(Math.sign(index - other));
      }
    });

    it('come back unchanged from text', async (store) => {
      const [position] = positionsAt(await appendInTurn(store, ['a'], 1), 1);
      expect(typeof position).toBe('string');
      expect(store.position(JSON.parse(JSON.stringify(position)))).toBe(position);
      expect(store.compare(store.position(String(position)), position)).toBe(0);
    });

    it('are refused when they are none of this store', async (store) => {
      const [valid] = positionsAt(await appendInTurn(store, ['a'], 2), 1);
      const made = ['', ' ', 'nonsense', '-1', '1.5', ` ${valid}`, `${valid} `, `${valid}x`, `${valid}.0`, `${valid}e0`];
      for (const text of [...made, null, undefined, 7, {}] as Position[]) {
        for (const use of [() => store.position(text), () => store.compare(valid, text), () => store.compare(text, valid)])
          expect(await refusalOf(new Promise((resolve) => resolve(use())))).toBeInstanceOf(InvalidPositionError);
      }
    });
  });
}
