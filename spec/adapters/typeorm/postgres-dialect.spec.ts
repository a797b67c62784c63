import { InvalidArgumentError } from 'eventfold';
import { describeDatabases, postgres } from '../../controls/databases';

describeDatabases(
  'PostgresDialect',
  (database) => {
    it('refuses a sequence that hands out several positions at a time, and says what to do', async () => {
      const place = await database.make();
      try {
        const dataSource = await place.connect();
        const sequence = `"${place.tables.schema}".eventfold_events_position_seq`;
        await dataSource.query(`ALTER SEQUENCE ${sequence} CACHE 10`);
        const store = await place.open();
        const append = () => store.append([{ stream: 'a', events: [{ type: 'x', data: {} }], guard: { version: 'any' } }]);
        await expect(append()).rejects.toThrow(InvalidArgumentError);
        await expect(store.head()).rejects.toThrow('CACHE 1');
        await dataSource.query(`ALTER SEQUENCE ${sequence} CACHE 1`);
        expect((await append()).position).toBeDefined();
        await store.close();
      } finally {
        await place.drop();
      }
    });
  },
  [postgres],
);
