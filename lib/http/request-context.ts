import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import type { EventMetadata } from '../events/recorded-event';
import { InvalidHeaderError } from './http-errors';

/** What every event knows of the request that led to it. */
export interface RequestContextOptions<R = IncomingMessage> {
  /** Who asks, as your authentication found out: becomes `metadata.user`. Text of at most 256 characters. */
  readonly user?: ((request: R) => string | undefined) | undefined;
  /** For whom, as your application found out: becomes `metadata.tenant`. Text of at most 256 characters. */
  readonly tenant?: ((request: R) => string | undefined) | undefined;
  /** Anything else that events should know; it may overrule what headers say. */
  readonly metadata?: ((request: R) => EventMetadata | undefined) | undefined;
}

/** What a correlation id of others may be: no white space, quotes or control characters, so that it can go into logs and headers. */
const correlationId = /^[\w.:/+=@-]{1,128}$/;

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparent = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;

const longest = 256;

/**
 * Reads off a request what the events that it leads to should know: `correlationId` of `X-Correlation-Id`, or of the trace, or a
 * new one; `traceparent`; `user` and `tenant`, which no header says by itself. A header that is not of its form, or too long, is
 * passed over, as the two standards want it.
 *
 * @throws {@link InvalidHeaderError} when the user or the tenant is too long, or holds control characters.
 * @throws {@link InvalidArgumentError} when an option gives no text.
 */
export function requestContext<R extends { readonly headers: IncomingHttpHeaders }>(
  request: R,
  { user, tenant, metadata }: RequestContextOptions<R> = {},
): EventMetadata & { readonly correlationId: string } {
  const { headers } = request;
  const trace = traceparent.exec(textOf(headers.traceparent).slice(0, longest));
  const given = textOf(headers['x-correlation-id']);
  const who = checked('user', user?.(request));
  const whose = checked('tenant', tenant?.(request));
  return {
    correlationId: correlationId.test(given) ? given : (trace?.[1] ?? randomUUID()),
    ...(trace !== null && { traceparent: trace[0] }),
    ...(who !== undefined && { user: who }),
    ...(whose !== undefined && { tenant: whose }),
    ...metadata?.(request),
  };
}

function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : '';
}

function checked(name: 'user' | 'tenant', value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string')
    throw new InvalidArgumentError(`The option ${name} of a request's context gives text or undefined, not ${nameOf(value)}.`);
  if (value.length > longest || /\p{Cc}/u.test(value))
    throw new InvalidHeaderError(`that says the ${name}`, `is longer than ${longest} characters, or holds control characters`);
  return value;
}
