// The store
export { type EventStoreMigration, eventStoreMigrations } from './migrations';
// Errors
export { MissingEntityTableError, UnfitTableError, UnfitValueError } from './projections/entity-errors';
export type { ReaderLag } from './reader-lag';
export { type DialectName, eventStoreEntities, type TableOptions } from './tables';
export {
  ConnectionBusyError,
  MissingTablesError,
  UnfitTransactionError,
  UnknownOutcomeError,
  UnsupportedDatabaseError,
} from './typeorm-errors';
export { TypeOrmEventStore, type TypeOrmEventStoreOptions } from './typeorm-event-store';
export type { Polling } from './wake-ups';
