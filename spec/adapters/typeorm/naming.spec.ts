import { Aggregate, AggregateRoot, Command, Event, EventSourcing, Handles, ProjectionId } from 'eventfold';
import { eventStoreEntities, eventStoreMigrations, TypeOrmEventStore } from 'eventfold/typeorm';
import { type DataSource, type DataSourceOptions, DefaultNamingStrategy, EntitySchema, type Logger } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../../controls/databases';
import { ownPlace } from '../../controls/own-place';
import { schemaOf } from '../../controls/schema-of';

@Event('naming.noted')
class Noted {
  noteId!: string;
  text!: string;
}

@Aggregate({ snapshot: { every: 2, revision: 1 } })
class Note extends AggregateRoot<'noteId'> {
  @ProjectionId() readonly noteId!: string;
  texts: string[] = [];

  @Command()
  async write(text: string): Promise<void> {
    this.emit(Noted, { text });
  }

  @Handles(Noted)
  protected noted({ text }: Noted): void {
    this.texts.push(text);
  }
}

/** A user's own entity. Its name and columns are such as the store uses. */
interface User {
  id: number;
  position: string;
}

const User = new EntitySchema<User>({
  name: 'Events',
  columns: { id: { type: 'integer', primary: true }, position: { type: 'varchar', length: 50 } },
});

/** Renames everything, beyond what any convention does. */
class Shouting extends DefaultNamingStrategy {
  override tableName(targetName: string, userSpecifiedName: string): string {
    return `T ${(userSpecifiedName || targetName).toUpperCase()}`;
  }

  override columnName(propertyName: string, customName: string, prefixes: string[]): string {
    return `C_${super.columnName(propertyName, customName, prefixes).toUpperCase()}`;
  }

  override prefixTableName(prefix: string, tableName: string): string {
    return `${prefix}-${tableName}`;
  }
}

describeDatabases(
  'a store in a DataSource of somebody’s own',
  (database) => {
    let place: DatabasePlace;
    beforeEach(async () => {
      place = await ownPlace(database);
    });
    afterEach(() => place?.drop());

    const namingStrategy = new Shouting();
    const ways: [string, Partial<DataSourceOptions>, string][] = [
      ['other entities', {}, 'eventfold_events'],
      ['a naming strategy that renames tables and columns', { namingStrategy }, 'T EVENTFOLD_EVENTS'],
      ['a prefix for all tables', { entityPrefix: 'app_' }, 'app_eventfold_events'],
      ['a naming strategy and a prefix', { namingStrategy, entityPrefix: 'app' }, 'app-T EVENTFOLD_EVENTS'],
    ];
    describe.each(ways)('with %s', (_, options, table) => {
      it('works on the tables of synchronize', async () => {
        const dataSource = await connect({ ...options, synchronize: true });
        await useIt(dataSource);
        expect(await tablesOf(dataSource)).toContain(table);
      });

      it('works on the tables of its migrations, which are the same', async () => {
        const dataSource = await connect({ ...options, migrations: eventStoreMigrations(place.type), migrationsRun: true });
        await dataSource.synchronize();
        await useIt(dataSource);
        const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
        expect(upQueries).toStrictEqual([]);
        expect(await tablesOf(dataSource)).toContain(table);
      });

      it('works on tables that are not among its entities', async () => {
        const options2 = { ...options, migrations: eventStoreMigrations(place.type), migrationsRun: true };
        const dataSource = await connect({ ...options2, entities: [User] });
        await dataSource.synchronize();
        await useIt(dataSource);
      });
    });

    it('tells a logger of each statement, and of those that fail', async () => {
      const logger = new Remembering();
      const dataSource = await connect({ synchronize: true, logger });
      logger.queries.length = 0;
      await useIt(dataSource);
      for (const words of [/insert into|append/i, /select .*"?stream/i, /snapshots/i])
        expect(logger.queries).toContainEqual(expect.stringMatching(words));
      expect(logger.errors).toStrictEqual([]);
      const store = new TypeOrmEventStore(dataSource);
      await store.head();
      await dataSource.query(`DROP TABLE ${place.tables.schema === undefined ? '' : `${place.tables.schema}.`}eventfold_events`);
      await expect(store.head()).rejects.toThrow('eventfold_events');
      expect(logger.errors).toContainEqual(expect.stringContaining('eventfold_events'));
      await store.close();
    });

    async function tablesOf(dataSource: DataSource): Promise<string[]> {
      const { schema } = place.tables;
      const lines = await schemaOf(dataSource, schema === undefined ? [] : [schema]);
      return lines.map((line) => (JSON.parse(line) as { table: string }).table);
    }

    function connect(options: Partial<DataSourceOptions>): Promise<DataSource> {
      return place.connect({
        entities: [User, ...eventStoreEntities(place.type)],
        synchronize: false,
        ...(place.tables.schema !== undefined && { schema: place.tables.schema }),
        ...options,
      } as Partial<DataSourceOptions>);
    }
  },
  [postgres, mariadb, sqlite],
);

/** Commands, snapshots, reading by tag, tags added, and a row of the user's in the transaction of events. */
async function useIt(dataSource: DataSource): Promise<void> {
  const { rows, texts } = await written(dataSource);
  expect({ rows, texts }).toStrictEqual({ rows: [{ id: 1, position: 'first' }], texts: ['0', '1', '2', '3', '4'] });
  const store = new TypeOrmEventStore(dataSource);
  const es = await EventSourcing.open({ store, classes: [Note] });
  expect((await es.load(Note, { noteId: 'a' })).texts).toStrictEqual(texts);
  expect(es.stats().snapshots).toMatchObject({ hits: 1, failed: 0 });
  expect(await store.retag(['naming.noted'], () => ['new:tag'])).toBe(5);
  const versions: number[] = [];
  for await (const { version } of store.read({ criteria: [{ types: ['naming.noted'], tags: ['new:tag'] }] }))
    versions.push(version);
  expect(versions).toStrictEqual([1, 2, 3, 4, 5]);
  await es.close();
}

async function written(dataSource: DataSource): Promise<{ rows: User[]; texts: readonly string[] }> {
  const store = new TypeOrmEventStore(dataSource);
  const es = await EventSourcing.open({ store, classes: [Note] });
  const note = await es.loadOrCreate(Note, { noteId: 'a' });
  for (let index = 0; index < 4; index += 1) await note.write(`${index}`);
  await dataSource.transaction(async (manager) => {
    await manager.getRepository(User).save({ id: 1, position: 'first' });
    const last = { type: 'naming.noted', data: { noteId: 'a', text: '4' }, tags: ['noteId:a'] };
    await store.within(manager).append([{ stream: 'Note:a', events: [last], guard: { version: 4 } }]);
  });
  const { texts } = await es.load(Note, { noteId: 'a' });
  await es.close();
  return { rows: await dataSource.getRepository(User).find(), texts };
}

class Remembering implements Logger {
  readonly queries: string[] = [];
  readonly errors: string[] = [];

  logQuery(query: string): void {
    this.queries.push(query);
  }

  logQueryError(_error: string | Error, query: string): void {
    this.errors.push(query);
  }

  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
