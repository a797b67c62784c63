// Words for classes
export { Aggregate, type AggregateOptions } from './decorators/aggregate';
export { Command, type CommandDecorator, type CommandOptions } from './decorators/command';
export { type AnyClassDecorator, Event, type EventOptions } from './decorators/event';
export { Handles, type HandlesDecorator, type IdMap } from './decorators/handles';
export { Projection, type ProjectionOptions } from './decorators/projection';
export { type AnyPropertyDecorator, ProjectionId } from './decorators/projection-id';
export type { SnapshotOptions } from './decorators/snapshot-options';
// Aggregates
export {
  AggregateExistsError,
  AggregateNotFoundError,
  ForeignEventError,
  ForeignTransactionError,
  HandlerError,
  MisplacedEmitError,
  ReplayError,
  UnfinishedCommandError,
  UnhandledEmitError,
  UnhandledEventError,
} from './lib/aggregates/aggregate-errors';
export { AggregateRoot, type AnyAggregate, type IdsOf, uncommittedEvents, versionOf } from './lib/aggregates/aggregate-root';
// Delivery
export type { EventFeed } from './lib/delivery/event-feed';
// The front door
export {
  type AggregateStats,
  type AppendGuard,
  EventSourcing,
  type EventSourcingOptions,
  type EventsOptions,
  type SystemStats,
  type TransactionOptions,
} from './lib/event-sourcing';
// Errors
export { EventSourcingError } from './lib/event-sourcing-error';
export type { Criterion } from './lib/events/criterion';
export type { Class, DataKey, InstanceOf, Payload, PayloadArgument } from './lib/events/event-class';
export { EventValidationError, InvalidPayloadError, UnknownEventTypeError, type Violation } from './lib/events/event-errors';
export { InvalidArgumentError } from './lib/events/invalid-argument-error';
export type { EventContext, EventMetadata, Position, RecordedEvent } from './lib/events/recorded-event';
export { UnreadablePayloadError } from './lib/events/unreadable-payload-error';
export { UnstorablePayloadError } from './lib/events/unstorable-payload-error';
// Events
export { createEvent } from './lib/metadata/create-event';
// Registry
export { DecoratorError } from './lib/metadata/decorator-error';
export type {
  BoundaryDescription,
  ClassDescription,
  EventDescription,
  HandlerDescription,
  IdSourceDescription,
} from './lib/metadata/descriptions';
export { InvalidIdError, UnresolvedIdError } from './lib/metadata/identity';
export { type Mistake, type MistakeCode, StartUpError } from './lib/metadata/mistake';
export { NotRegisteredError, Registry } from './lib/metadata/registry';
export type { ProjectionMode, RetryPolicy, SnapshotPolicy } from './lib/metadata/slots';
// Projections
export type { ParkedEvent, ProjectionFailure } from './lib/projections/parked-event';
export {
  CaughtUpTimeoutError,
  ClosedError,
  LiveProjectionError,
  NotParkedError,
  ProjectionError,
} from './lib/projections/projection-errors';
export type { CaughtUpOptions, Ids, ProjectionStorage } from './lib/projections/projection-storage';
// Snapshots
export type { SnapshotMiss, SnapshotStats } from './lib/snapshots/snapshot-stats';
// Store
export type { Append, AppendResult, AppendTransaction, BeforeCommit, Guard, NewEvent } from './lib/store/append';
export { checkAppends, checkPage, checkQuery } from './lib/store/check-input';
export type { EventQuery, Page, PageRequest } from './lib/store/event-query';
export type { EventStore } from './lib/store/event-store';
export { EventStream } from './lib/store/event-stream';
export { InMemoryEventStore, type InMemoryEventStoreOptions } from './lib/store/in-memory-event-store';
export type { Snapshot, SnapshotStore } from './lib/store/snapshot-store';
export {
  DuplicateEventError,
  InvalidAppendError,
  InvalidPositionError,
  InvalidQueryError,
  type LockedInstance,
  OptimisticLockError,
  StoreClosedError,
} from './lib/store/store-errors';
export type { AddedTags, PositionRange, TagCoverage, TagSource, TagSources } from './lib/store/tag-sources';
export type { Ending, JoinedEventStore, TransactionalEventStore } from './lib/store/transactional-event-store';
// Tags
export { UntaggableEventError } from './lib/tags/untaggable-event-error';
export { type UntaggedEvents, UntaggedEventsError } from './lib/tags/untagged-events-error';
