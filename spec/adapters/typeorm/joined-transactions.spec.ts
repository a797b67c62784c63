import {
  createEvent,
  EventSourcing,
  Handles,
  OptimisticLockError,
  Projection,
  ProjectionId,
  type RecordedEvent,
} from 'eventfold';
import { type TypeOrmEventStore, UnfitTransactionError } from 'eventfold/typeorm';
import type { DataSource } from 'typeorm';
import { type DatabasePlace, describeDatabases, postgres } from '../../controls/databases';
import { connectWithNotes, note, notesIn, storeOn } from '../../controls/notes';
import { Counted, Credited, Refused, rejection, signal, Tally, Wallet } from '../../controls/wallets';

/** Credits a wallet whenever something is counted, within the append that counts. */
@Projection({ mode: 'inline' })
class Crediting {
  static es: EventSourcing | undefined;
  @ProjectionId() tallyId!: string;
  credited = 0;

  @Handles(Counted)
  async counted(event: Counted) {
    const credit = createEvent(Credited, { walletId: event.tallyId, amount: event.by });
    await Crediting.es?.appendUnguarded(`credits-${event.tallyId}`, [credit]);
    this.credited += event.by;
  }
}

@Projection({ mode: 'inline' })
class Credits {
  @ProjectionId() walletId!: string;
  amounts: number[] = [];

  @Handles(Credited)
  credited(event: Credited) {
    this.amounts.push(event.amount);
  }
}

describeDatabases('An inline projection that appends a derived event', (database) => {
  let place: DatabasePlace;
  let dataSource: DataSource;
  let store: TypeOrmEventStore;
  let es: EventSourcing;

  beforeAll(async () => {
    place = await database.make();
    dataSource = await connectWithNotes(place, true);
  });
  afterAll(() => place?.drop());
  beforeEach(async () => {
    await place.clear();
    store = storeOn(place, dataSource);
    es = await EventSourcing.open({ store, classes: [Tally, Wallet, Crediting, Credits] });
    Crediting.es = es;
  });
  afterEach(() => es.close());

  async function stored(): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of store.read({})) events.push(event);
    return events;
  }

  it('does so in the same transaction, without waiting for itself', async () => {
    const tallies = await Promise.all(['a', 'b', 'c'].map((tallyId) => es.create(Tally, { tallyId })));
    await Promise.all(tallies.map((tally) => tally.count(5)));
    expect((await stored()).map(({ type }) => type)).toStrictEqual(
      Array.from({ length: 3 }, () => ['tally.counted', 'wallet.credited']).flat(),
    );
    expect(await es.projections.get(Credits, { walletId: 'b' })).toMatchObject({ amounts: [5] });
  });

  it('does so in a transaction of the user’s, which takes all of it back', async () => {
    const work = (end: Error | undefined) =>
      dataSource.transaction(async (manager) => {
        await note(manager, 'a');
        await es.transaction(manager, async () => (await es.loadOrCreate(Tally, { tallyId: 'a' })).count(5));
        await es.transaction(manager, async () => (await es.load(Tally, { tallyId: 'a' })).count(6));
        if (end !== undefined) throw end;
      });
    await expect(work(new Refused('no'))).rejects.toBeInstanceOf(Refused);
    expect(await stored()).toStrictEqual([]);
    expect(await es.projections.get(Credits, { walletId: 'a' })).toBeUndefined();
    await work(undefined);
    expect((await stored()).map(({ type }) => type)).toStrictEqual([
      'tally.counted',
      'wallet.credited',
      'tally.counted',
      'wallet.credited',
    ]);
    expect(await es.projections.get(Credits, { walletId: 'a' })).toMatchObject({ amounts: [5, 6] });
    expect(await es.projections.get(Crediting, { tallyId: 'a' })).toMatchObject({ credited: 11 });
    expect(await notesIn(dataSource)).toStrictEqual(['a']);
  });
});

describeDatabases(
  'A joined transaction',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    let es: EventSourcing;

    beforeAll(async () => {
      place = await database.make();
      dataSource = await connectWithNotes(place, true);
    });
    afterAll(() => place?.drop());
    beforeEach(async () => {
      await place.clear();
      es = await EventSourcing.open({ store: storeOn(place, dataSource), classes: [Tally, Wallet, Credits] });
    });
    afterEach(() => es.close());

    it.each(['REPEATABLE READ', 'SERIALIZABLE'] as const)(
      'at %s takes guards by version, and refuses boundaries',
      async (level) => {
        const [tally, wallet] = [await es.create(Tally, { tallyId: 't' }), await es.create(Wallet, { walletId: 'w' })];
        await dataSource.transaction(level, async (manager) => {
          await es.transaction(manager, () => tally.count(1));
          await note(manager, 'a');
        });
        const refused = dataSource.transaction(level, (manager) => es.transaction(manager, () => wallet.credit(1)));
        expect(await rejection(refused)).toBeInstanceOf(UnfitTransactionError);
        expect(await tally.look()).toBe(1);
        expect(await wallet.look()).toBe(0);
      },
    );

    it('that loses its race may be begun again, and then wins', async () => {
      await (await es.create(Tally, { tallyId: 't' })).count(1);
      let runs = 0;
      const transfer = () =>
        dataSource.transaction((manager) =>
          es.transaction(manager, async () => {
            runs += 1;
            const tally = await es.load(Tally, { tallyId: 't' });
            await tally.double([], runs === 1 ? rival : undefined);
          }),
        );
      const rival = async () => (await other.load(Tally, { tallyId: 't' })).count(10);
      const other = await EventSourcing.open({ store: storeOn(place, dataSource), classes: [Tally, Wallet] });
      expect(await rejection(transfer())).toBeInstanceOf(OptimisticLockError);
      await transfer();
      expect((await es.load(Tally, { tallyId: 't' })).steps).toStrictEqual([1, 10, 11]);
      await other.close();
    });

    it('whose connection is lost leaves nothing behind', async () => {
      const credit = (walletId: string) => es.loadOrCreate(Wallet, { walletId });
      const wallet = await credit('w');
      await wallet.credit(1);
      const [begun, go] = [signal(), signal()];
      let pid = 0;
      const lost = dataSource.transaction(async (manager) => {
        [{ pid }] = await manager.query('SELECT pg_backend_pid() AS pid');
        await es.transaction(manager, () => wallet.credit(2));
        begun.give();
        await go.promise;
        await note(manager, 'a');
      });
      lost.catch(() => undefined);
      await begun.promise;
      await dataSource.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
      go.give();
      await expect(lost).rejects.toThrow();
      await wallet.credit(3);
      expect(await wallet.look()).toBe(4);
      expect(await es.projections.get(Credits, { walletId: 'w' })).toMatchObject({ amounts: [1, 3] });
      expect(await notesIn(dataSource)).toStrictEqual([]);
    });
  },
  [postgres],
);
