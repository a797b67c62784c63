import type { IncomingHttpHeaders } from 'node:http';
import type { EventSourcing } from '../event-sourcing';
import type { Class } from '../events/event-class';
import { InvalidHeaderError } from './http-errors';

/** The header that a response tells its position in, and that the next request sends back. */
export const positionHeader = 'Eventfold-Position';

/** Whom a request waits for. */
export interface ReadYourWritesOptions {
  /** The projections that are about to be read; all unless given. */
  readonly projections?: readonly Class[] | undefined;
  /** Milliseconds; 2000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** The header's name; `Eventfold-Position` unless given. An application with several stores needs one for each. */
  readonly header?: string | undefined;
}

/** Text without white space, as positions of every store are. */
const form = /^[\x21-\x7e]{1,128}$/;

/**
 * Waits until projections show what the client's earlier requests have stored, whichever process did it: up to the position in
 * the request's `Eventfold-Position`. Without the header it waits for nothing.
 *
 * @throws {@link CaughtUpTimeoutError} when it takes too long; also for a position that was never given, and never comes.
 * @throws {@link InvalidHeaderError} or {@link InvalidPositionError} for what is no position.
 */
export async function waitForOwnWrites(
  es: EventSourcing,
  headers: IncomingHttpHeaders,
  { projections, timeoutMs = 2_000, header = positionHeader }: ReadYourWritesOptions = {},
): Promise<void> {
  const given = headers[header.toLowerCase()];
  if (given === undefined) return;
  if (typeof given !== 'string' || !form.test(given)) throw new InvalidHeaderError(header, 'is no position');
  const position = es.position(given);
  const awaited = projections ?? [undefined];
  await Promise.all(awaited.map((projection) => es.projections.caughtUp(projection, { position, timeoutMs })));
}
