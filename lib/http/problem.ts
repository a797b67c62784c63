import { STATUS_CODES } from 'node:http';
import { AggregateNotFoundError } from '../aggregates/aggregate-errors';
import { EventSourcingError } from '../event-sourcing-error';
import { EventValidationError, InvalidPayloadError, type Violation } from '../events/event-errors';
import { UnstorablePayloadError } from '../events/unstorable-payload-error';
import { dataOf } from './server-sent-event';

/**
 * What a client is told of an error: Problem Details, with the error's stable `code` as a member of its own.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export interface Problem {
  /** A URI that names the kind of problem; `about:blank` where its status says all. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The `code` of an error of Eventfold. */
  readonly code?: string;
  /** The rules that the data breaks. */
  readonly violations?: readonly Violation[];
  /** In how many seconds to try again. */
  readonly retryAfter?: number;
  readonly [extension: string]: unknown;
}

/** What is to be told of an error of yours: a status, or more of the problem. */
export type ProblemDescription = number | ({ readonly status: number } & Partial<Problem>);

/** How errors become problems. */
export interface ProblemOptions {
  /**
   * Says what clients may know of your own errors; for undefined the error is one of the framework's, or a 500. So it is when this
   * throws, or gives what is no status or no JSON.
   */
  readonly describe?: ((error: unknown) => ProblemDescription | undefined) | undefined;
  /** The start of each problem's `type`, before the code: `https://example.org/problems/`. */
  readonly types?: string | undefined;
}

/** Who is told to try again, in how many seconds. */
const retryAfter = 1;

const statuses: Readonly<Record<string, number>> = {
  EVENT_VALIDATION: 400,
  INVALID_PAYLOAD: 400,
  UNSTORABLE_PAYLOAD: 400,
  INVALID_ID: 400,
  UNRESOLVED_ID: 400,
  FOREIGN_EVENT: 400,
  KEY_TOO_LONG: 400,
  INVALID_POSITION: 400,
  INVALID_HEADER: 400,
  AGGREGATE_NOT_FOUND: 404,
  AGGREGATE_EXISTS: 409,
  DUPLICATE_EVENT: 409,
  OPTIMISTIC_LOCK: 409,
  PRECONDITION_FAILED: 412,
  PRECONDITION_REQUIRED: 428,
  CAUGHT_UP_TIMEOUT: 503,
  CLOSED: 503,
  STORE_CLOSED: 503,
  CONNECTION_BUSY: 503,
};

/** In words of HTTP, where the error's own message is for those who write the code, or says more than clients may know. */
const details: Readonly<Record<string, string>> = {
  OPTIMISTIC_LOCK: 'Somebody else changed it at the same time. Read it again, and retry.',
  AGGREGATE_EXISTS: 'It exists already.',
  DUPLICATE_EVENT: 'It is stored already.',
  INVALID_ID: 'An id is missing, or is no valid id.',
  INVALID_PAYLOAD: 'The data is no object.',
  UNRESOLVED_ID: 'An id in the data is missing, or is no valid id.',
  FOREIGN_EVENT: 'The data names another one than it was sent for.',
  KEY_TOO_LONG: 'An id is too long.',
  INVALID_POSITION: 'That is no position of this service.',
  CAUGHT_UP_TIMEOUT: 'What was written is stored, but cannot be read yet. Try again.',
  CLOSED: 'The service is shutting down. Try again.',
  STORE_CLOSED: 'The service is shutting down. Try again.',
  CONNECTION_BUSY: 'The service is busy. Try again.',
};

/**
 * Says of an error what a client may know. A refusal of the input is told in words for who sent it; of an error that is not known
 * to be safe, nothing is: no message, no stack.
 */
export function problemOf(error: unknown, options: ProblemOptions = {}): Problem {
  const described = describedBy(error, options);
  if (described !== undefined) return described;
  if (error instanceof EventSourcingError) return ownProblem(error, options);
  return foreignProblem(error) ?? problem(500);
}

