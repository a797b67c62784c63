import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EventSourcing } from '../../event-sourcing';
import { type HealthOptions, healthOf } from '../../http/health';

/** A route's handler that answers with how things are, as JSON: 200 when all is well, else 503. */
export function healthCheck(es: EventSourcing, options?: HealthOptions) {
  return async (_request: FastifyRequest, reply: FastifyReply) => {
    const health = await healthOf(es, options);
    return reply
      .status(health.isHealthy ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(health);
  };
}
