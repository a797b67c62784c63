import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClsPluginTransactional, Propagation, Transactional, TransactionHost } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { EventSourcing, ForeignTransactionError } from 'eventfold';
import type { TypeOrmEventStore, TypeOrmEventStoreOptions } from 'eventfold/typeorm';
import { ClsModule } from 'nestjs-cls';
import type { DataSource, EntityManager } from 'typeorm';
import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  initializeTransactionalContext,
  Propagation as Propagations,
  runInTransaction,
  StorageDriver,
} from 'typeorm-transactional';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../../controls/databases';
import { connectWithNotes, note, notesIn, storeOn } from '../../controls/notes';
import { type Counted, Refused, Tally, Wallet } from '../../controls/wallets';

/** How a library runs work in a transaction, and in a savepoint or a transaction of its own within. */
interface Library {
  run<T>(work: () => Promise<T>): Promise<T>;
  nested<T>(work: () => Promise<T>): Promise<T>;
  apart<T>(work: () => Promise<T>): Promise<T>;
  manager(): EntityManager;
  end(): Promise<void>;
}

function typeormTransactional(dataSource: DataSource): Library {
  initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE });
  addTransactionalDataSource(dataSource);
  return {
    run: (work) => runInTransaction(work),
    // It has no savepoints: its NESTED is a transaction of its own.
    nested: (work) => dataSource.manager.transaction(() => work()),
    apart: (work) => runInTransaction(work, { propagation: Propagations.NOT_SUPPORTED }),
    manager: () => dataSource.manager,
    end: async () => {
      deleteDataSourceByName('default');
    },
  };
}

async function nestjsCls(dataSource: DataSource): Promise<Library> {
  @Module({ providers: [{ provide: 'DATA_SOURCE', useValue: dataSource }], exports: ['DATA_SOURCE'] })
  class DataModule {}

  @Injectable()
  class Works {
    @Transactional()
    run<T>(work: () => Promise<T>): Promise<T> {
      return work();
    }

    @Transactional(Propagation.Nested)
    nested<T>(work: () => Promise<T>): Promise<T> {
      return work();
    }

    @Transactional(Propagation.NotSupported)
    apart<T>(work: () => Promise<T>): Promise<T> {
      return work();
    }
  }

  @Module({
    imports: [
      ClsModule.forRoot({
        plugins: [
          new ClsPluginTransactional({
            imports: [DataModule],
            adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: 'DATA_SOURCE' }),
          }),
        ],
      }),
    ],
    providers: [Works],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
  const works = app.get(Works);
  return {
    run: (work) => works.run(work),
    nested: (work) => works.nested(work),
    apart: (work) => works.apart(work),
    manager: () => TransactionHost.getInstance().tx as EntityManager,
    end: () => app.close(),
  };
}

const libraries = { 'typeorm-transactional': typeormTransactional, '@nestjs-cls/transactional': nestjsCls };

describe.each(Object.entries(libraries))('In a transaction of %s', (_, start) => {
  describeDatabases(
    'around the caller',
    (database) => {
      const tallyId = 't';
      let place: DatabasePlace;
      let dataSource: DataSource;
      let library: Library;
      let store: TypeOrmEventStore;
      let es: EventSourcing;

      beforeAll(async () => {
        place = await database.make();
        dataSource = await connectWithNotes(place, true);
        library = await start(dataSource);
      });
      afterAll(async () => {
        await library?.end();
        await place?.drop();
      });
      beforeEach(() => place.clear());
      afterEach(() => es.close());

      async function open(options: TypeOrmEventStoreOptions = {}) {
        store = storeOn(place, dataSource, options);
        es = await EventSourcing.open({ store, classes: [Tally, Wallet] });
      }

      async function stored(): Promise<number[]> {
        const numbers: number[] = [];
        for await (const { data } of store.read({})) numbers.push((data as Counted).by);
        return numbers;
      }

      async function count(by: number) {
        await note(library.manager(), String(by));
        await (await es.loadOrCreate(Tally, { tallyId })).count(by);
      }

      it('commands and appends join it without being told', async () => {
        await open();
        await library.run(async () => {
          await count(1);
          await es.transaction(() => count(2));
          expect(await stored()).toStrictEqual([]);
          expect((await es.load(Tally, { tallyId })).steps).toStrictEqual([1, 2]);
        });
        const rolledBack = library.run(async () => {
          await count(3);
          await store.append([
            { stream: 's', guard: { version: 'any' }, events: [{ type: 'tally.counted', data: { tallyId, by: 4 } }] },
          ]);
          throw new Refused('no');
        });
        await expect(rolledBack).rejects.toBeInstanceOf(Refused);
        await count(5);
        expect(await stored()).toStrictEqual([1, 2, 5]);
        expect(await notesIn(dataSource)).toStrictEqual(['1', '2', '5']);
      });

      it('a savepoint takes its events back with it', async () => {
        await open();
        const tally = await es.create(Tally, { tallyId });
        await library.run(async () => {
          await tally.count(1);
          const savepoint = library.nested(async () => {
            await tally.count(2);
            throw new Refused('no');
          });
          await expect(savepoint).rejects.toBeInstanceOf(Refused);
          await tally.double();
        });
        expect(await stored()).toStrictEqual([1, 1]);
      });

      it('a command of a unit that was begun outside is refused', async () => {
        await open();
        const tally = await es.create(Tally, { tallyId });
        const mixed = es.transaction(() => library.run(() => tally.count(1)));
        await expect(mixed).rejects.toBeInstanceOf(ForeignTransactionError);
        expect(await stored()).toStrictEqual([]);
      });

      it('what is told to stay outside does', async () => {
        if (database === sqlite) return; // One connection: it would wait for itself.
        await open();
        const tally = await es.create(Tally, { tallyId });
        const work = library.run(async () => {
          await library.apart(() => tally.count(1));
          throw new Refused('no');
        });
        await expect(work).rejects.toBeInstanceOf(Refused);
        expect(await stored()).toStrictEqual([1]);
      });

      it('nothing joins it where that is turned off', async () => {
        if (database === sqlite) return; // One connection: it would wait for itself.
        await open({ ambient: false });
        const tally = await es.create(Tally, { tallyId });
        const work = library.run(async () => {
          await tally.count(1);
          throw new Refused('no');
        });
        await expect(work).rejects.toBeInstanceOf(Refused);
        expect(await stored()).toStrictEqual([1]);
      });

      it('another way to find it can be given', async () => {
        let manager: EntityManager | undefined;
        await open({ ambient: () => manager });
        const tally = await es.create(Tally, { tallyId });
        const work = dataSource.transaction(async (given) => {
          manager = given;
          await tally.count(1);
          throw new Refused('no');
        });
        await expect(work).rejects.toBeInstanceOf(Refused);
        manager = undefined;
        await tally.count(2);
        expect(await stored()).toStrictEqual([2]);
      });
    },
    [postgres, mariadb, sqlite],
  );
});
