import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EventSourcing } from '../../event-sourcing';
import type { Class } from '../../events/event-class';
import { type SendEventsOptions, sendEvents } from '../../http/send-events';
import { type ServerSentUpdatesOptions, serverSentUpdates } from '../../http/server-sent-updates';
import type { Ids } from '../../projections/reading/ids';

/** What a route tells of a projection, and how. */
export interface ServerSentEventsOptions<T> extends Omit<ServerSentUpdatesOptions<T>, 'ids' | 'lastEventId'>, SendEventsOptions {
  /** Which instance a request is about; each that changes, unless given. */
  readonly ids?: ((request: FastifyRequest) => Ids<T>) | undefined;
}

/** A route's handler that follows a projection for browsers that connect with `EventSource`. */
export function serverSentEvents<T extends object>(
  es: EventSourcing,
  target: Class<T>,
  { ids, show, timeoutMs, ...sending }: ServerSentEventsOptions<T> = {},
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const lastEventId = request.headers['last-event-id'];
    const updates = serverSentUpdates(es, target, { ids: ids?.(request), lastEventId, show, timeoutMs });
    // What other plugins have set, such as CORS, is the reply's, and would be left out.
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
    reply.hijack();
    await sendEvents(updates, reply.raw, sending);
  };
}
