import { EventSourcing } from 'eventfold';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases } from '../../../../controls/databases';
import { credited, DocumentLedger, foldOf, notesOf, RowLedger } from './ledgers';
import { ledgerPlace } from './place';

describeDatabases('A projection whose table was dropped', (database) => {
  let place: DatabasePlace;
  let dataSource: DataSource;
  let es: EventSourcing;
  let warnings: string[];
  const { emitWarning } = process;
  beforeEach(async () => {
    warnings = [];
    process.emitWarning = (warning) => void warnings.push(String(warning));
    place = await ledgerPlace(database);
    dataSource = await place.dataSource();
    es = await EventSourcing.open({ store: await place.open(), classes: [RowLedger, DocumentLedger] });
    await append('first');
    await es.projections.caughtUp();
  });
  afterEach(async () => {
    process.emitWarning = emitWarning;
    await es?.close();
    await place?.drop();
  });

  const append = (note: string) => es.appendUnguarded('s', [credited('a', `${note}.a`), credited('b', `${note}.b`)]);

  it('stands still and says why, parks nothing, holds up no other, and goes on when the table is back', async () => {
    const { tablePath } = dataSource.getMetadata(RowLedger);
    const table = tablePath
      .split('.')
      .map((part) => dataSource.driver.escape(part))
      .join('.');
    const rows = await dataSource.manager.find(RowLedger);
    await dataSource.query(`DROP TABLE ${table}`);
    await append('second');
    await es.projections.caughtUp(DocumentLedger);
    await expect(es.projections.caughtUp(RowLedger, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'CAUGHT_UP_TIMEOUT' });
    expect(warnings).toMatchObject([expect.stringMatching(/^RowLedger stands still.*fault_rows/)]);
    expect(await es.projections.parked()).toStrictEqual([]);

    await dataSource.synchronize();
    await dataSource.manager.insert(
      RowLedger,
      rows.map(({ id, count, notes }) => ({ id, count, notes })),
    );
    await append('third');
    await es.projections.caughtUp(undefined, { timeoutMs: 20_000 });
    const { all } = await foldOf(await place.open());
    expect(notesOf(await es.projections.all(RowLedger))).toStrictEqual(all);
    expect(notesOf(await es.projections.all(DocumentLedger))).toStrictEqual(all);
    expect(await es.projections.parked()).toStrictEqual([]);
  });

  it('is told of when it is opened again, without anything new, and by a rebuild', async () => {
    await es.close();
    const escaped = dataSource
      .getMetadata(RowLedger)
      .tablePath.split('.')
      .map((part) => dataSource.driver.escape(part));
    await dataSource.query(`DROP TABLE ${escaped.join('.')}`);
    es = await EventSourcing.open({ store: await place.open(), classes: [RowLedger] });
    const status = async () => (await es.projections.status())[0];
    while ((await status())?.state !== 'failed') await new Promise((turn) => setTimeout(turn, 5));
    expect((await status())?.lastError).toMatch(/fault_rows/);
    await expect(es.projections.rebuild(RowLedger)).rejects.toMatchObject({
      code: 'REBUILD_FAILED',
      message: expect.stringMatching(/^RowLedger could not be rebuilt: .*fault_rows/),
    });
  });
});
