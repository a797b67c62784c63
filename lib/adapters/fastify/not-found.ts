import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemHandler } from './problem-handler';

/**
 * Answers requests that no route takes with Problem Details.
 *
 * @example
 * ```ts
 * app.setNotFoundHandler(notFound());
 * ```
 */
export function notFound() {
  const answer = problemHandler({ describe: () => 404 });
  return (request: FastifyRequest, reply: FastifyReply): void => answer(undefined, request, reply);
}
