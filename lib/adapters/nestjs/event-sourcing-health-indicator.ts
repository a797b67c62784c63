import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { EventSourcing } from '../../event-sourcing';
import { type Health, type HealthOptions, healthOf } from '../../http/health';
import { getEventSourcingToken } from './tokens';

/** What is well, and how it is looked at. */
export interface HealthIndicatorOptions extends HealthOptions {
  /** The name of the instance; the default one unless given. */
  readonly instance?: string | undefined;
}

/** What Terminus makes its answer of. */
export type EventSourcingHealthResult<K extends string> = Record<
  K,
  Omit<Health, 'isHealthy'> & { readonly status: 'up' | 'down' }
>;

/**
 * Says for `@nestjs/terminus` 11 and later how an `EventSourcing` does.
 *
 * @example
 * ```ts
 * @Get('health')
 * @HealthCheck()
 * check() {
 *   return this.health.check([() => this.events.isHealthy('events', { maxLagSeconds: 10 })]);
 * }
 * ```
 */
@Injectable()
export class EventSourcingHealthIndicator {
  constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {}

  /** @param key The name of the answer's part. @returns what {@link healthOf} does; it never rejects because something is not well. */
  async isHealthy<K extends string>(
    key: K,
    { instance, ...options }: HealthIndicatorOptions = {},
  ): Promise<EventSourcingHealthResult<K>> {
    const es = this.moduleRef.get<EventSourcing>(getEventSourcingToken(instance), { strict: false });
    const { isHealthy, ...health } = await healthOf(es, options);
    return { [key]: { status: isHealthy ? 'up' : 'down', ...health } } as EventSourcingHealthResult<K>;
  }
}
