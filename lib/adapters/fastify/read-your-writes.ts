import type { FastifyRequest } from 'fastify';
import type { EventSourcing } from '../../event-sourcing';
import { type ReadYourWritesOptions, waitForOwnWrites } from '../../http/read-your-writes';

/**
 * A hook that has a request wait until projections show what the client's earlier requests have stored, as the
 * `Eventfold-Position` that it sends back says. For routes that read projections.
 *
 * @example
 * ```ts
 * app.get('/accounts', { preHandler: readYourWrites(es) }, list);
 * ```
 */
export function readYourWrites(es: EventSourcing, options?: ReadYourWritesOptions) {
  return (request: FastifyRequest): Promise<void> => waitForOwnWrites(es, request.headers, options);
}
