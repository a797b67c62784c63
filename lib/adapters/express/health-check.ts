import type { RequestHandler } from 'express';
import type { EventSourcing } from '../../event-sourcing';
import { type HealthOptions, healthOf } from '../../http/health';

/** Answers with how things are, as JSON: 200 when all is well, else 503. */
export function healthCheck(es: EventSourcing, options?: HealthOptions): RequestHandler {
  return async (_request, response) => {
    const health = await healthOf(es, options);
    response
      .status(health.isHealthy ? 200 : 503)
      .set('cache-control', 'no-store')
      .json(health);
  };
}