/**
 * What an application says of its errors, which is not the place to fail in: web frameworks answer that with a stack.
 *
 * @returns undefined where it says nothing.
 */
function describedBy(error: unknown, { describe }: ProblemOptions): Problem | undefined {
  try {
    const said = describe?.(error);
    if (said === undefined) return undefined;
    const described = typeof said === 'number' ? { status: said } : said;
    const { status } = described;
    if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError(`${String(status)} is no status`);
    return JSON.parse(String(dataOf({ ...problem(status), ...described })));
  } catch (failure) {
    process.emitWarning(`describe failed, and a client is told of a 500: ${String(failure)}`, 'EventfoldWarning');
    return problem(500);
  }
}

function problem(status: number, detail?: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, ...(detail !== undefined && { detail }) };
}

function ownProblem(error: EventSourcingError, { types }: ProblemOptions): Problem {
  const { code } = error;
  const status = Object.hasOwn(statuses, code) ? (statuses[code] as number) : 500;
  if (status === 500) return problem(500);
  return {
    ...problem(status, detailOf(error)),
    ...(types !== undefined && { type: types + code }),
    code,
    ...(error instanceof EventValidationError && { violations: error.violations }),
    ...(status === 503 && { retryAfter }),
  };
}

function detailOf(error: EventSourcingError): string {
  if (error instanceof AggregateNotFoundError) return `There is no such ${error.type}.`;
  if (error instanceof EventValidationError) return `${error.event} is not valid.`;
  const { property, source } = error as { readonly property?: unknown; readonly source?: unknown };
  if (error.code === 'INVALID_ID' && property !== undefined) return `"${property}" is missing, or is no valid id.`;
  // Of a function in an id map, it is the words for that.
  if (error.code === 'UNRESOLVED_ID' && String(source).startsWith('"')) return `${source} is missing, or is no valid id.`;
  if (error instanceof InvalidPayloadError && error.property !== undefined)
    return `The data cannot have the property "${error.property}".`;
  if (error instanceof UnstorablePayloadError) {
    const what = error.path === '' ? 'The data' : `"${error.path}"`;
    return `${what} cannot be stored: it ${error.reason}.`;
  }
  return details[error.code] ?? error.message;
}

/**
 * Says whether an error is an outcome of running that clients are told to try again after, such as a service that is closing. Its
 * message says it all: where it was thrown is of no use.
 */
export function isPassing(error: unknown): error is EventSourcingError {
  return error instanceof EventSourcingError && Object.hasOwn(statuses, error.code) && statuses[error.code] === 503;
}

/** What web frameworks, and the readers of bodies they use, throw at requests they cannot take. */
interface RequestError {
  readonly status?: unknown;
  readonly statusCode?: unknown;
  /** Set where the message is meant for clients. */
  readonly expose?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly message: string;
  readonly validation?: unknown;
}

function foreignProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status, statusCode, expose, code, type, message, validation } = error as RequestError;
  const known = statusCode ?? status;
  if (typeof known !== 'number' || !Number.isInteger(known) || known < 400 || known > 499) return undefined;
  // A message about a body repeats parts of it, and of what reads it.
  if (error instanceof SyntaxError || type === 'entity.parse.failed') return problem(known, 'The body is not well-formed.');
  if (error instanceof URIError) return problem(known, 'The address is not well-formed.');
  const isForClients = expose === true || (typeof code === 'string' && code.startsWith('FST_'));
  if (!isForClients && !Array.isArray(validation)) return undefined;
  return { ...problem(known, message), ...(Array.isArray(validation) && { violations: validation.map(violationOf) }) };
}

/** A rule of a JSON Schema that a request breaks, as ajv tells of it. */
function violationOf(found: unknown): Violation {
  const { instancePath, keyword, message } = (found ?? {}) as Record<string, unknown>;
  return { property: String(instancePath ?? ''), rule: String(keyword ?? ''), message: String(message ?? '') };
}
