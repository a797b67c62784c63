import { nameOf } from '../../events/event-class';
import { checkOptions, InvalidArgumentError } from '../../events/invalid-argument-error';
import type { Position } from '../../events/recorded-event';
import type { AppendResult } from '../../store/append';

/** How long `caughtUp` waits for which position. */
export interface CaughtUpOptions {
  /**
   * The position to reach, as an append, a command's caller or another process gave it: the newest one at the time of the
   * call, and what this process has appended, unless given.
   */
  readonly position?: Position | string | AppendResult | undefined;
  /** Milliseconds of 0 or more, `Infinity` for no limit; 5000 unless given. */
  readonly timeoutMs?: number;
}

/** @throws {@link InvalidArgumentError} when an option is unknown or not possible. */
export function checkCaughtUp(options: CaughtUpOptions): void {
  checkOptions('caughtUp', options, ['position', 'timeoutMs']);
  const { timeoutMs = 0 } = options;
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 0))
    throw new InvalidArgumentError(`caughtUp cannot wait for ${nameOf(timeoutMs)} ms. Give 0 or more.`);
}
