import { createHash } from 'node:crypto';
import type { GenerationRecord, ProjectionStore } from 'eventfold';
import type { TypeOrmEventStore } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { tableNames } from '../../../../lib/adapters/typeorm/tables';
import { type DatabasePlace, describeDatabases, mariadb } from '../../../controls/databases';
import { changes, definition, idOf, openStore, roomIn, taken, tally, totals } from './projection-place';

/** Where each change of tables ends its transaction. */
describeDatabases(
  'a swap of tables that a process has left half done',
  (database) => {
    let place: DatabasePlace;
    let store: TypeOrmEventStore;
    let other: TypeOrmEventStore;
    let dataSource: DataSource;
    let building: GenerationRecord;
    let serving: GenerationRecord;

    beforeEach(async () => {
      place = await roomIn(database);
      dataSource = await place.dataSource();
      store = await place.open();
      other = await openStore(place);
      serving = await filled(store.projections, 'serving', 1);
      building = await filled(store.projections, 'building', 2);
    });
    afterEach(async () => {
      for (const each of [store, other]) await each.close();
      await place.drop();
    });

    it('is brought to its end where the tables were not swapped yet', async () => {
      await intend();
      expect(await roles(other.projections)).toStrictEqual(['serving', 'building']);
      await other.projections.create(definition, 1, 'serving');
      await isDone();
    });

    it('is brought to its end where the tables were swapped', async () => {
      await intend();
      const table = 'ef_place_tallies';
      await dataSource.query(`RENAME TABLE ${table} TO ${table}_kept, ${table}_building TO ${table}`);
      await other.projections.create(definition, 1, 'serving');
      await isDone();
    });

    it('is ended by who looks at the records and knows the class', async () => {
      await intend();
      expect(await roles(store.projections)).toStrictEqual(['kept', 'serving']);
      await isDone();
    });

    it('lets nobody take or change what is being swapped', async () => {
      await intend();
      expect(await other.projections.take(building, 'me', 1_000)).toBeUndefined();
      expect(await other.projections.take(serving, 'me', 1_000)).toBeUndefined();
      for (const record of [building, serving])
        expect(await other.projections.commit(definition, record, changes(record))).toBe(false);
    });

    it('is brought to its end where what was kept is built again', async () => {
      expect(await store.projections.promote(definition, building, serving)).toBe(true);
      await mark({ 1: 'reopening' });
      expect(await roles(store.projections)).toStrictEqual(['building', 'serving']);
      expect(await totals(other.projections, definition, 'building')).toStrictEqual({ serving: 1 });
    });

    it('is left alone for as long as another process works on it', async () => {
      const { table } = tableNames(dataSource, place.tables).projections;
      const hash = createHash('sha256').update(`${table} ${definition.projection}`).digest('hex').slice(0, 40);
      const holder = dataSource.createQueryRunner();
      const [{ held }] = await holder.query('SELECT GET_LOCK(?, 0) AS held', [`eventfold ${hash}`]);
      expect(Number(held)).toBe(1);
      await intend();
      let isOver = false;
      const looking = roles(store.projections).then((found) => {
        isOver = true;
        return found;
      });
      await new Promise((turn) => setTimeout(turn, 6_500));
      expect(isOver).toBe(false);
      await holder.query('SELECT RELEASE_LOCK(?)', [`eventfold ${hash}`]);
      await holder.release();
      expect(await looking).toStrictEqual(['kept', 'serving']);
      await isDone();
    });

    async function isDone(): Promise<void> {
      expect(await roles(other.projections)).toStrictEqual(['kept', 'serving']);
      expect(await totals(other.projections)).toStrictEqual({ building: 2 });
      expect(await totals(other.projections, definition, 'kept')).toStrictEqual({ serving: 1 });
      const [, served] = await other.projections.records();
      expect(await other.projections.commit(definition, building, changes(building))).toBe(false);
      expect(await other.projections.commit(definition, served as GenerationRecord, changes(served as GenerationRecord))).toBe(
        true,
      );
    }

    /** What a process writes down before it swaps. */
    function intend(): Promise<void> {
      return mark({ 1: 'falling', 2: 'rising' });
    }

    async function mark(intents: Readonly<Record<number, string>>): Promise<void> {
      for (const [generation, role] of Object.entries(intents))
        await dataSource.query('UPDATE eventfold_projections SET role = ?, token = token + 1 WHERE generation = ?', [
          role,
          generation,
        ]);
    }
  },
  [mariadb],
);

async function filled(projections: ProjectionStore, role: 'serving' | 'building', total: number): Promise<GenerationRecord> {
  const record = await taken(projections, definition, role);
  const saved = [{ id: idOf(role), state: tally(role, total), isNew: true }];
  await projections.commit(definition, record, changes(record, { saved }));
  return record;
}

async function roles(projections: ProjectionStore): Promise<string[]> {
  return (await projections.records()).map(({ role }) => role);
}
