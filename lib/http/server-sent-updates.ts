import { catchError, concat, defer, EMPTY, filter, from, ignoreElements, map, type Observable } from 'rxjs';
import type { EventSourcing } from '../event-sourcing';
import type { Class } from '../events/event-class';
import type { Position } from '../events/recorded-event';
import { CaughtUpTimeoutError } from '../projections/projection-errors';
import type { Ids } from '../projections/reading/ids';
import type { Update } from '../projections/reading/update';
import { InvalidPositionError } from '../store/store-errors';
import type { ServerSentEvent } from './server-sent-event';

/** What a client hears of a projection. */
export interface ServerSentUpdatesOptions<T> {
  /** One instance: as it is now, then after every change. Each instance that changes, unless given. */
  readonly ids?: Ids<T> | undefined;
  /** The request's header `Last-Event-ID`. */
  readonly lastEventId?: string | readonly string[] | undefined;
  /** What of an instance is sent: all of it, unless given. For undefined it is kept from the client. */
  readonly show?: ((state: T) => unknown) | undefined;
  /** How long a client that reconnects waits for a projection that is further behind than what the client has seen; 2000 ms. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Follows a projection for a browser. The ids of messages say their positions, so that a browser that reconnects, to whichever
 * process, misses no change and sees nothing older than what it has seen.
 *
 * - `message`: an instance, as JSON; of one instance that does not exist, `null`;
 * - `gone`: the ids of an instance that was deleted;
 * - `reset`: more may have changed than can be told, as after a rebuild, or the id is of another store: read everything anew.
 *
 * @throws {@link InvalidIdError} when an id is missing, unknown or of a wrong type.
 */
export function serverSentUpdates<T extends object>(
  es: EventSourcing,
  target: Class<T>,
  { ids, lastEventId, show = (state) => state, timeoutMs = 2_000 }: ServerSentUpdatesOptions<T> = {},
): Observable<ServerSentEvent> {
  const last = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : undefined;
  const [text, edition] = last === undefined ? [] : partsOf(last);
  const after = text === undefined ? undefined : positionIn(es, text);
  const isLost = last !== undefined && after === undefined;
  const resumed = ids === undefined && after !== undefined;
  const updates = es.projections.updates(target, { ...(ids && { ids }), ...(resumed && { after, edition }) });
  const messages = updates.pipe(
    map((update) => messageOf(update, { show, isOne: ids !== undefined, isLost })),
    filter((message) => message !== undefined),
  );
  return after === undefined ? messages : concat(caughtUp(es, target, after, timeoutMs), messages);
}

/** What another process has shown the client, this one may not show yet. After a while the client sees what there is. */
function caughtUp(es: EventSourcing, target: Class, position: Position, timeoutMs: number): Observable<never> {
  return defer(() => from(es.projections.caughtUp(target, { position, timeoutMs }))).pipe(
    ignoreElements(),
    catchError((error: unknown) => {
      if (error instanceof CaughtUpTimeoutError) return EMPTY;
      throw error;
    }),
  );
}

/** The edition before any rebuild, while nothing is parked. An id says no other one. */
const firstEdition = '1';

/** @returns the id of a message: its position, and the edition where it is not the first. */
function idOf({ position, edition = firstEdition }: Pick<Update<unknown>, 'position' | 'edition'>): string | undefined {
  return position === undefined || edition === firstEdition ? position : `${position}~${edition}`;
}

/** @returns the position and the edition that an id says. */
function partsOf(id: string): readonly [position: string, edition: string] {
  const [, position = id, edition = firstEdition] = /^(.*)~([\w.-]+)$/.exec(id.slice(0, 256)) ?? [];
  return [position, edition];
}

function positionIn(es: EventSourcing, text: string): Position | undefined {
  try {
    return es.position(text.slice(0, 128));
  } catch (error) {
    if (error instanceof InvalidPositionError) return undefined;
    throw error;
  }
}

interface MessageOptions<T> {
  readonly show: (state: T) => unknown;
  readonly isOne: boolean;
  readonly isLost: boolean;
}

function messageOf<T>(update: Update<T>, { show, isOne, isLost }: MessageOptions<T>): ServerSentEvent | undefined {
  const id = idOf(update);
  if (update.kind === 'start') return update.hasMissed || isLost ? { id, event: 'reset', data: null } : { id };
  const { ids, state } = update;
  const key = JSON.stringify(ids, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  if (state === undefined) return isOne ? { id, key, data: null } : { id, key, event: 'gone', data: ids };
  const shown = show(state);
  return shown === undefined ? undefined : { id, key, data: shown };
}
