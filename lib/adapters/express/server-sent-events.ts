import type { Request, RequestHandler } from 'express';
import type { EventSourcing } from '../../event-sourcing';
import type { Class } from '../../events/event-class';
import { type SendEventsOptions, sendEvents } from '../../http/send-events';
import { type ServerSentUpdatesOptions, serverSentUpdates } from '../../http/server-sent-updates';
import type { Ids } from '../../projections/reading/ids';

/** What a route tells of a projection, and how. */
export interface ServerSentEventsOptions<T> extends Omit<ServerSentUpdatesOptions<T>, 'ids' | 'lastEventId'>, SendEventsOptions {
  /** Which instance a request is about; each that changes, unless given. */
  readonly ids?: ((request: Request) => Ids<T>) | undefined;
}

/**
 * Follows a projection for browsers that connect with `EventSource`.
 *
 * @example
 * ```ts
 * app.get('/accounts/:accountId/live', serverSentEvents(es, AccountBalance, { ids: ({ params }) => ({ accountId: params.accountId }) }));
 * ```
 */
export function serverSentEvents<T extends object>(
  es: EventSourcing,
  target: Class<T>,
  { ids, show, timeoutMs, ...sending }: ServerSentEventsOptions<T> = {},
): RequestHandler {
  return (request, response) => {
    const lastEventId = request.headers['last-event-id'];
    const updates = serverSentUpdates(es, target, { ids: ids?.(request), lastEventId, show, timeoutMs });
    return sendEvents(updates, response, sending);
  };
}
