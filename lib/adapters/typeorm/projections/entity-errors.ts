import { EventSourcingError } from '../../../event-sourcing-error';

/** A property of an entity holds what its column cannot keep, or the column what the property was not declared to hold. */
export class UnfitValueError extends EventSourcingError {
  override readonly code = 'UNFIT_VALUE';

  constructor(
    readonly className: string,
    readonly property: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${className}.${property} ${problem.replace(/\.$/, '')}.`, options);
  }
}

/** The table of an entity projection is not there, so the projection cannot begin. */
export class MissingEntityTableError extends EventSourcingError {
  override readonly code = 'MISSING_ENTITY_TABLE';

  constructor(
    readonly projection: string,
    readonly table: string,
    options?: ErrorOptions,
  ) {
    super(
      `There is no table ${table}, in which ${projection} is kept. Give the DataSource synchronize, or make the table by a migration: TypeORM generates one for the entity.`,
      options,
    );
  }
}

/** A table cannot be rebuilt beside itself, as something else in the database belongs to it. Nothing was changed. */
export class UnfitTableError extends EventSourcingError {
  override readonly code = 'UNFIT_TABLE';

  constructor(
    readonly table: string,
    problem: string,
  ) {
    super(`The table ${table} cannot be rebuilt: ${problem}.`);
  }
}
