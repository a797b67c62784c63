import { EventSourcing, Handles, Projection, ProjectionId } from 'eventfold';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type DatabasePlace, describeDatabases, sqliteInMemory } from '../../../../controls/databases';
import { Credited, credited, Spoiled, spoiled } from './ledgers';
import { ledgerPlace } from './place';

let isMended = false;

@Entity('fault_limited_rows')
@Projection({ maxParked: 2_000 })
class Limited {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('int') count: number = 0;

  @Handles(Credited)
  credited() {
    this.count += 1;
  }

  @Handles(Spoiled)
  spoiled() {
    if (!isMended) throw new Error('spoiled');
    this.count += 10;
  }
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describeDatabases(
  'A projection of which thousands of instances stand still',
  (database) => {
    let place: DatabasePlace;
    let es: EventSourcing;
    const { emitWarning } = process;
    beforeEach(async () => {
      isMended = false;
      process.emitWarning = () => undefined;
      place = await ledgerPlace(database, [Limited]);
      es = await EventSourcing.open({ store: await place.open(), classes: [Limited], projections: { leaseMs: 300 } });
      es.projections.errors().subscribe();
    });
    afterEach(async () => {
      process.emitWarning = emitWarning;
      await es?.close();
      await place?.drop();
    });

    const total = (rows: readonly Limited[]) => rows.reduce((sum, { count }) => sum + count, 0);

    it('parks as many as it may, then stands still as a whole, and goes on when it is mended and resumed', async () => {
      await es.appendUnguarded(
        's',
        range(1_900).flatMap((index) => [spoiled(`i${index}`, 'x'), credited(`i${index}`, 'y')]),
      );
      await es.projections.caughtUp(undefined, { timeoutMs: 30_000 });
      expect(await es.projections.parked(Limited)).toHaveLength(1_900);

      await es.appendUnguarded(
        's',
        range(1_100).flatMap((index) => [spoiled(`j${index}`, 'x'), credited(`j${index}`, 'y')]),
      );
      let [status] = await es.projections.status();
      while (status?.state !== 'failed') {
        const late = es.projections.caughtUp(undefined, { timeoutMs: 500 });
        await expect(late).rejects.toMatchObject({ code: 'CAUGHT_UP_TIMEOUT' });
        [status] = await es.projections.status();
      }
      expect(status).toMatchObject({ state: 'failed', lastError: expect.stringMatching(/events parked on 2000 instances/) });
      expect(status?.parked).toBeLessThanOrEqual(2_000);

      isMended = true;
      await es.projections.retry(Limited);
      await es.projections.resume(Limited);
      await es.projections.caughtUp(undefined, { timeoutMs: 30_000 });
      expect(await es.projections.parked(Limited)).toStrictEqual([]);
      expect(total(await es.projections.all(Limited))).toBe(3_000 * 11);
    });
  },
  [sqliteInMemory],
);
