import type { BlockedInstance, Changes } from '../../store/projection-store';

/** The instances that stand still, as far as this process knows. */
export class BlockedInstances {
  private known = new Map<string, BlockedInstance>();

  /** Them, by key. */
  get byKey(): ReadonlyMap<string, BlockedInstance> {
    return this.known;
  }

  /** Whether one waits to be tried again by itself. */
  get isRetrying(): boolean {
    for (const { failure } of this.known.values()) if (failure.retryAt !== undefined) return true;
    return false;
  }

  /** When the next one is to be tried again by itself, in milliseconds of the clock. */
  get dueAt(): number {
    let dueAt = Number.POSITIVE_INFINITY;
    for (const { failure } of this.known.values())
      if (failure.retryAt !== undefined) dueAt = Math.min(dueAt, Date.parse(failure.retryAt));
    return dueAt;
  }

  /** @returns one that is to be tried again by now. */
  due(now: number): BlockedInstance | undefined {
    return [...this.known.values()].find(({ failure }) => failure.retryAt && Date.parse(failure.retryAt) <= now);
  }

  /** Takes what is stored for all there is to know. */
  replace(blocked: readonly BlockedInstance[]): void {
    this.known = new Map(blocked.map((instance) => [instance.key, instance]));
  }

  /** Takes note of what was kept. */
  note({ released, queued }: Pick<Changes, 'released' | 'queued'>): void {
    for (const { key } of released) this.known.delete(key);
    for (const { key, values, event, failure } of queued) {
      const before = this.known.get(key);
      if (failure !== undefined) this.known.set(key, { key, values, event, failure, waiting: before?.waiting ?? 0 });
      else if (before !== undefined) this.known.set(key, { ...before, waiting: before.waiting + 1 });
    }
  }
}
