import { EventSourcing, Handles, Projection, ProjectionId } from 'eventfold';
import { eventStoreEntities } from 'eventfold/typeorm';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { describeDatabases } from '../../../controls/databases';
import { Added, added } from '../../../controls/tally';

@Entity()
@Projection()
class StartedTally {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('integer') sum: number = 0;

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
  }
}

describeDatabases('A projection in a table that is there already', (database) => {
  it('is refused while the table has rows of others, which stay, and is filled from the first event once it is empty', async () => {
    const place = await database.make();
    const entities = [StartedTally, ...eventStoreEntities(place.type, place.tables)];
    const dataSource = await place.connect({ entities, schema: place.tables.schema } as object);
    try {
      const rows = dataSource.getRepository(StartedTally);
      await rows.insert({ id: 'mine', sum: 7 });
      const before = await EventSourcing.open({ store: await place.open(), classes: [Added] });
      await before.appendUnguarded('s', [added('a', 1), added('b', 2)]);
      await before.close();
      const open = async () => EventSourcing.open({ store: await place.open(), classes: [StartedTally] });
      await expect(open()).rejects.toMatchObject({ code: 'UNFIT_TABLE' });
      expect(await rows.find()).toMatchObject([{ id: 'mine', sum: 7 }]);
      await rows.clear();
      const es = await open();
      await es.projections.caughtUp(StartedTally, { timeoutMs: 20_000 });
      expect(await rows.find({ order: { id: 'ASC' } })).toMatchObject([
        { id: 'a', sum: 1 },
        { id: 'b', sum: 2 },
      ]);
      await es.close();
    } finally {
      await place.drop();
    }
  });
});
