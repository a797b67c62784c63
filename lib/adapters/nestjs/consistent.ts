import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import type { Class } from '../../events/event-class';
import { ConsistencyInterceptor, type ConsistentOptions, consistencyKey } from './consistency-interceptor';

/**
 * Has a route, or all of a controller, wait until projections show what the client's earlier requests have stored: up to the
 * `Eventfold-Position` that {@link RequestContextInterceptor} told it, and that it sends back.
 *
 * @param projections What is about to be read; all projections unless given.
 * @example
 * ```ts
 * @Get(':accountId')
 * @Consistent(AccountBalance)
 * balance(@Param('accountId') accountId: string) {
 *   return this.balances.get({ accountId });
 * }
 * ```
 */
export function Consistent(projections?: Class | readonly Class[], options: ConsistentOptions = {}) {
  const listed = projections === undefined ? undefined : [projections].flat();
  return applyDecorators(
    SetMetadata(consistencyKey, { ...options, projections: listed }),
    UseInterceptors(ConsistencyInterceptor),
  );
}
