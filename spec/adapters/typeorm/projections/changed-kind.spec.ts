import { ChangedKindError, type Class, EventSourcing, Handles, NothingKeptError, Projection, ProjectionId } from 'eventfold';
import { eventStoreEntities } from 'eventfold/typeorm';
import { Column, type DataSource, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { type DatabasePlace, describeDatabases, postgres, sqliteInMemory } from '../../../controls/databases';
import { ownPlace } from '../../../controls/own-place';
import { Added, added } from '../../../controls/tally';

@Projection({ name: 'Kinds' })
class Document {
  @ProjectionId() id!: string;
  sum = 0;

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
  }
}

@Projection({ name: 'Kinds', version: 3 })
class LaterDocument extends Document {
  @Handles(Added)
  override added(event: Added) {
    super.added(event);
  }
}

@Entity('ef_kinds')
@Projection({ name: 'Kinds' })
class Row {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('integer') sum: number = 0;

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
  }
}

@Entity('ef_kinds_2')
@Projection({ name: 'Kinds', version: 2 })
class NextRow {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('integer') sum: number = 0;

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
  }
}

@Projection({ name: 'Kinds', kind: 'custom', reset: (_: EntityManager) => undefined })
class Custom {
  @Handles(Added)
  added() {}
}

describeDatabases(
  'A projection that is kept in another way than what serves',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    const opened: EventSourcing[] = [];
    beforeEach(async () => {
      place = await ownPlace(database);
      const { schema } = place.tables;
      const entities = [Row, NextRow, ...eventStoreEntities(place.type, place.tables)];
      dataSource = await place.connect({ entities, ...(schema !== undefined && { schema }) } as object);
    });
    afterEach(async () => {
      for (const es of opened.splice(0)) await es.close();
      await place.drop();
    });

    const open = async (target: Class, run: 'auto' | 'manual' = 'auto') => {
      const es = await EventSourcing.open({ store: await place.open({}, dataSource), classes: [target], projections: { run } });
      opened.push(es);
      return es;
    };
    const fill = async (target: Class) => {
      const es = await open(target);
      await es.appendUnguarded('s', [added('a', 1), added('b', 2)]);
      await es.projections.caughtUp();
      await es.close();
    };
    const upgraded = async (target: Class, version: number) => {
      const es = await open(target);
      while ((await es.projections.status())[0]?.version !== version) await new Promise((turn) => setTimeout(turn, 5));
      await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      return es;
    };
    const sums = async (es: EventSourcing, target: Class) =>
      (await es.projections.all(target)).map((state) => (state as Row).sum).sort();
    const documents = async () => {
      const { tablePath } = dataSource.getMetadata(
        [place.tables.schema, 'eventfold_documents'].filter((part) => part !== undefined).join('.'),
      );
      const table = tablePath
        .split('.')
        .map((part) => dataSource.driver.escape(part))
        .join('.');
      return (await dataSource.query(`SELECT * FROM ${table}`)) as unknown[];
    };

    it.each([
      [Document, Row, 'document', 'entity'],
      [Row, Document, 'entity', 'document'],
      [Document, Custom, 'document', 'custom'],
      [Custom, Row, 'custom', 'entity'],
    ] as const)('is refused at start-up where its version is the same: %p, then %p', async (before, after, serving, kind) => {
      await fill(before);
      for (const run of ['auto', 'manual'] as const) {
        const refusal = await open(after, run).catch((error: unknown) => error);
        expect(refusal).toBeInstanceOf(ChangedKindError);
        expect(refusal).toMatchObject({ projection: 'Kinds', version: 1, kind, serving });
        expect((refusal as Error).message).toContain('@Projection({ version: 2 })');
      }
      if (before !== Custom) expect(await sums(await open(before), before)).toStrictEqual([1, 2]);
    });

    it('is built anew from documents into a table once its version is raised; what is kept goes, but not back', async () => {
      await fill(Document);
      const es = await upgraded(NextRow, 2);
      expect(await sums(es, NextRow)).toStrictEqual([1, 2]);
      await es.appendUnguarded('s', [added('a', 5)]);
      await es.projections.caughtUp();
      expect(await sums(es, NextRow)).toStrictEqual([2, 6]);
      expect(await documents()).toHaveLength(2);
      const old = await open(Document, 'manual');
      await expect(old.projections.rollback(Document)).rejects.toBeInstanceOf(NothingKeptError);
      await es.projections.dropKept(NextRow);
      expect(await documents()).toHaveLength(0);
      await es.projections.rebuild(NextRow);
      await es.projections.rebuild(NextRow);
      expect(await es.projections.rollback(NextRow)).toMatchObject({ failures: [] });
      expect(await sums(es, NextRow)).toStrictEqual([2, 6]);
    });

    it('drops the documents that were kept with the rebuild after the next', async () => {
      await fill(Document);
      const es = await upgraded(NextRow, 2);
      expect(await documents()).toHaveLength(2);
      await es.projections.rebuild(NextRow);
      expect(await documents()).toHaveLength(0);
      expect(await sums(es, NextRow)).toStrictEqual([1, 2]);
    });

    it('is built anew from a table into documents once its version is raised; the rows stay where they are', async () => {
      await fill(Row);
      const es = await upgraded(LaterDocument, 3);
      expect(await sums(es, LaterDocument)).toStrictEqual([1, 2]);
      expect(await dataSource.manager.count(Row)).toBe(2);
      const old = await open(Row, 'manual');
      await expect(old.projections.rollback(Row)).rejects.toBeInstanceOf(NothingKeptError);
      await es.projections.dropKept(LaterDocument);
      await es.projections.rebuild(LaterDocument);
      expect(await sums(es, LaterDocument)).toStrictEqual([1, 2]);
      expect(await dataSource.manager.count(Row)).toBe(2);
    });

    it('is not built into a table that has rows of others, which stay', async () => {
      await fill(Document);
      await dataSource.manager.insert(NextRow, { id: 'mine', sum: 7 });
      const es = await open(NextRow, 'manual');
      await expect(es.projections.rebuild(NextRow)).rejects.toMatchObject({ code: 'UNFIT_TABLE' });
      expect(await dataSource.manager.find(NextRow)).toMatchObject([{ id: 'mine', sum: 7 }]);
    });
  },
  [postgres, sqliteInMemory],
);
