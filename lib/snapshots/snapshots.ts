import { AsyncResource } from 'node:async_hooks';
import type { EventStore } from '../store/event-store';
import type { SnapshotStore } from '../store/snapshot-store';
import type { SnapshotMiss, SnapshotStats } from './snapshot-stats';

/** What the snapshots of one `EventSourcing` are made with. */
export interface SnapshotsOptions {
  readonly store: EventStore;
  readonly now: () => Date;
}

/** Makes snapshots in the background, and counts what comes of them. Whatever fails here reaches nobody else. */
export class Snapshots {
  readonly store: SnapshotStore | undefined;
  private readonly waiting = new Map<string, () => Promise<void>>();
  private readonly warned = new Set<string>();
  // A snapshot is no part of the request, nor of the database transaction, in which it became due.
  private readonly outside = new AsyncResource('EventfoldSnapshots');
  private isAtWork = false;
  private wake: (() => void)[] = [];
  private hits = 0;
  private saved = 0;
  private failed = 0;
  private unstorable = 0;
  private readonly misses = { none: 0, revision: 0, shape: 0, corrupt: 0, astray: 0, newer: 0, failed: 0 };

  constructor(private readonly options: SnapshotsOptions) {
    this.store = options.store.snapshots;
  }

  now(): Date {
    return this.options.now();
  }

  stats(): SnapshotStats {
    const { hits, saved, failed, unstorable } = this;
    return { hits, misses: { ...this.misses }, saved, failed, unstorable };
  }

  hit(): void {
    this.hits += 1;
  }

  miss(reason: SnapshotMiss): void {
    this.misses[reason] += 1;
  }

  /**
   * Does the work in the background, one after another. Of two for one key, the later takes the place of one that has
   * not begun.
   */
  later(key: string, work: () => Promise<void>): void {
    this.waiting.delete(key);
    this.waiting.set(key, work);
    if (this.isAtWork) return;
    this.isAtWork = true;
    this.outside.runInAsyncScope(() => void this.drain());
  }

  /** Waits until nothing is left to do. */
  async settled(): Promise<void> {
    if (this.isAtWork) await new Promise<void>((wake) => this.wake.push(wake));
  }

  countSaved(): void {
    this.saved += 1;
  }

  countFailed(error: unknown): void {
    this.failed += 1;
    const problem = `A snapshot could not be made: ${String(error)}.`;
    this.warn('', `${problem} The next load folds more events; further failures are counted.`);
  }

  countUnstorable(className: string, problem: string): void {
    this.unstorable += 1;
    this.warn(className, `No snapshot of ${className} can be made: ${problem}. It is folded from its first event.`);
  }

  /** Warns once of each subject. */
  warn(subject: string, message: string): void {
    if (this.warned.has(subject)) return;
    this.warned.add(subject);
    process.emitWarning(message, 'EventfoldWarning');
  }

  private async drain(): Promise<void> {
    for (const [key, work] of this.waiting) {
      this.waiting.delete(key);
      await this.attempt(work);
    }
    this.isAtWork = false;
    for (const wake of this.wake.splice(0)) wake();
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.countFailed(error);
    }
  }
}
