import type { Position } from '../../events/recorded-event';
import { ClosedError } from '../projection-errors';
import { hasReached, type ReachOptions } from '../reading/reach';
import type { Rebuilds } from '../rebuilding/rebuilds';
import type { KeptProjection } from './kept-projection';

/** What a projection is run with, once. */
export interface RunOptions extends Pick<ReachOptions, 'store' | 'place' | 'closed'> {
  readonly rebuilds: Rebuilds;
}

/** It is looked so often whether it is there, in milliseconds. */
const lookAgainMs = 20;

const later = setTimeout;

/**
 * Runs a projection until it shows everything up to a position, and stops it unless it ran before. What stands still is not
 * waited for.
 */
export async function runToPosition(kept: KeptProjection, position: Position | undefined, options: RunOptions): Promise<void> {
  const isOurs = !kept.isStarted;
  let isClosed = false;
  const closing = options.closed.subscribe(() => {
    isClosed = true;
  });
  try {
    await kept.start();
    if (kept.isNewer) {
      await options.rebuilds.rebuild(kept, {});
      await kept.start();
    }
    while (position !== undefined && !(await hasReached(kept, position, options))) {
      if (isClosed) throw new ClosedError();
      if (await standsStill(kept, options)) break;
      await new Promise<void>((resolve) => later(resolve, lookAgainMs));
    }
  } finally {
    closing.unsubscribe();
    if (isOurs) await kept.stop();
  }
}

async function standsStill(kept: KeptProjection, { place }: RunOptions): Promise<boolean> {
  const serving = (await place.records(kept.name)).find(({ role }) => role === 'serving');
  return kept.refusal !== undefined || serving?.isPaused === true || serving?.failure !== undefined;
}
