import { OptimisticLockError } from '../store/store-errors';
import type { UnitOfWork } from './unit-of-work';

/**
 * Lets one unit of work at a time use an aggregate instance, so that the commands of one process on one instance
 * queue up instead of racing. It orders work in this process only; the guards of the store decide.
 */
export class InstanceLocks {
  private readonly holders = new Map<string, UnitOfWork>();
  private readonly waiting = new Map<string, (() => void)[]>();

  /**
   * @returns undefined when `unit` holds the lock now, else a promise of it.
   * @throws {@link OptimisticLockError} when waiting could never end, as two units would wait for each other.
   */
  acquire(stream: string, unit: UnitOfWork): Promise<void> | undefined {
    const holder = this.holders.get(stream);
    if (holder === undefined || holder === unit) {
      this.holders.set(stream, unit);
      return undefined;
    }
    return this.wait(stream, unit, holder);
  }

  release(stream: string): void {
    this.holders.delete(stream);
    const waiters = this.waiting.get(stream);
    const next = waiters?.shift();
    if (waiters?.length === 0) this.waiting.delete(stream);
    next?.();
  }

  private async wait(stream: string, unit: UnitOfWork, first: UnitOfWork): Promise<void> {
    for (let holder: UnitOfWork | undefined = first; holder !== undefined && holder !== unit; holder = this.holders.get(stream)) {
      for (let next: UnitOfWork | undefined = holder; next !== undefined; next = next.waitsFor) {
        if (next === unit) throw unit.lost(new OptimisticLockError(stream, undefined, 'work that waits for this one'));
      }
      unit.waitsFor = holder;
      await new Promise<void>((wake) => this.waiting.set(stream, [...(this.waiting.get(stream) ?? []), wake]));
      unit.waitsFor = undefined;
    }
    this.holders.set(stream, unit);
  }
}
