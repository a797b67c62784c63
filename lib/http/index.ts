// Concurrency
export { etagOf } from './etag';
// Health
export { type Health, type HealthOptions, healthOf, type ProjectionHealth } from './health';
// Errors
export { InvalidHeaderError, PreconditionFailedError, PreconditionRequiredError } from './http-errors';
export { isPassing, type Problem, type ProblemDescription, type ProblemOptions, problemOf } from './problem';
export {
  answerProblem,
  type ProblemAnswerOptions,
  type ProblemResponse,
  problemResponse,
  reportedProblem,
} from './problem-response';
// Reading what one has written
export { positionHeader, type ReadYourWritesOptions, waitForOwnWrites } from './read-your-writes';
// The request behind events
export { type RequestContextOptions, requestContext } from './request-context';
export { type MatchOptions, requireMatch } from './require-match';
export { type Exchange, type RequestOptions, runInRequest } from './run-in-request';
// Server-sent events
export { type SendEventsOptions, sendEvents } from './send-events';
export { frameOf, type ServerSentEvent } from './server-sent-event';
export { type ServerSentUpdatesOptions, serverSentUpdates } from './server-sent-updates';
