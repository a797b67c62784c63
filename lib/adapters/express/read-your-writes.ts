import type { RequestHandler } from 'express';
import type { EventSourcing } from '../../event-sourcing';
import { type ReadYourWritesOptions, waitForOwnWrites } from '../../http/read-your-writes';

/**
 * Has a request wait until projections show what the client's earlier requests have stored, as the `Eventfold-Position` that it
 * sends back says. For routes that read projections.
 */
export function readYourWrites(es: EventSourcing, options?: ReadYourWritesOptions): RequestHandler {
  return async (request, _response, next) => {
    await waitForOwnWrites(es, request.headers, options);
    next();
  };
}
