// Words for classes
export { Aggregate, type AggregateOptions } from './decorators/aggregate';
export { Command, type CommandDecorator, type CommandOptions } from './decorators/command';
export {
  type AnyClassDecorator,
  Event,
  type EventDecorator,
  type EventOptions,
  type SchemaMisfit,
  type SchemaOptions,
} from './decorators/event';
export { Handles, type HandlesDecorator, type IdMap } from './decorators/handles';
export { Projection, type ProjectionOptions } from './decorators/projection';
export { type AnyPropertyDecorator, ProjectionId } from './decorators/projection-id';
export { Reactor, type ReactorOptions } from './decorators/reactor';
export type { SnapshotOptions } from './decorators/snapshot-options';
export {
  type Split,
  type SplitsOptions,
  type Upcast,
  Upcasts,
  type UpcastsDecorator,
  type UpcastsOptions,
  upcasts,
} from './decorators/upcasts';
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
export { AggregateRepository } from './lib/aggregates/aggregate-repository';
export {
  AggregateRoot,
  type AnyAggregate,
  expectUnchanged,
  type IdsOf,
  uncommittedEvents,
  versionOf,
} from './lib/aggregates/aggregate-root';
// Delivery
export type { EventFeed } from './lib/delivery/event-feed';
// The front door
export {
  type AggregateStats,
  type AppendGuard,
  type CloseOptions,
  EventSourcing,
  type EventSourcingOptions,
  type EventsOptions,
  type SystemStats,
  type TransactionOptions,
} from './lib/event-sourcing';
// Errors
export { EventSourcingError } from './lib/event-sourcing-error';
export type { InvalidStoredEvent, OnInvalid } from './lib/events/checked-upcasting';
export type { Criterion } from './lib/events/criterion';
export type { Class, DataKey, InstanceOf, Payload, PayloadArgument } from './lib/events/event-class';
export { EventValidationError, InvalidPayloadError, UnknownEventTypeError, type Violation } from './lib/events/event-errors';
export { InvalidArgumentError } from './lib/events/invalid-argument-error';
export type { EventContext, EventMetadata, EventPart, Position, RecordedEvent } from './lib/events/recorded-event';
export type { StandardSchema } from './lib/events/standard-schema';
export { UnreadablePayloadError } from './lib/events/unreadable-payload-error';
export { UnstorablePayloadError } from './lib/events/unstorable-payload-error';
export { MissingUpcasterError, NewerEventError, UpcastError } from './lib/events/upcast-errors';
export { type Dropped, dropped, type UpcastEvent, type UpcastTarget } from './lib/events/upcaster';
export type { Upcasting } from './lib/events/upcasting';
// Registry
export type { AsyncApiDocument, AsyncApiOptions } from './lib/metadata/async-api';
// Events
export { createEvent } from './lib/metadata/create-event';
export { DecoratorError } from './lib/metadata/decorator-error';
export type {
  BoundaryDescription,
  ClassDescription,
  EventDescription,
  HandlerDescription,
  IdSourceDescription,
  UpcasterDescription,
} from './lib/metadata/descriptions';
export { InvalidIdError, UnresolvedIdError } from './lib/metadata/identity';
export type { JsonSchema } from './lib/metadata/json-schema';
export type { UpcasterSource } from './lib/metadata/listed-upcasters';
export { type Mistake, type MistakeCode, StartUpError } from './lib/metadata/mistake';
export { type EvolutionOptions, NotRegisteredError, Registry } from './lib/metadata/registry';
export type { ProjectionMode, RetryPolicy, SnapshotPolicy } from './lib/metadata/slots';
export { type StoredEvents, type UnreadableEvents, UnreadableEventsError } from './lib/metadata/unreadable-events';
export type { UpcasterFunction } from './lib/metadata/upcaster-function';
// Projections
export type { ProjectionContext } from './lib/projections/folding/projection-context';
export type { ParkedEvent, ProjectionFailure } from './lib/projections/parking/parked-event';
export {
  CaughtUpTimeoutError,
  ChangedKindError,
  ClosedError,
  LiveProjectionError,
  NotParkedError,
  ProjectionError,
  ReactorError,
  TooManyParkedError,
} from './lib/projections/projection-errors';
export type { ProjectionState, ProjectionStatus, RebuildStatus } from './lib/projections/projection-status';
export type { ProjectionStorage } from './lib/projections/projection-storage';
export type { CaughtUpOptions } from './lib/projections/reading/caught-up-options';
export type { Ids, ParkedIds } from './lib/projections/reading/ids';
export { ProjectionReader } from './lib/projections/reading/projection-reader';
export type { InstanceUpdate, StartUpdate, Update, UpdatesOptions } from './lib/projections/reading/update';
export type { ComparisonReport, Difference } from './lib/projections/rebuilding/comparison';
export type { FollowOptions, RebuildOptions, RebuildReport } from './lib/projections/rebuilding/rebuild';
export {
  CustomProjectionError,
  NothingKeptError,
  OutdatedProjectionError,
  RebuildCancelledError,
  RebuildFailedError,
  RebuildUnderWayError,
} from './lib/projections/rebuilding/rebuild-errors';
export type { OnProgress, RebuildProgress } from './lib/projections/rebuilding/rebuild-progress';
export type { ProjectionRunOptions } from './lib/projections/run-options';
export type { ReactorContext } from './lib/projections/running/reaction';
export type { Services } from './lib/projections/services';
// Snapshots
export type { SnapshotMiss, SnapshotStats } from './lib/snapshots/snapshot-stats';
// Store
export type { Append, AppendedPart, AppendResult, AppendTransaction, BeforeCommit, Guard, NewEvent } from './lib/store/append';
export type { Appended } from './lib/store/append-tracker';
export { checkAppends, checkPage, checkQuery } from './lib/store/check-input';
export type { Ending } from './lib/store/ending';
export type { EventQuery, Page, PageRequest } from './lib/store/event-query';
export type { EventStore } from './lib/store/event-store';
export { EventStream } from './lib/store/event-stream';
export { InMemoryEventStore, type InMemoryEventStoreOptions } from './lib/store/in-memory-event-store';
export type {
  BlockedInstance,
  CatchUp,
  Changes,
  Failure,
  Fence,
  GenerationId,
  GenerationRecord,
  InlineTransaction,
  InstanceId,
  ProjectionStore,
  ProjectionTransaction,
  PromotionTransaction,
  QueuedEvent,
  Role,
  SavedInstance,
  StateDefinition,
  StateKind,
} from './lib/store/projection-store';
export type { Snapshot, SnapshotStore } from './lib/store/snapshot-store';
export {
  DuplicateEventError,
  InvalidAppendError,
  InvalidPositionError,
  InvalidQueryError,
  KeyTooLongError,
  type LockedInstance,
  OptimisticLockError,
  StoreClosedError,
} from './lib/store/store-errors';
export type { StoredType, StoredTypesScan } from './lib/store/stored-type';
export type { AddedTags, PositionRange, TagCoverage, TagSource, TagSources } from './lib/store/tag-sources';
export type { JoinedEventStore, TransactionalEventStore } from './lib/store/transactional-event-store';
// Tags
export { UntaggableEventError } from './lib/tags/untaggable-event-error';
export { type UntaggedEvents, UntaggedEventsError } from './lib/tags/untagged-events-error';
