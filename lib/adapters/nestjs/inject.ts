import { Inject } from '@nestjs/common';
import type { AnyAggregate } from '../../aggregates/aggregate-root';
import type { Class } from '../../events/event-class';
import { getAggregatesToken, getEventSourcingToken, getProjectionToken } from './tokens';

/** What puts a provider into a constructor's parameter or a property. */
export type InjectDecorator = PropertyDecorator & ParameterDecorator;

/**
 * Injects an `EventSourcing`. The default one can be injected by its type alone.
 *
 * @param name The instance's name; the default instance unless given.
 */
export function InjectEventSourcing(name?: string): InjectDecorator {
  return Inject(getEventSourcingToken(name));
}

/**
 * Injects what loads the aggregates of one class, which `EventSourcingModule.forFeature` or `forRoot` lists.
 *
 * @example
 * ```ts
 * constructor(@InjectAggregates(Account) private readonly accounts: AggregateRepository<Account>) {}
 * ```
 */
export function InjectAggregates(target: Class<AnyAggregate>, name?: string): InjectDecorator {
  return Inject(getAggregatesToken(target, name));
}

/**
 * Injects what reads one projection, which `EventSourcingModule.forFeature` or `forRoot` lists.
 *
 * @example
 * ```ts
 * constructor(@InjectProjection(AccountBalance) private readonly balances: ProjectionReader<AccountBalance>) {}
 * ```
 */
export function InjectProjection(target: Class, name?: string): InjectDecorator {
  return Inject(getProjectionToken(target, name));
}
