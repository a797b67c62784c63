import type { Changes, GenerationRecord, ProjectionStore } from '../../store/projection-store';
import type { KeptProjection } from '../running/kept-projection';
import { CustomProjectionError, OutdatedProjectionError } from './rebuild-errors';

/** It is tried so often without holding it up. */
const mostTries = 3;

/**
 * Empties what the handlers of a custom projection wrote, and has it begin at the start: both, or neither.
 *
 * @returns what serves, of this process's version.
 * @throws {@link CustomProjectionError} when it says no way to empty it, and what `reset` throws.
 */
export async function resetProjection(kept: KeptProjection, place: ProjectionStore): Promise<GenerationRecord> {
  const { definition, version, name } = kept;
  const serving = await place.create(definition, version, 'serving');
  if (serving.version > version) throw new OutdatedProjectionError(name, version, serving.version);
  if (serving.version < version) return replaced(kept, serving, place);
  await emptied(kept, place);
  // It may have stood still as a whole for what is folded anew now.
  await place.mark(serving, { failure: undefined });
  return serving;
}

/** Nobody may write for the older version once it is empty. */
async function replaced(kept: KeptProjection, serving: GenerationRecord, place: ProjectionStore): Promise<GenerationRecord> {
  const { definition, version, name } = kept;
  resetOf(kept);
  await place.mark(serving, { isPaused: true });
  try {
    await emptied(kept, place);
  } catch (error) {
    // The older version goes on with what it has.
    if (!serving.isPaused) await place.mark(serving, { isPaused: false });
    throw error;
  }
  const building = await place.create(definition, version, 'building');
  const now = (await place.records(name)).find(({ role }) => role === 'serving');
  if (!(await place.promote(definition, building, now))) return resetProjection(kept, place);
  // There is nothing of it to go back to.
  await place.drop(definition, serving);
  return place.create(definition, version, 'serving');
}

/** While it is at work there may be no moment at which it stays as it is: then it is held for one. */
async function emptied(kept: KeptProjection, place: ProjectionStore): Promise<void> {
  const { definition, version } = kept;
  const reset = resetOf(kept);
  let held: GenerationRecord | undefined;
  for (let tries = 0; ; tries += 1) {
    const record = await place.create(definition, version, 'serving');
    if (tries === mostTries && !record.isPaused) {
      held = record;
      await place.mark(record, { isPaused: true });
      continue;
    }
    const blocked = await place.blocked(record);
    const { checkpoint } = record;
    const released = checkpoint === undefined ? [] : blocked.map(({ key }) => ({ key, upTo: checkpoint }));
    const none: Changes = { from: checkpoint, to: undefined, saved: [], removed: [], queued: [], released, isForeign: true };
    try {
      const isDone = await place.transact(definition, record, async (transaction) => {
        // What stands still may be another then: it is not kept, and looked at again.
        if (transaction.checkpoint === checkpoint) await reset(transaction.manager as never);
        return none;
      });
      if (!isDone) continue;
    } catch (error) {
      if (held !== undefined) await place.mark(held, { isPaused: false });
      throw error;
    }
    if (held !== undefined) await place.mark(held, { isPaused: false });
    return;
  }
}

function resetOf({ definition, name }: KeptProjection): (manager: never) => unknown {
  const { reset } = definition.folding.options;
  if (reset === undefined)
    throw new CustomProjectionError(
      name,
      "it cannot be rebuilt without a way to empty it. Give @Projection({ kind: 'custom', reset: (manager) => … })",
    );
  return reset;
}
