import { createEvent, Event, EventSourcing, Handles, Projection, type ProjectionContext, ProjectionId } from 'eventfold';
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqliteInMemory } from '../../../../controls/databases';
import { Credited, credited, Shared, shared } from './ledgers';
import { ledgerPlace } from './place';

/** What goes wrong with the one event that does. */
type Way = 'thrown' | 'null' | 'not a number' | 'too long' | 'bad SQL' | 'hidden bad SQL' | 'unfit text';

@Event('poison.given')
class Poisoned {
  id!: string;
  way!: Way;
}

@Entity('fault_delicate_rows')
@Projection()
class Delicate {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('int') count: number = 0;
  @Column('varchar', { length: 50 }) last: string = '';
  @Column('varchar', { length: 50 }) mark: string = '';

  @Handles(Credited)
  credited({ note }: Credited) {
    this.count += 1;
    this.last = note;
  }

  @Handles(Shared, { id: 'ids' })
  shared({ note }: Shared) {
    this.count += 1;
    if (note === 'too much for odd ones' && Number(this.id.slice(1)) % 2 === 1) throw new Error('odd');
    this.last = note;
  }

  @Handles(Poisoned)
  async poisoned({ way }: Poisoned, { manager }: ProjectionContext<EntityManager>) {
    this.count += 1;
    if (way === 'thrown') throw new Error('poison');
    if (way === 'null') this.mark = null as never;
    if (way === 'not a number') this.count = Number.NaN;
    if (way === 'too long') this.mark = 'x'.repeat(51);
    if (way === 'unfit text') this.mark = 'a\u0000b';
    if (way === 'bad SQL') await manager.query('SELECT nothing FROM nowhere');
    if (way === 'hidden bad SQL') await manager.query('SELECT nothing FROM nowhere').catch(() => undefined);
  }
}

describeDatabases(
  'A poisonous event',
  (database) => {
    let place: DatabasePlace;
    let es: EventSourcing;
    beforeAll(async () => {
      place = await ledgerPlace(database, [Delicate]);
    });
    beforeEach(async () => {
      await place.clear();
      es = await EventSourcing.open({ store: await place.open(), classes: [Delicate], projections: { run: 'manual' } });
      es.projections.errors().subscribe();
    });
    afterEach(() => es?.close());
    afterAll(() => place?.drop());

    /** Has a chunk of 500 with an event in its middle folded at once. */
    async function foldAround(event: object): Promise<Delicate[]> {
      const events: object[] = Array.from({ length: 499 }, (_, index) => credited(`i${index % 20}`, `n${index}`));
      events.splice(250, 0, event);
      await es.appendUnguarded('s', events);
      await es.projections.start();
      await es.projections.caughtUp();
      return es.projections.all(Delicate);
    }

    // SQLite takes texts of any length; PostgreSQL knows no text with a zero, and ends a transaction at the first error in it.
    const ways: Way[] = ['thrown', 'null', 'not a number', 'bad SQL'];
    if (!/^SQLite/.test(database.name)) ways.push('too long');
    if (database === postgres) ways.push('unfit text', 'hidden bad SQL');

    it.each(ways)('is parked for its instance alone, which waits, and all others go on: %s', async (way) => {
      const rows = await foldAround(createEvent(Poisoned, { id: 'i7', way }));
      // Of the events of i7, some came before it.
      const before = Array.from({ length: 250 }, (_, index) => index).filter((index) => index % 20 === 7);
      expect(rows.find(({ id }) => id === 'i7')).toMatchObject({ count: before.length, last: `n${before.at(-1)}` });
      const others = rows.filter(({ id }) => id !== 'i7');
      expect(others.map(({ count }) => count)).toStrictEqual(others.map(({ id }) => (id === 'i19' ? 24 : 25)));
      expect(others).toHaveLength(19);
      const parked = await es.projections.parked(Delicate);
      expect(parked).toMatchObject([{ ids: { id: 'i7' }, attempts: 1, waiting: 25 - before.length }]);
      expect(parked[0]?.event.type).toBe('poison.given');

      await es.projections.skip(Delicate, { id: 'i7' });
      expect(await es.projections.get(Delicate, { id: 'i7' })).toMatchObject({ count: 25, last: 'n487' });
      expect(await es.projections.parked(Delicate)).toStrictEqual([]);
    });

    it('of several instances is parked for those that it fails on', async () => {
      const rows = await foldAround(shared(['i6', 'i7', 'i8'], 'too much for odd ones'));
      const counts = new Map(rows.map(({ id, count }) => [id, count]));
      expect(['i6', 'i7', 'i8'].map((id) => counts.get(id))).toStrictEqual([26, 13, 26]);
      expect(await es.projections.parked(Delicate)).toMatchObject([{ ids: { id: 'i7' }, waiting: 12 }]);
    });

    it('may be many: what they are between is applied', async () => {
      const events = Array.from({ length: 300 }, (_, index) =>
        index % 10 === 3
          ? createEvent(Poisoned, { id: `p${index}`, way: index % 20 === 3 ? 'null' : 'thrown' })
          : credited('a', `n${index}`),
      );
      await es.appendUnguarded('s', events);
      await es.projections.start();
      await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
      expect(await es.projections.all(Delicate)).toMatchObject([{ id: 'a', count: 270, last: 'n299' }]);
      expect(await es.projections.parked(Delicate)).toHaveLength(30);
    });
  },
  [postgres, mariadb, sqliteInMemory],
);
