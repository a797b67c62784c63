import { EventSourcing, Handles, Projection, type ProjectionContext, ProjectionId } from 'eventfold';
import type { DataSource, EntityManager } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres } from '../../controls/databases';
import { ownPlace } from '../../controls/own-place';
import { Added, added, Gate } from '../../controls/tally';

/** What its handler does in the append's transaction. */
let before: (manager: EntityManager) => Promise<unknown>;
let calls = 0;

@Projection({ mode: 'inline' })
class Meeting {
  @ProjectionId() id!: string;
  sum = 0;

  @Handles(Added)
  async added({ amount }: Added, { manager }: ProjectionContext<EntityManager>) {
    calls += 1;
    await before(manager);
    this.sum += amount;
  }
}

describeDatabases(
  'An append with inline projections',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    let es: EventSourcing;
    const update = (id: number) => `UPDATE meetings SET n = n + 1 WHERE id = ${id}`;

    beforeEach(async () => {
      place = await ownPlace(database);
      const { schema } = place.tables;
      dataSource = await place.connect();
      if (schema !== undefined) await dataSource.query(`CREATE TABLE "${schema}".meetings (id int PRIMARY KEY, n int)`);
      else await dataSource.query('CREATE TABLE meetings (id int PRIMARY KEY, n int)');
      await dataSource.query(on(`INSERT INTO meetings VALUES ${Array.from({ length: 3_000 }, (_, id) => `(${id}, 0)`).join()}`));
      es = await EventSourcing.open({ store: await place.open(), classes: [Meeting] });
    });
    afterEach(async () => {
      await es.close();
      await place.drop();
    });

    const on = (sql: string) =>
      sql.replaceAll('meetings', place.tables.schema === undefined ? 'meetings' : `"${place.tables.schema}".meetings`);

    it('is made again by itself when the database ends a deadlock at its cost', async () => {
      const [met, held] = [new Gate(), new Gate()];
      const other = dataSource.createQueryRunner();
      await other.startTransaction();
      // Who has changed more is not the one that is given up, nor is who has waited for less long.
      await other.query(on('UPDATE meetings SET n = 1 WHERE id > 1'));
      if (database === postgres) await other.query(`SET LOCAL deadlock_timeout = '20s'`);
      calls = 0;
      before = async (manager) => {
        if (calls > 1) return;
        await manager.query(on(update(1)));
        met.open();
        await held.opened;
        await manager.query(on(update(2)));
      };
      const appending = es.appendUnguarded('s', [added('a', 1)]);
      await met.opened;
      const waiting = other.query(on(update(1)));
      held.open();
      await waiting;
      await other.commitTransaction();
      await other.release();
      await appending;
      expect(calls).toBe(2);
      expect(await es.projections.get(Meeting, { id: 'a' })).toMatchObject({ sum: 1 });
      expect(await dataSource.query(on('SELECT n FROM meetings WHERE id = 1'))).toMatchObject([{ n: 1 }]);
      expect((await es.projections.status())[0]).toMatchObject({ state: 'live', lag: { events: 0 } });
    });
  },
  [postgres, mariadb],
);
