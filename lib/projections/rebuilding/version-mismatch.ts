import type { GenerationRecord } from '../../store/projection-store';
import type { KeptProjection } from '../running/kept-projection';
import type { RunnerEnvironment } from '../running/runner-environment';
import type { Rebuilds } from './rebuilds';

/** What is done about a projection of which another version serves. */
export interface MismatchOptions extends Pick<RunnerEnvironment, 'place' | 'warn'> {
  readonly rebuilds: Rebuilds;
  /** Whether this process runs projections. */
  readonly isStarted: boolean;
}

/**
 * Begins to build the version of this process where it is newer than what serves, unless that was rolled back.
 *
 * @returns why the projection does not run here.
 */
export async function answerMismatch(
  kept: KeptProjection,
  serving: GenerationRecord,
  { place, rebuilds, isStarted, warn }: MismatchOptions,
): Promise<string> {
  const { name, version } = kept;
  const before = (await place.records(name)).find(({ role }) => role === 'kept');
  const isRolledBack = before?.version === version;
  kept.isNewer = serving.version < version && !isRolledBack;
  if (kept.isNewer) {
    if (isStarted) rebuilds.upgrade(kept);
    return `Version ${serving.version} serves until version ${version} is built.`;
  }
  const reason = isRolledBack
    ? `Version ${serving.version} serves, and version ${version} of this process is kept: es.projections.rollback(${name}) has it serve again.`
    : `Version ${serving.version} serves, and this process has version ${version}. Run the newer release here.`;
  if (kept.told !== reason) warn(`${name} does not run here. ${reason}`);
  kept.told = reason;
  return reason;
}
