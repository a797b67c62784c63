import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventMetadata } from '../events/recorded-event';
import type { AppendTransaction } from '../store/append';
import type { UnitOfWork } from './unit-of-work';

/** What holds for everything that is called from here on, across `await`. */
export interface Scope {
  /** Given by `withMetadata`, or carried over from an event that is being handled. */
  readonly metadata: EventMetadata;
  /** The command or transaction under way. */
  readonly unit?: UnitOfWork | undefined;
  /** The append whose inline projections run. */
  readonly joined?: JoinedAppend | undefined;
}

/** An append that others join. What is called from it may outlive it, and then joins nothing. */
export interface JoinedAppend {
  transaction: AppendTransaction | undefined;
}

/** The scopes of one `EventSourcing`; those of two do not meet. */
export type Scopes = AsyncLocalStorage<Scope>;

export const noScope: Scope = { metadata: {} };

export function newScopes(): Scopes {
  return new AsyncLocalStorage<Scope>();
}
