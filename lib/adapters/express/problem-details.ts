import type { ErrorRequestHandler } from 'express';
import { answerProblem, type ProblemAnswerOptions } from '../../http/problem-response';

/** Answers errors with Problem Details. Use it after the routes. */
export function problemDetails(options?: ProblemAnswerOptions): ErrorRequestHandler {
  // Express knows a handler of errors by its four parameters.
  return (error, request, response, _next) => answerProblem(error, { request, response }, options);
}
