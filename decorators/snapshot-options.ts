import { nameOf } from '../lib/events/event-class';
import { checkOptions } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import type { SnapshotPolicy } from '../lib/metadata/slots';

/** When `@Aggregate` and `@Projection` keep the state of an instance, so that it need not be folded from its first event. */
export interface SnapshotOptions {
  /** A snapshot is made about once in so many events of an instance: a whole number of 1 or more. */
  readonly every: number;
  /**
   * Text of 1 to 100 characters, or a number: 1 unless given. Change it whenever a handler makes something else of an
   * event than before; snapshots of another revision are not used.
   */
  readonly revision?: string | number;
}

/** @throws {@link DecoratorError} when an option is unknown or not possible. */
export function checkSnapshot(decorator: string, options: SnapshotOptions): SnapshotPolicy {
  checkOptions(decorator, options, ['every', 'revision']);
  const { every, revision = 1 } = options;
  if (!Number.isSafeInteger(every) || every < 1) {
    const problem = `a snapshot every ${nameOf(every)} events is not possible`;
    throw new DecoratorError(decorator, 'its options', problem, 'Give a whole number of 1 or more');
  }
  const isRevision = typeof revision === 'number' ? Number.isFinite(revision) : typeof revision === 'string';
  if (!isRevision || !/^\P{Cc}{1,100}$/u.test(String(revision))) {
    const problem = `${nameOf(revision)} is no revision of a snapshot`;
    throw new DecoratorError(decorator, 'its options', problem, 'Give a number, or text of 1 to 100 characters');
  }
  return { every, revision: String(revision) };
}
