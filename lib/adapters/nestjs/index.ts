// The module

// HTTP
export { ConsistencyInterceptor, type ConsistentOptions } from './consistency-interceptor';
export { Consistent } from './consistent';
export { EventSourcingExceptionFilter, problemOptionsToken } from './event-sourcing-exception-filter';
export {
  EventSourcingHealthIndicator,
  type EventSourcingHealthResult,
  type HealthIndicatorOptions,
} from './event-sourcing-health-indicator';
export { EventSourcingModule } from './event-sourcing-module';
export { InjectAggregates, type InjectDecorator, InjectEventSourcing, InjectProjection } from './inject';
export { type MessageEventsOptions, messageEvents } from './message-events';
export type {
  EventSourcingModuleAsyncOptions,
  EventSourcingModuleExtras,
  EventSourcingModuleOptions,
  EventSourcingOptionsFactory,
} from './module-options';
export { ModuleStartError } from './module-start-error';
export { RequestContextInterceptor, requestOptionsToken } from './request-context-interceptor';
export { getAggregatesToken, getEventSourcingToken, getEventStoreToken, getProjectionToken } from './tokens';
