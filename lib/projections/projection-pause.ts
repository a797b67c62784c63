import type { ProjectionStore } from '../store/projection-store';
import type { KeptProjection } from './running/kept-projection';

/**
 * Has a projection stand still, whoever runs it, or go on, also after it failed as a whole.
 *
 * @returns when nobody applies anything to it any more, or may do so again.
 */
export async function changePause(kept: KeptProjection, how: 'pause' | 'resume', place: ProjectionStore): Promise<void> {
  const { definition, version, name } = kept;
  const change = how === 'pause' ? { isPaused: true } : { isPaused: false, failure: undefined };
  for (;;) {
    const marked = await place.create(definition, version, 'serving');
    await place.mark(marked, change);
    const serving = (await place.records(name)).find(({ role }) => role === 'serving');
    // Another one may have taken its place meanwhile.
    if (serving?.generation === marked.generation) break;
  }
  kept.runner?.refresh();
}
