import type { Position } from '../../events/recorded-event';
import type { AppendResult } from '../../store/append';
import type { EventStore } from '../../store/event-store';
import type { CaughtUpOptions } from './caught-up-options';

/** The newest event that this process has appended, and what is waited for because of it. */
export class NewestAppended {
  private appended: Position | undefined;

  constructor(private readonly store: EventStore) {}

  /** The position of the newest event that this process has appended. */
  get position(): Position | undefined {
    return this.appended;
  }

  /** Takes note of what this process has appended. */
  tell({ position }: AppendResult): void {
    const { appended } = this;
    if (position === undefined) return;
    if (appended === undefined || this.store.compare(position, appended) > 0) this.appended = position;
  }

  /** @returns the position to wait for: the given one, or the newest that is stored or was appended here. */
  async awaited(given: CaughtUpOptions['position']): Promise<Position | undefined> {
    const { store } = this;
    if (isAppendResult(given)) return given.position;
    if (given !== undefined) return store.position(given);
    const head = await store.head();
    const { appended } = this;
    // While others' transactions are open, what was appended here may be beyond what one can read.
    return head === undefined || (appended !== undefined && store.compare(appended, head) > 0) ? appended : head;
  }
}

function isAppendResult(given: unknown): given is AppendResult {
  return typeof given === 'object' && given !== null && 'position' in given;
}
