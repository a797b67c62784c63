import { EventSourcingError } from '../../event-sourcing-error';

/** A DataSource is of a type that there is no dialect for. */
export class UnsupportedDatabaseError extends EventSourcingError {
  override readonly code = 'UNSUPPORTED_DATABASE';

  constructor(
    readonly type: string,
    supported: readonly string[],
  ) {
    super(`A DataSource of type "${type}" cannot keep events. Use one of ${supported.join(', ')}.`);
  }
}

/**
 * The connection was lost while an append was being committed: its events may be stored or not. Appending the same
 * events again, with the same ids, is safe: a {@link DuplicateEventError} then says that they were stored.
 */
export class UnknownOutcomeError extends EventSourcingError {
  override readonly code = 'UNKNOWN_OUTCOME';

  constructor(options: ErrorOptions) {
    super(
      'The connection was lost during an append: it may be stored or not. Append again with the same event ids to find out.',
      options,
    );
  }
}

/** The tables, or the functions that belong to them, are not there. */
export class MissingTablesError extends EventSourcingError {
  override readonly code = 'MISSING_TABLES';

  constructor(problem: string, options?: ErrorOptions) {
    super(`${problem}. List eventStoreEntities(…) among the entities with synchronize, or run eventStoreMigrations(…).`, options);
  }
}

/** A transaction is not fit for what was to be appended in it. */
export class UnfitTransactionError extends EventSourcingError {
  override readonly code = 'UNFIT_TRANSACTION';
}

/** Somebody else's transaction stays open on the only connection that there is. Nothing was stored. */
export class ConnectionBusyError extends EventSourcingError {
  override readonly code = 'CONNECTION_BUSY';

  constructor(waitedMs: number) {
    super(
      `A transaction has been open for ${waitedMs} ms on the one connection of this DataSource. What belongs to it is appended through store.within(manager) or es.transaction(manager, …).`,
    );
  }
}
