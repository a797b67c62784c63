import { eventStoreSuite } from 'eventfold/testing';
import { type DatabasePlace, describeDatabases } from '../../controls/databases';

describeDatabases('TypeOrmEventStore', (database) => {
  let place: DatabasePlace;
  beforeAll(async () => {
    place = await database.make();
  });
  afterAll(() => place?.drop());

  eventStoreSuite('the contract', async () => {
    await place.clear();
    return place.open();
  });
});
