import type { AggregateRoot } from '@nestjs/cqrs';
import type { AppendGuard, EventSourcing } from '../../../event-sourcing';
import type { AppendResult } from '../../../store/append';

/** Where the events of an aggregate of `@nestjs/cqrs` are appended. */
export interface AppendUncommittedOptions {
  /** The stream of the aggregate: text of one character or more. */
  readonly stream: string;
  /** What must be so for them to be stored: none, unless given, and then another process may have appended meanwhile. */
  readonly guard?: AppendGuard;
}

/**
 * Stores what an `AggregateRoot` of `@nestjs/cqrs` has applied, in place of its `commit()`: all of it, or none, and then it is still
 * uncommitted. Its handlers get the events from the bridge, once they are stored.
 *
 * @throws {@link OptimisticLockError} when the guard does not hold.
 * @example
 * ```ts
 * order.ship();
 * await appendUncommitted(es, order, { stream: `order-${order.id}` });
 * ```
 */
export async function appendUncommitted(
  es: EventSourcing,
  aggregate: Pick<AggregateRoot, 'getUncommittedEvents' | 'uncommit'>,
  { stream, guard }: AppendUncommittedOptions,
): Promise<AppendResult> {
  const events = [...aggregate.getUncommittedEvents()];
  const result = await (guard === undefined ? es.appendUnguarded(stream, events) : es.append(stream, events, guard));
  aggregate.uncommit();
  return result;
}
