import type { IncomingMessage, ServerResponse } from 'node:http';
import { isPassing, type Problem, type ProblemOptions, problemOf } from './problem';

/** A response to be written by whatever writes responses. */
export interface ProblemResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/** How errors are answered. */
export interface ProblemAnswerOptions extends ProblemOptions {
  /**
   * Hears of every error that is answered with a status of 500 or more. Unless given, `console.error` does, and of what passes by
   * itself, such as a projection that is behind, `console.warn` hears the message.
   */
  readonly report?: ((error: unknown, request: IncomingMessage) => void) | undefined;
}

/** @returns the response that tells a client of an error: `application/problem+json`, as {@link problemOf} has it. */
export function problemResponse(error: unknown, options?: ProblemOptions): ProblemResponse {
  const body = problemOf(error, options);
  const headers = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(typeof body.retryAfter === 'number' && { 'retry-after': String(body.retryAfter) }),
  };
  return { status: body.status, headers, body };
}

/**
 * Answers a request with the problem that an error is. A response whose head is sent already is cut off, so that the client does
 * not take half of it for the whole.
 */
export function answerProblem(
  error: unknown,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  options: ProblemAnswerOptions = {},
): void {
  const { status, headers, body } = reportedProblem(error, request, options);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) if (isOfBody(name)) response.removeHeader(name);
  response.writeHead(status, headers).end(JSON.stringify(body));
}

/** @returns the response to an error, which is reported where nobody else would hear of it. */
export function reportedProblem(
  error: unknown,
  request: IncomingMessage,
  { report = tell, ...options }: ProblemAnswerOptions = {},
): ProblemResponse {
  const answer = problemResponse(error, options);
  if (answer.status < 500) return answer;
  try {
    report(error, request);
  } catch (failure) {
    process.emitWarning(`report threw: ${String(failure)}`, 'EventfoldWarning');
  }
  return answer;
}

function tell(error: unknown): void {
  if (isPassing(error)) console.warn(error.message);
  else console.error(error);
}

/** What was set of the body that is not sent. */
function isOfBody(name: string): boolean {
  return ['etag', 'last-modified', 'content-length', 'content-encoding', 'content-type', 'content-range'].includes(name);
}
