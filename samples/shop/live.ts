import type { Class, EventSourcing } from 'eventfold';
import { sendEvents, serverSentUpdates } from 'eventfold/http';
import type { Request, Response } from 'express';
import { concatMap } from 'rxjs';

/** What a browser that follows a read model is answered with. */
export interface Following {
  readonly request: Request;
  readonly response: Response;
  /** What there is, for a browser that comes, or comes back after too much has changed. */
  readonly all: () => Promise<object[]>;
}

/**
 * Answers with server-sent events: all rows, read when changes are already listened to, so that none falls between; then each row
 * that changes. A browser that connects again goes on where it was.
 */
export function live<T extends object>(
  es: EventSourcing,
  target: Class<T>,
  { request, response, all }: Following,
): Promise<void> {
  const lastEventId = request.headers['last-event-id'];
  const messages = serverSentUpdates(es, target, { lastEventId }).pipe(
    concatMap(async (message) => {
      const { event, data } = message;
      const hasBegun = event === undefined && data === undefined && !lastEventId;
      return hasBegun || event === 'reset' ? { ...message, event: 'all', data: await all() } : message;
    }),
  );
  return sendEvents(messages, response);
}
