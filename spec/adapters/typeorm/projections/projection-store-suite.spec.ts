import { projectionStoreSuite } from 'eventfold/testing';
import { eventStoreEntities } from 'eventfold/typeorm';
import { type DataSource, type DataSourceOptions, EntitySchema } from 'typeorm';
import { type Database, type DatabasePlace, describeDatabases } from '../../../controls/databases';
import { ownPlace } from '../../../controls/own-place';

class TallyRow {
  id!: string;
  total = 0;
  note: string | null = null;
}

/** Its table. Where the defaults of a database are of old, its texts are not. */
function tallies(type: DataSourceOptions['type']): EntitySchema<TallyRow> {
  return new EntitySchema<TallyRow>({
    name: 'ef_suite_tallies',
    target: TallyRow,
    columns: {
      id: { type: 'varchar', length: 100, primary: true },
      total: { type: 'int' },
      note: { type: 'text', nullable: true, ...(type === 'mariadb' && { charset: 'utf8mb4' }) },
    },
  });
}

describeDatabases('TypeOrmProjectionStore', (database) => {
  let place: DatabasePlace;
  let again: DataSource | undefined;

  beforeAll(async () => {
    place = await database.make();
    await place.connect();
    again = await other(database, place);
  });
  afterAll(() => place?.drop());

  projectionStoreSuite('of documents', async () => {
    await place.clear();
    return { store: await place.open(), ...(again && { openAgain: () => place.open({}, again) }) };
  });
});

describeDatabases('TypeOrmProjectionStore', (database) => {
  let place: DatabasePlace;
  let again: DataSource | undefined;

  beforeAll(async () => {
    place = await ownPlace(database);
    await connect(place, [tallies(place.type)]);
    again = await other(database, place, [tallies(place.type)]);
  });
  afterAll(() => place?.drop());

  projectionStoreSuite('of entities', async () => {
    await place.clear();
    return { store: await place.open(), target: TallyRow, ...(again && { openAgain: () => place.open({}, again) }) };
  });
});

/** Connects as another process would, where that is possible. */
async function other(database: Database, place: DatabasePlace, entities: readonly EntitySchema[] = []) {
  return database.isShared ? connect(place, entities) : undefined;
}

function connect(place: DatabasePlace, entities: readonly EntitySchema[]): Promise<DataSource> {
  const { schema } = place.tables;
  return place.connect({
    entities: [...eventStoreEntities(place.type, place.tables), ...entities],
    ...(schema !== undefined && { schema }),
  } as Partial<DataSourceOptions>);
}
