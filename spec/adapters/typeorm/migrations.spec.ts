import { InvalidArgumentError } from 'eventfold';
import {
  eventStoreEntities,
  eventStoreMigrations,
  type TableOptions,
  TypeOrmEventStore,
  UnsupportedDatabaseError,
} from 'eventfold/typeorm';
import type { DataSource, DataSourceOptions } from 'typeorm';
import {
  type Database,
  type DatabasePlace,
  databases,
  describeDatabases,
  mariadb,
  pglite,
  postgres,
  sqlite,
} from '../../controls/databases';
import { ownPlace } from '../../controls/own-place';
import { schemaOf } from '../../controls/schema-of';

const kinds = [postgres, pglite, mariadb, sqlite].filter((database) => databases.includes(database));

describeDatabases('eventStoreMigrations', eventStoreMigrationRules, kinds);

function eventStoreMigrationRules(database: Database): void {
  const places: DatabasePlace[] = [];

  afterEach(async () => {
    for (const place of places.splice(0)) await place.drop();
  });

  /** With the names as they are by default, and with names of the user's. */
  const namings: [string, boolean][] = [
    ['', false],
    [' with a schema and a prefix', true],
  ];
  describe.each(database === pglite ? namings.slice(0, 1) : namings)('tables%s', (_, isNamed) => {
    it('are the same as those of synchronize, which finds nothing more to do', async () => {
      const synchronized = await made(async (place) => {
        const dataSource = await connect(place, { synchronize: true });
        await use(dataSource, place.tables);
        expect(await toSynchronize(dataSource)).toStrictEqual([]);
        return schemaOf(dataSource, schemasOf(place));
      });
      const migrated = await made(async (place) => {
        const dataSource = await connect(place, { migrationsRun: true });
        const atOnce = await schemaOf(dataSource, schemasOf(place));
        await use(dataSource, place.tables);
        expect(await toSynchronize(dataSource)).toStrictEqual([]);
        expect(await schemaOf(dataSource, schemasOf(place))).toStrictEqual(atOnce);
        return atOnce;
      });
      expect(migrated).toStrictEqual(synchronized);
      expect(migrated.length).toBeGreaterThan(25);
    });

    it('stay as they are, with their rows, when migrations run again', async () => {
      for (const how of [{ migrationsRun: true }, { synchronize: true }])
        await made(async (place) => {
          const dataSource = await connect(place, how);
          const ids = await use(dataSource, place.tables);
          const schema = await schemaOf(dataSource, schemasOf(place));
          expect(await dataSource.runMigrations()).toHaveLength('migrationsRun' in how ? 0 : 2);
          await dataSource.query(`DELETE FROM ${tableOf(dataSource, 'migrations')}`);
          expect(await dataSource.runMigrations()).toHaveLength(2);
          expect(await schemaOf(dataSource, schemasOf(place))).toStrictEqual(schema);
          expect(await use(dataSource, place.tables)).toStrictEqual([...ids, ...ids].map((_id, index) => `${index + 1}`));
        });
    });

    it('are gone when the migrations are undone, and come back', async () => {
      await made(async (place) => {
        const dataSource = await connect(place, { migrationsRun: true });
        await use(dataSource, place.tables);
        for (const _ of migrationsOf(place)) await dataSource.undoLastMigration();
        expect(await schemaOf(dataSource, schemasOf(place))).toStrictEqual([]);
        await dataSource.runMigrations();
        expect(await use(dataSource, place.tables)).toStrictEqual(['1', '2', '3']);
      });
    });

    it('of every earlier release, with rows in them, become those of this one', async () => {
      const count = eventStoreMigrations('postgres').length;
      for (let shipped = 1; shipped <= count; shipped += 1)
        await made(async (place) => {
          const dataSource = await connect(place, { migrations: migrationsOf(place).slice(0, shipped), migrationsRun: true });
          await use(dataSource, place.tables);
          for (const Migration of migrationsOf(place).slice(shipped)) dataSource.migrations.push(new Migration());
          await dataSource.runMigrations();
          expect(await use(dataSource, place.tables)).toStrictEqual(['1', '2', '3', '4', '5', '6']);
          expect(await toSynchronize(dataSource)).toStrictEqual([]);
        });
    });

    it('are found by a store also where the entities are not listed', async () => {
      await made(async (place) => {
        const dataSource = await connect(place, { entities: [], migrationsRun: true });
        expect(await use(dataSource, place.tables)).toStrictEqual(['1', '2', '3']);
      });
    });

    /** Does `work` in a new place, which is gone before the next: there is one PGlite in a process. */
    async function made<T>(work: (place: NamedPlace) => Promise<T>): Promise<T> {
      const place = await ownPlace(database);
      places.push(place);
      const { schema } = place.tables;
      const named = { place, schema, tables: {} as TableOptions };
      if (isNamed) {
        const other = schema === undefined ? undefined : await database.make();
        if (other !== undefined) places.push(other);
        named.tables = { ...other?.tables, tablePrefix: 'Billing ' };
      }
      const result = await work(named);
      for (const each of places.splice(0)) await each.drop();
      return result;
    }
  });

  it('are several for several stores in one DataSource', async () => {
    const place = await ownPlace(database);
    places.push(place);
    const options = [{ tablePrefix: 'one_' }, { tablePrefix: 'two_' }, {}];
    const dataSource = await connect(
      { place, schema: place.tables.schema, tables: {} },
      {
        entities: options.flatMap((each) => eventStoreEntities(place.type, each)),
        migrations: options.flatMap((each) => eventStoreMigrations(place.type, each)),
        migrationsRun: true,
      },
    );
    for (const each of options) expect(await use(dataSource, each)).toStrictEqual(['1', '2', '3']);
    expect(await toSynchronize(dataSource)).toStrictEqual([]);
  });
}

