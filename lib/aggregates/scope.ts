import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventMetadata } from '../events/recorded-event';
import type { AppendTransaction } from '../store/append';
import type { AppendTracker } from '../store/append-tracker';
import type { InstanceLocks } from './instance-locks';
import type { UnitOfWork } from './unit-of-work';
import type { UserTransaction } from './user-transaction';

/** What holds for everything that is called from here on, across `await`. */
export interface Scope {
  /** Given by `withMetadata`, or carried over from an event that is being handled. */
  readonly metadata: EventMetadata;
  /** The command or transaction under way. */
  readonly unit?: UnitOfWork | undefined;
  /** The transaction that `es.transaction` was given. */
  readonly transaction?: UserTransaction | undefined;
  /** The append whose inline projections run. */
  readonly joined?: JoinedAppend | undefined;
  /** Hears of what is appended. */
  readonly tracker?: AppendTracker | undefined;
  /** A handler of a reactor runs. */
  readonly isReaction?: true;
}

/** An append that others join. What is called from it may outlive it, and then joins nothing. */
export interface JoinedAppend {
  transaction: AppendTransaction | undefined;
  /** Those of the commands in it: it would never end if one of them waited for work that waits for the append. */
  readonly locks: InstanceLocks;
}

/** Whose scope holds, and those of others around it. */
interface Frame {
  readonly owner: Scopes;
  readonly scope: Scope;
  readonly outer: Frame | undefined;
}

// One for all: each further storage makes every promise of the process slower, for good.
const frames = new AsyncLocalStorage<Frame>();

/** The scopes of one `EventSourcing`; those of two do not meet. */
export class Scopes {
  getStore(): Scope | undefined {
    let frame = frames.getStore();
    while (frame !== undefined && frame.owner !== this) frame = frame.outer;
    return frame?.scope;
  }

  run<T>(scope: Scope, work: () => T): T {
    return frames.run({ owner: this, scope, outer: without(this, frames.getStore()) }, work);
  }
}

/** An owner's older scope is hidden by its newer one for good, so that frames do not pile up. */
function without(owner: Scopes, frame: Frame | undefined): Frame | undefined {
  if (frame === undefined) return undefined;
  if (frame.owner === owner) return frame.outer;
  const outer = without(owner, frame.outer);
  return outer === frame.outer ? frame : { ...frame, outer };
}

export const noScope: Scope = { metadata: {} };
