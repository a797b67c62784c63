import { parkedIn } from '../parking/parked-event';
import { ClosedError } from '../projection-errors';
import { hasReached, type ReachOptions } from '../reading/reach';
import type { KeptProjection } from '../running/kept-projection';
import { Runner } from '../running/runner';
import type { RunnerEnvironment } from '../running/runner-environment';
import type { FollowOptions, RebuildReport } from './rebuild';
import { RebuildCancelledError } from './rebuild-errors';
import { RebuildMeter } from './rebuild-progress';
import { resetProjection } from './reset-projection';

/** It is looked so often whether it is full, in milliseconds. */
const lookAgainMs = 100;

const later = setTimeout;

/**
 * Empties a custom projection, and waits until it is filled again, by whichever process runs it: by this one where none does.
 *
 * @throws {@link CustomProjectionError}, and {@link RebuildCancelledError} when the signal aborts: it is filled none the less
 * once it was emptied.
 */
export async function refill(
  kept: KeptProjection,
  { onProgress, signal }: FollowOptions,
  environment: RunnerEnvironment & Pick<ReachOptions, 'closed'>,
): Promise<RebuildReport> {
  const { definition, name } = kept;
  const { place, store } = environment;
  const began = performance.now();
  if (signal?.aborted) throw new RebuildCancelledError(name, signal.reason);
  let isClosed = false;
  const closing = environment.closed.subscribe(() => {
    isClosed = true;
  });
  const serving = await resetProjection(kept, place);
  const head = await store.head();
  kept.restart();
  const meter = new RebuildMeter(place, definition, new Set(onProgress && [onProgress]));
  await meter.begin({ checkpoint: undefined });
  const helper = kept.isStarted ? undefined : new Runner(definition, serving, environment, 'at once');
  helper?.start();
  try {
    const { isInline, changes } = kept;
    const awaited = { definition, isInline, changes, runner: undefined };
    while (head !== undefined && !(await hasReached(awaited, head, environment))) {
      if (isClosed) throw new ClosedError();
      if (signal?.aborted) throw new RebuildCancelledError(name, signal.reason);
      await new Promise<void>((resolve) => later(resolve, lookAgainMs));
      const now = (await place.records(name)).find(({ role }) => role === 'serving');
      // It is not this call that has it go on.
      if (now === undefined || now.isPaused || now.failure !== undefined) break;
      await meter.lookAt(now);
    }
  } finally {
    closing.unsubscribe();
    await helper?.stop();
  }
  const failures = parkedIn(definition, await place.blocked(serving));
  const events = meter.end(undefined, head);
  const { version, generation } = serving;
  const seconds = (performance.now() - began) / 1_000;
  return { projection: name, version, generation, events, applied: events, failures, seconds };
}
