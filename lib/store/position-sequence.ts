import { randomUUID } from 'node:crypto';
import type { Position, RecordedEvent } from '../events/recorded-event';
import { InvalidPositionError } from './store-errors';

const originLength = 'm12345678-'.length;

/** Issues the positions of one store in memory, and knows them again: what another store issued is refused. */
export class PositionSequence {
  private readonly origin = `m${randomUUID().slice(0, 8)}-`;
  private issued = 0;

  /** Never issues one twice, also when an append fails: a hook may have kept it. */
  next(): Position {
    this.issued += 1;
    return (this.origin + this.issued) as Position;
  }

  /** @throws {@link InvalidPositionError} when `position` was not issued here. */
  numberOf(position: string): number {
    const number = typeof position === 'string' && position.startsWith(this.origin) ? numberIn(position) : Number.NaN;
    const isIssued = Number.isSafeInteger(number) && number >= 1 && number <= this.issued;
    if (!isIssued || position !== this.origin + number) throw new InvalidPositionError(position);
    return number;
  }
}

/** @returns the place of a recorded event's position in its sequence: 1 for the first. */
export function sequenceOf(event: RecordedEvent): number {
  return numberIn(event.position);
}

function numberIn(position: string): number {
  return Number(position.slice(originLength));
}
