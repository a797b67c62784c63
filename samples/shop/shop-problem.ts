import type { ProblemDescription } from 'eventfold/http';
import { OutOfStock, Refusal } from './refusals';

/** Says what customers may know of the shop's own refusals. */
export function shopProblem(error: unknown): ProblemDescription | undefined {
  if (!(error instanceof Refusal)) return undefined;
  const { status, name, message } = error;
  const title = status === 409 ? 'Conflict' : 'Unprocessable Content';
  return { status, title, detail: message, code: name, ...(error instanceof OutOfStock && { shortages: error.shortages }) };
}
