import { randomBytes } from 'node:crypto';
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

/** What handlers may put where it cannot be kept, or would come back as something else, and what is said of it. */
const unfit: Readonly<Record<string, readonly [put: (row: Holding) => object, problem: RegExp]>> = {
  'an invalid date': [(row) => Object.assign(row, { at: new Date(Number.NaN) }), /Holding\.at is an invalid Date/],
  'a text that is no time': [(row) => Object.assign(row, { at: 'soon' }), /Holding\.at is "soon", which is no time/],
  'a bigint in JSON': [(row) => Object.assign(row, { json: { a: 1n } }), /Holding\.json cannot be written: .*BigInt/],
  'a Map in JSON': [
    (row) => Object.assign(row, { json: { a: [new Map()] } }),
    /Holding\.json has at a\.0 a Map, which JSON has no word for/,
  ],
  'a Date in JSON': [(row) => Object.assign(row, { json: new Date(0) }), /Holding\.json is a Date, which JSON has no word for/],
  'NaN in JSON': [(row) => Object.assign(row, { json: { a: Number.NaN } }), /Holding\.json has at a NaN/],
  'an item with a comma': [(row) => Object.assign(row, { list: ['a,b'] }), /Holding\.list would come back as another list/],
  'what a transformer refuses': [(row) => Object.assign(row, { trimmed: null }), /Holding\.trimmed cannot be written: .*trim/],
  'an object as a text': [(row) => Object.assign(row, { text: { a: 1 } }), /Holding\.text is an Object; its column keeps texts/],
  'half a surrogate pair': [(row) => Object.assign(row, { text: 'a\ud800' }), /Holding\.text holds half a surrogate pair/],
  'a text as a number': [(row) => Object.assign(row, { sum: 'many' }), /Holding\.sum is many; its column keeps whole numbers/],
  'a list as a number': [(row) => Object.assign(row, { sum: [1, 2] }), /Holding\.sum is an Array|integer/],
  'a large number': [(row) => Object.assign(row, { large: 2n ** 70n }), /Holding\.large is 1180591620717411303424|out of range/i],
};

let put: ((row: Holding) => void) | undefined;

@Entity('ef_refused_holding')
@Projection()
class Holding {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('integer') sum: number = 0;
  @Column('bigint') large: bigint = 0n;
  @Column('text') text: string = '';
  @Column({ type: Date, nullable: true }) at: Date | null = null;
  @Column('simple-json', { nullable: true }) json: object | null = null;
  @Column('simple-array', { nullable: true }) list: string[] | null = null;
  @Column('text', { transformer: { to: (text: string) => text.trim(), from: (text: string) => text } }) trimmed: string = '';

  @Handles(Added)
  added({ amount }: Added) {
    this.sum += amount;
    if (amount === 13) put?.(this);
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

    it.each(Object.entries(unfit))('parks an event whose handler puts in %s, and nothing else stands still', async (_, what) => {
      const [putIn, problem] = what;
      put = putIn;
      await connect([Holding]);
      const es = await open(Holding);
      es.projections.errors().subscribe();
      await es.appendUnguarded('s', [added('a', 1), added('b', 13), added('c', 1), added('b', 1)]);
      await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      const parked = await es.projections.parked();
      expect(parked).toMatchObject([{ ids: { id: 'b' }, waiting: 1 }]);
      expect(String(parked[0]?.error)).toMatch(problem);
      expect((await es.projections.all(Holding)).map(({ id, sum }) => [id, sum])).toStrictEqual([
        ['a', 1],
        ['c', 1],
      ]);
    });

    it('parks an event that makes a text too long for an index', async () => {
      if (database.name !== 'PostgreSQL') return;
      const dataSource = await connect([Holding]);
      await dataSource.query(`CREATE INDEX ON ${dataSource.getMetadata(Holding).tablePath} (text)`);
      put = (row) => {
        row.text = randomBytes(9_000).toString('base64');
      };
      const es = await open(Holding);
      es.projections.errors().subscribe();
      await es.appendUnguarded('s', [added('b', 13), added('c', 1)]);
      await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      expect(await es.projections.parked()).toMatchObject([{ ids: { id: 'b' } }]);
      expect(await es.projections.get(Holding, { id: 'c' })).toMatchObject({ sum: 1 });
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
