import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventSourcing } from '../event-sourcing';
import type { Appended } from '../store/append-tracker';
import { positionHeader } from './read-your-writes';
import { type RequestContextOptions, requestContext } from './request-context';

/** A request, and the response to it. */
export interface Exchange<R extends IncomingMessage = IncomingMessage> {
  readonly request: R;
  readonly response: ServerResponse;
}

/** What a request is run with. */
export interface RequestOptions<R = IncomingMessage> extends RequestContextOptions<R> {
  /** The header that tells the position; `Eventfold-Position` unless given. An application with several stores needs one for each. */
  readonly header?: string | undefined;
}

/**
 * Runs what answers a request: every event that is stored in it has the request's context in its metadata, and the response says
 * in `Eventfold-Position` up to where the log has grown by it, for the next request to send back. `X-Correlation-Id` of the
 * response is the one in the metadata.
 *
 * @throws {@link InvalidHeaderError} and others as {@link requestContext}.
 */
export function runInRequest<T, R extends IncomingMessage>(
  es: EventSourcing,
  { request, response }: Exchange<R>,
  { header = positionHeader, ...options }: RequestOptions<R>,
  work: () => T,
): T {
  const context = requestContext(request, options);
  if (!response.headersSent) response.setHeader('X-Correlation-Id', safe(context.correlationId));
  return es.withMetadata(context, () =>
    es.trackAppends((appended) => {
      tellPosition(response, header, appended);
      keepScope(request);
      return work();
    }),
  );
}

const emits = new WeakMap<IncomingMessage, IncomingMessage['emit']>();

/**
 * Has what listens to the body do so in the request's scope: it comes from the connection, which has none. Of several instances the
 * innermost scope holds those of the others.
 */
function keepScope(request: IncomingMessage): void {
  const emit = emits.get(request) ?? request.emit;
  emits.set(request, emit);
  request.emit = AsyncResource.bind(emit);
}

/** Writes the header as late as can be: what was appended is known when the response begins. */
function tellPosition(response: ServerResponse, header: string, appended: Appended): void {
  const { writeHead } = response;
  response.writeHead = function (this: ServerResponse, ...given: unknown[]) {
    const { position } = appended;
    if (position !== undefined && !this.headersSent) this.setHeader(header, position);
    return Reflect.apply(writeHead, this, given) as ServerResponse;
  } as ServerResponse['writeHead'];
}

/** Metadata of the application's own may overrule the id, with what no header can hold. */
function safe(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 128);
}
