import type { Position } from '../../events/recorded-event';
import { ClosedError } from '../projection-errors';
import { hasReached, type ReachOptions } from '../reading/reach';
import type { Rebuilds } from '../rebuilding/rebuilds';
import type { KeptProjection } from './kept-projection';

/** What waiting for one that is run takes. */
export type WaitOptions = Pick<ReachOptions, 'store' | 'place' | 'closed'>;

/** What a projection is run with, once. */
export interface RunOptions extends WaitOptions {
  readonly rebuilds: Rebuilds;
}

/** The pauses before it is looked again whether it is there: they grow from the first to the second, in milliseconds. */
const shortestPauseMs = 10;
const longestPauseMs = 100;

const later = setTimeout;

/**
 * Runs a projection until it shows everything up to a position, and stops it unless it ran before. What stands still is not
 * waited for.
 */
export function runToPosition(kept: KeptProjection, position: Position | undefined, options: RunOptions): Promise<void> {
  return kept.runDuring(async () => {
    if (kept.isNewer) {
      await options.rebuilds.rebuild(kept, {});
      await kept.begun();
    }
    if (position !== undefined) await untilReached(kept, position, options);
  });
}

/** Waits for a projection that this process runs until it shows everything up to a position, or stands still. @throws {@link ClosedError}. */
export async function untilReached(kept: KeptProjection, position: Position, options: WaitOptions): Promise<void> {
  let isClosed = false;
  const closing = options.closed.subscribe(() => {
    isClosed = true;
  });
  try {
    for (let pauseMs = shortestPauseMs; !(await isOver(kept, position, options)); pauseMs *= 2) {
      if (isClosed) throw new ClosedError();
      await new Promise<void>((resolve) => later(resolve, Math.min(pauseMs, longestPauseMs)));
    }
  } finally {
    closing.unsubscribe();
  }
}

/** A database that is away is waited for, as who runs the projection does. */
async function isOver(kept: KeptProjection, position: Position, options: WaitOptions): Promise<boolean> {
  try {
    return (await hasReached(kept, position, options)) || (await standsStill(kept, options));
  } catch (error) {
    if (options.place.isTransient(error)) return false;
    throw error;
  }
}

async function standsStill(kept: KeptProjection, { place }: WaitOptions): Promise<boolean> {
  if (!kept.isStarted || kept.refusal !== undefined) return true;
  const serving = (await place.records(kept.name)).find(({ role }) => role === 'serving');
  if (serving?.isPaused === true || serving?.failure !== undefined) return true;
  return kept.runner?.state === 'failed' && !place.isTransient(kept.runner.lastError);
}
