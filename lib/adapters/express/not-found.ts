import type { RequestHandler } from 'express';
import { answerProblem } from '../../http/problem-response';

/** Answers requests that no route takes with Problem Details. Use it after the routes. */
export function notFound(): RequestHandler {
  return (request, response) => answerProblem(undefined, { request, response }, { describe: () => 404 });
}
