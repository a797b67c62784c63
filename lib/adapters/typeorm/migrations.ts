import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { addProjections } from './add-projections';
import { createEventStore } from './create-event-store';
import type { SchemaChange } from './schema-change';
import { definitionsFor, dialectNameOf, type TableOptions, tableNames } from './tables';

/** A class of a migration, as a DataSource takes it. */
export type EventStoreMigration = (new () => MigrationInterface) & { readonly name: string };

/**
 * Makes the migrations of a store's tables, to be listed among the `migrations` of a DataSource. They make what
 * `synchronize` makes of {@link eventStoreEntities}, and leave alone what is there already. Later releases add to
 * the end of the array.
 *
 * @param type The `type` of the DataSource.
 * @throws {@link UnsupportedDatabaseError} for a type of DataSource that there is no dialect for.
 * @throws {@link InvalidArgumentError} when a schema is given to a database that has none.
 *
 * @example
 * ```ts
 * new DataSource({
 *   type: 'postgres',
 *   entities: [User, ...eventStoreEntities('postgres')],
 *   migrations: [CreateUsers1762000000000, ...eventStoreMigrations('postgres')],
 *   migrationsRun: true,
 * });
 * ```
 */
export function eventStoreMigrations(type: DataSource['options']['type'], options: TableOptions = {}): EventStoreMigration[] {
  const dialect = dialectNameOf(type);
  definitionsFor(dialect, options);
  return [createEventStore(dialect, options), addProjections(dialect, options)].map((change) => migrationOf(change, options));
}

function migrationOf(change: SchemaChange, options: TableOptions): EventStoreMigration {
  // Several stores in one DataSource need migrations of several names.
  const store = [options.schema, options.tablePrefix].filter((part) => part !== undefined).join('.');
  const name = `${change.name}${store === '' ? '' : `_${store}_`}${change.timestamp}`;
  return class implements MigrationInterface {
    static readonly name = name;
    readonly name = name;

    up(runner: QueryRunner): Promise<void> {
      return change.up(runner, tableNames(runner.manager.connection, options));
    }

    down(runner: QueryRunner): Promise<void> {
      return change.down(runner, tableNames(runner.manager.connection, options));
    }
  };
}
