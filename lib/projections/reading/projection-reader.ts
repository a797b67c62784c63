import type { Observable } from 'rxjs';
import type { Class } from '../../events/event-class';
import type { ProjectionStorage } from '../projection-storage';
import type { CaughtUpOptions } from './caught-up-options';
import type { Ids } from './ids';
import type { Update, UpdatesOptions } from './update';

/**
 * Reads one projection: what a service takes that has to do with no other. Made by `es.projections.of`. Each call is as the one
 * of that name of {@link ProjectionStorage}.
 *
 * @example
 * ```ts
 * const balances = es.projections.of(AccountBalance);
 * const balance = await balances.get({ accountId });
 * ```
 */
export class ProjectionReader<T extends object> {
  /** @internal */
  constructor(
    /** The class of the projection. */
    readonly target: Class<T>,
    private readonly storage: Pick<ProjectionStorage, 'get' | 'all' | 'watch' | 'changes' | 'updates' | 'caughtUp'>,
  ) {}

  /** Reads one instance as it is kept now: a copy; undefined when no event belongs to it. */
  get(ids?: Ids<T>): Promise<T | undefined> {
    return this.storage.get(this.target, ids);
  }

  /** @returns copies of all instances. Not for live and custom projections. */
  all(): Promise<T[]> {
    return this.storage.all(this.target);
  }

  /** Watches one instance: as it is now, undefined when there is none, then after every change that is kept. */
  watch(ids?: Ids<T>): Observable<T | undefined> {
    return this.storage.watch(this.target, ids);
  }

  /** @returns a copy of each instance that changes from now on, whichever process changed it. */
  changes(): Observable<T> {
    return this.storage.changes(this.target);
  }

  /** Follows one instance, or each that changes, with the positions from which to go on later. */
  updates(options?: UpdatesOptions<T>): Observable<Update<T>> {
    return this.storage.updates(this.target, options);
  }

  /**
   * Waits until the projection shows everything up to a position, whichever process runs it.
   *
   * @throws {@link CaughtUpTimeoutError} when it takes longer than `timeoutMs`.
   */
  caughtUp(options?: CaughtUpOptions): Promise<void> {
    return this.storage.caughtUp(this.target, options);
  }
}
