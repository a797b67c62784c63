import type { InstanceId, SavedInstance } from '../../store/projection-store';
import type { Load } from './fold';

/** So many are kept at hand; those that were kept longest ago go first. */
const most = 20_000;

/**
 * Instances as they were kept last, so that the next chunk need not load them. That is how they are for as long as nobody
 * else changes the generation, which its fence tells.
 */
export class InstancesAtHand {
  private readonly states = new Map<string, object>();

  /** @returns how to load instances that are not at hand; those that are there are the caller's, until they are kept again. */
  before(load: Load): Load {
    return async (ids) => {
      const taken = new Map<string, object>();
      const missing: InstanceId[] = [];
      for (const id of ids) {
        const state = this.states.get(id.key);
        if (state === undefined) missing.push(id);
        else taken.set(id.key, state);
        this.states.delete(id.key);
      }
      if (missing.length > 0) for (const [key, state] of await load(missing)) taken.set(key, state);
      return taken;
    };
  }

  /** Has instances at hand that were kept just now. */
  keep(saved: readonly SavedInstance[]): void {
    for (const { id, state } of saved) this.states.set(id.key, state);
    const tooMany = this.states.size - most;
    if (tooMany <= 0) return;
    let gone = 0;
    for (const key of this.states.keys()) {
      if (gone === tooMany) return;
      this.states.delete(key);
      gone += 1;
    }
  }

  clear(): void {
    this.states.clear();
  }
}
