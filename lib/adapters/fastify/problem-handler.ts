import type { FastifyReply, FastifyRequest } from 'fastify';
import { isPassing, type ProblemOptions } from '../../http/problem';
import { problemResponse } from '../../http/problem-response';

/**
 * Answers errors with Problem Details, and logs those with a status of 500 or more. {@link eventfoldPlugin} sets it. Fastify answers
 * addresses that it cannot read before any plugin: give it to them as `frameworkErrors`.
 *
 * @example
 * ```ts
 * const app = fastify({ frameworkErrors: problemHandler() });
 * app.setErrorHandler(problemHandler());
 * ```
 */
export function problemHandler(options?: ProblemOptions) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const { status, headers, body } = problemResponse(error, options);
    if (isPassing(error)) request.log.warn(error.message);
    else if (status >= 500) request.log.error(error);
    void reply
      .status(status)
      .headers(headers)
      .send(Buffer.from(JSON.stringify(body)));
  };
}
