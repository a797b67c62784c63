import { OptimisticLockError } from '../store/store-errors';
import type { UnitOfWork } from './unit-of-work';

interface Waiter {
  readonly unit: UnitOfWork;
  readonly wake: () => void;
}

/**
 * Lets one unit of work at a time use an aggregate instance, so that the commands of one process on one instance
 * queue up instead of racing. It orders work in this process only; the guards of the store decide.
 */
export class InstanceLocks {
  private readonly holders = new Map<string, UnitOfWork>();
  private readonly queues = new Map<string, Waiter[]>();

  /**
   * Takes a lock that `unit` neither holds nor waits for.
   *
   * @returns undefined when `unit` holds the lock now, else a promise of it.
   * @throws {@link OptimisticLockError} when waiting could never end, as two units would wait for each other.
   */
  acquire(stream: string, unit: UnitOfWork): Promise<void> | undefined {
    if (!this.holders.has(stream)) {
      this.holders.set(stream, unit);
      return undefined;
    }
    if (this.isWaitedForAhead(stream, unit)) throw unit.lost(waitsForThisOne(stream));
    unit.waitsFor.add(stream);
    return new Promise<void>((wake) => {
      const queue = this.queues.get(stream);
      if (queue === undefined) this.queues.set(stream, [{ unit, wake }]);
      else queue.push({ unit, wake });
    });
  }

  /** Hands the lock to the unit that has waited longest. */
  release(stream: string): void {
    const queue = this.queues.get(stream);
    const next = queue?.shift();
    if (queue?.length === 0) this.queues.delete(stream);
    if (next === undefined) {
      this.holders.delete(stream);
      return;
    }
    this.holders.set(stream, next.unit);
    next.unit.waitsFor.delete(stream);
    next.wake();
  }

  /** Says whether one of those that `unit` would have to wait for waits for it, be it through others. */
  private isWaitedForAhead(stream: string, unit: UnitOfWork): boolean {
    if (unit.isUnencumbered) return false;
    const ahead = new Set(this.ahead(stream));
    for (const other of ahead) {
      for (const awaited of other.waitsFor) for (const next of this.ahead(awaited, other)) ahead.add(next);
    }
    return ahead.has(unit);
  }

  /** @returns who is before `unit`, or before a newcomer: the holder, and the earlier ones in the queue. */
  private *ahead(stream: string, unit?: UnitOfWork): Iterable<UnitOfWork> {
    const holder = this.holders.get(stream);
    if (holder !== undefined) yield holder;
    for (const waiter of this.queues.get(stream) ?? []) {
      if (waiter.unit === unit) return;
      yield waiter.unit;
    }
  }
}

/** The error of work that would wait for ever. */
export function waitsForThisOne(stream: string): OptimisticLockError {
  return new OptimisticLockError(stream, undefined, 'work that waits for this one');
}
