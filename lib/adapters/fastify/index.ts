export { type EventfoldPluginOptions, eventfoldPlugin } from './eventfold-plugin';
export { healthCheck } from './health-check';
export { notFound } from './not-found';
export { problemHandler } from './problem-handler';
export { readYourWrites } from './read-your-writes';
export { type ServerSentEventsOptions, serverSentEvents } from './server-sent-events';
