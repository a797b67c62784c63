import { type Class, EventSourcing, Handles, Projection, ProjectionId } from 'eventfold';
import { eventStoreEntities, MissingEntityTableError } from 'eventfold/typeorm';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqliteInMemory } from '../../../controls/databases';
import { ownPlace } from '../../../controls/own-place';
import { Added, added } from '../../../controls/tally';

class Kept {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('integer') sum: number = 0;

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
  }
}

@Entity('ef_refused_shared')
@Projection({ name: 's1' })
class First extends Kept {}

@Entity('ef_refused_shared')
@Projection({ name: 's2' })
class Second extends Kept {}

@Entity('ef_refused_shared')
@Projection({ name: 'live', mode: 'live' })
class Live extends Kept {}

class Part {
  @Column('integer') total: number = 0;
}

@Entity('ef_refused_stray')
@Projection({ maxParked: 10 })
class Stray {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('integer') sum: number = 0;
  @Column(() => Part) part: Part = new Part();

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
    if (amount === 13) (this as unknown as { nope: number }).nope = amount;
    if (amount === 14) (this.part as unknown as { later: number }).later = amount;
  }
}

describeDatabases(
  'An entity projection',
  (database) => {
    let place: DatabasePlace;
    const opened: EventSourcing[] = [];
    beforeEach(async () => {
      place = await ownPlace(database);
    });
    afterEach(async () => {
      for (const es of opened.splice(0)) await es.close();
      await place.drop();
    });

    const connect = (entities: readonly Class[]) => {
      const { schema } = place.tables;
      const all = [...entities, ...eventStoreEntities(place.type, place.tables)];
      return place.connect({ entities: all, ...(schema !== undefined && { schema }) } as object);
    };
    const open = async (...classes: Class[]) => {
      const es = await EventSourcing.open({ store: await place.open(), classes });
      opened.push(es);
      return es;
    };

    it('is refused at start-up where the DataSource does not list it, unless it is live', async () => {
      await connect([]);
      await expect(open(First)).rejects.toMatchObject({
        mistakes: [
          {
            code: 'UNFIT_STATE',
            class: 'First',
            problem: 'it is an @Entity() that the DataSource does not list',
            remedy: 'List it in `entities`',
          },
        ],
      });
      await open(Live);
    });

    it('is refused at start-up where another one has its table, also one that is registered late', async () => {
      await connect([First, Second, Live]);
      const refusal = {
        mistakes: [{ code: 'UNFIT_STATE', class: 'Second', problem: expect.stringMatching(/s1 and s2 have one table/) }],
      };
      await expect(open(First, Second)).rejects.toMatchObject(refusal);
      const es = await open(First);
      await expect(es.projections.register(Second)).rejects.toMatchObject(refusal);
      await open(First);
      await open(First, Live);
    });

    it('is refused by name where its table is not there, and begins once it is', async () => {
      const dataSource = await connect([Stray]);
      const runner = dataSource.createQueryRunner();
      await runner.dropTable(dataSource.getMetadata(Stray).tablePath);
      await runner.release();
      const refusal = await open(Stray).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(MissingEntityTableError);
      expect(refusal).toMatchObject({ projection: 'Stray', table: expect.stringContaining('ef_refused_stray') });
      expect((refusal as Error).message).toMatch(/synchronize|migration/);
      await dataSource.synchronize();
      await open(Stray);
    });

    it.each([
      [13, 'Stray.nope'],
      [14, 'Stray.part.later'],
    ])('parks an event whose handler sets what is no column (%p)', async (amount, member) => {
      await connect([Stray]);
      const es = await open(Stray);
      await es.appendUnguarded('s', [added('a', 1), added('b', 2), added('a', amount), added('a', 3), added('b', 4)]);
      await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      const parked = await es.projections.parked();
      expect(parked).toMatchObject([{ ids: { id: 'a' }, waiting: 1 }]);
      expect(String((parked[0] as (typeof parked)[0]).error)).toContain(`${member} was given a value, but is no column`);
      expect(await es.projections.get(Stray, { id: 'a' })).toMatchObject({ sum: 1 });
      expect(await es.projections.get(Stray, { id: 'b' })).toMatchObject({ sum: 6 });
    });
  },
  [postgres, mariadb, sqliteInMemory],
);
