import { nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';

/** A clock that stands still until it is told to move. Give it as `clock` to `EventSourcing.open` or to a store. */
export interface FixedClock {
  /** @returns what time it is; a new `Date` each time. */
  (): Date;
  /**
   * Moves the time forward.
   *
   * @param ms Milliseconds of 0 or more.
   * @throws {@link InvalidArgumentError} when it is no such number.
   */
  advance(ms: number): void;
  /**
   * Sets the time, also back.
   *
   * @throws {@link InvalidArgumentError} when `time` is no time.
   */
  set(time: Date | string | number): void;
}

/**
 * Makes a clock for tests.
 *
 * @param start Where it stands: 2020-01-01T00:00:00Z unless given.
 * @throws {@link InvalidArgumentError} when `start` is no time.
 * @example
 * ```ts
 * const clock = fixedClock('2024-02-29T12:00:00Z');
 * const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Account], clock });
 * clock.advance(1_000);
 * ```
 */
export function fixedClock(start: Date | string | number = '2020-01-01T00:00:00.000Z'): FixedClock {
  let now = timeOf(start);
  return Object.assign(() => new Date(now), {
    advance(ms: number): void {
      if (!Number.isFinite(ms) || ms < 0) {
        throw new InvalidArgumentError(
          `A fixed clock cannot advance by ${nameOf(ms)}. Give milliseconds of 0 or more, or set it.`,
        );
      }
      now = timeOf(now + ms);
    },
    set(time: Date | string | number): void {
      now = timeOf(time);
    },
  });
}

function timeOf(value: unknown): number {
  const isTime = value instanceof Date || typeof value === 'string' || typeof value === 'number';
  const time = isTime ? new Date(value).getTime() : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError(`${nameOf(value)} is no time. Give a Date, ISO 8601 text or milliseconds.`);
  return time;
}
