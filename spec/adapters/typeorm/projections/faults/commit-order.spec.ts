import { EventSourcing } from 'eventfold';
import { type TypeOrmEventStore } from 'eventfold/typeorm';
import { type DatabasePlace, describeDatabases, postgres } from '../../../../controls/databases';
import { asyncLedgers, cure, DocumentLedger, linesOf, notesOf, RowLedger } from './ledgers';
import { connectAgain, ledgerPlace } from './place';

describeDatabases(
  'Projections',
  (database) => {
    let place: DatabasePlace;
    let es: EventSourcing;
    let far: TypeOrmEventStore;
    beforeEach(async () => {
      cure.isFound = false;
      place = await ledgerPlace(database);
      es = await EventSourcing.open({ store: await place.open(), classes: asyncLedgers });
      far = await place.open({}, await connectAgain(place));
    });
    afterEach(async () => {
      await es?.close();
      await place?.drop();
    });

    it('see what commits late, and in the order of the positions', async () => {
      const near = await place.dataSource();
      const farSource = await connectAgain(place);
      far = await place.open({}, farSource);
      const expected: string[] = [];
      for (let round = 1; round <= 10; round += 1) {
        const early = farSource.createQueryRunner();
        const late = farSource.createQueryRunner();
        await early.startTransaction();
        await late.startTransaction();
        // The one that has its position first commits last.
        await append(far.within(early.manager), 'early', `${round}.1`);
        await append(far.within(late.manager), 'late', `${round}.2`);
        await late.commitTransaction();
        await append(far, 'after', `${round}.3`);
        // Nothing may be shown that is beyond what is still open; whether it is looked for is up to the projection.
        await es.projections.caughtUp(undefined, { timeoutMs: 5 }).catch(() => undefined);
        expect(notesOf(await es.projections.all(RowLedger)).a ?? []).toStrictEqual(expected);
        await early.commitTransaction();
        expected.push(`${round}.1`, `${round}.2`, `${round}.3`);
        await es.projections.caughtUp();
        for (const target of [RowLedger, DocumentLedger])
          expect(notesOf(await es.projections.all(target))).toStrictEqual({ a: expected });
        expect(await linesOf(near)).toStrictEqual({ a: expected });
        await early.release();
        await late.release();
      }
    });
  },
  [postgres],
);

function append(store: Pick<TypeOrmEventStore, 'append'>, stream: string, note: string) {
  return store.append([{ stream, guard: { version: 'any' }, events: [{ type: 'ledger.credited', data: { id: 'a', note } }] }]);
}