describe('eventStoreMigrations', () => {
  it('have fixed names, which end with the time that orders them', () => {
    const names = ['CreateEventStore1763683200000', 'AddProjections1795219200000'];
    expect(eventStoreMigrations('postgres').map(({ name }) => name)).toStrictEqual(names);
    expect(eventStoreMigrations('mysql').map((Migration) => new Migration().name)).toStrictEqual(names);
    const [first] = eventStoreMigrations('postgres', { schema: 'billing', tablePrefix: 'ef_' });
    expect(first?.name).toBe('CreateEventStore_billing.ef__1763683200000');
  });

  it('are not there for a database that there is no dialect for', () => {
    expect(() => eventStoreMigrations('mssql')).toThrow(UnsupportedDatabaseError);
    expect(() => eventStoreEntities('mongodb')).toThrow(UnsupportedDatabaseError);
  });

  it.each(['mysql', 'mariadb', 'better-sqlite3'] as const)('refuse a schema for %s, which has none', (type) => {
    expect(() => eventStoreMigrations(type, { schema: 'billing' })).toThrow(InvalidArgumentError);
    expect(() => eventStoreEntities(type, { schema: 'billing' })).toThrow(InvalidArgumentError);
  });
});

/** Where tables are made, and what they are called. */
interface NamedPlace {
  readonly place: DatabasePlace;
  /** The schema of the DataSource. */
  readonly schema: string | undefined;
  readonly tables: TableOptions;
}

function migrationsOf({ place, tables }: NamedPlace) {
  return eventStoreMigrations(place.type, tables);
}

function schemasOf({ schema, tables }: NamedPlace): string[] {
  return [schema, tables.schema].filter((name) => name !== undefined);
}

function connect(named: NamedPlace, options: Partial<DataSourceOptions>): Promise<DataSource> {
  return named.place.connect({
    entities: eventStoreEntities(named.place.type, named.tables),
    migrations: migrationsOf(named),
    synchronize: false,
    ...(named.schema !== undefined && { schema: named.schema }),
    ...options,
  } as Partial<DataSourceOptions>);
}

/** What TypeORM would change in the tables. */
async function toSynchronize(dataSource: DataSource): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}

function tableOf(dataSource: DataSource, name: string): string {
  const { schema } = dataSource.options as { schema?: string };
  return [schema, name].flatMap((part) => (part === undefined ? [] : [dataSource.driver.escape(part)])).join('.');
}

/** Appends three events to a stream, and saves a snapshot. @returns the positions of all events. */
async function use(dataSource: DataSource, tables: TableOptions): Promise<string[]> {
  const store = new TypeOrmEventStore(dataSource, tables);
  const event = { type: 'noted', data: { text: '“ça” 😀' }, metadata: { by: 'Ł' }, tags: ['note:ł'] };
  await store.append([{ stream: 'a', events: [event, event], guard: { version: 'any' } }]);
  const condition = { criteria: [{ tags: ['note:l'] }], after: undefined };
  await store.append([{ stream: 'a', events: [event], guard: { condition } }]);
  const positions: string[] = [];
  for await (const { position, data, metadata, tags } of store.read({ criteria: [{ tags: ['note:ł'] }] })) {
    expect({ data, metadata, tags }).toStrictEqual({ data: event.data, metadata: event.metadata, tags: event.tags });
    positions.push(position);
  }
  await store.close();
  return positions;
}
