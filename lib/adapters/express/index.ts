export { healthCheck } from './health-check';
export { notFound } from './not-found';
export { problemDetails } from './problem-details';
export { readYourWrites } from './read-your-writes';
export { requestContext } from './request-context';
export { type ServerSentEventsOptions, serverSentEvents } from './server-sent-events';
