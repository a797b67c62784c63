import type { MessageEvent } from '@nestjs/common';
import { Observable } from 'rxjs';
import type { EventSourcing } from '../../event-sourcing';
import type { Class } from '../../events/event-class';
import { dataOf } from '../../http/server-sent-event';
import { type ServerSentUpdatesOptions, serverSentUpdates } from '../../http/server-sent-updates';

/** What a route with `@Sse()` tells of a projection. */
export interface MessageEventsOptions<T> extends ServerSentUpdatesOptions<T> {
  /** How often something is sent while nothing happens, so that nobody between takes the connection for dead; 15000 ms. */
  readonly heartbeatMs?: number | undefined;
}

/** No position of any store: Nest would count messages without an id, and a count might be one. */
const noPosition = '0';

/** Taken here, so that fake timers in a user's tests do not stop the heartbeats. */
const every = setInterval;

/**
 * Follows a projection for a route with `@Sse()`: as `serverSentUpdates` of `eventfold/http`, whose ids, `gone` and `reset` it
 * has.
 *
 * @example
 * ```ts
 * @Sse(':accountId/live')
 * live(@Param('accountId') accountId: string, @Headers('last-event-id') lastEventId?: string) {
 *   return messageEvents(this.es, AccountBalance, { ids: { accountId }, lastEventId });
 * }
 * ```
 * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
 */
export function messageEvents<T extends object>(
  es: EventSourcing,
  target: Class<T>,
  { heartbeatMs = 15_000, ...options }: MessageEventsOptions<T> = {},
): Observable<MessageEvent> {
  const updates = serverSentUpdates(es, target, options);
  return new Observable((subscriber) => {
    const { lastEventId } = options;
    let last = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : noPosition;
    // Without data a browser takes note of the id, and dispatches nothing.
    const heartbeat = every(() => subscriber.next({ id: last } as MessageEvent), heartbeatMs);
    heartbeat.unref();
    subscriber.add(() => clearInterval(heartbeat));
    subscriber.add(
      updates.subscribe({
        next: ({ id = noPosition, event, data }) => {
          last = id;
          subscriber.next({ id, ...(event !== undefined && { type: event }), data: dataOf(data) as string });
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
  });
}
