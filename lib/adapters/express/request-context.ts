import type { Request, RequestHandler } from 'express';
import type { EventSourcing } from '../../event-sourcing';
import { type RequestOptions, runInRequest } from '../../http/run-in-request';

/**
 * Has every event that a request leads to know of it, and tells in the response's `Eventfold-Position` what was stored. Use it
 * before the routes, and after what finds out who asks.
 *
 * @example
 * ```ts
 * app.use(requestContext(es, { user: (request) => request.get('x-user') }));
 * ```
 */
export function requestContext(es: EventSourcing, options: RequestOptions<Request> = {}): RequestHandler {
  return (request, response, next) => runInRequest(es, { request, response }, options, () => next());
}
