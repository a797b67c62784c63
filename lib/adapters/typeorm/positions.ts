import type { Position } from '../../events/recorded-event';
import { InvalidPositionError } from '../../store/store-errors';

const pattern = /^[1-9]\d{0,17}$/;

/** @throws {@link InvalidPositionError} for anything but a position as the tables number them. */
export function checkPosition(position: unknown): asserts position is Position {
  if (typeof position !== 'string' || !pattern.test(position)) throw new InvalidPositionError(position);
}

/** @throws {@link InvalidPositionError} when one of them is none. */
export function comparePositions(a: Position, b: Position): number {
  checkPosition(a);
  checkPosition(b);
  if (a === b) return 0;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}
