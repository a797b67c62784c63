import { randomUUID } from 'node:crypto';
import { Controller, Get, Inject, Injectable, Module, Scope } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  type AggregateRepository,
  type Class,
  ClosedError,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  Projection,
  type ProjectionContext,
  ProjectionId,
  type ProjectionReader,
  Reactor,
  StartUpError,
} from 'eventfold';
import {
  Consistent,
  EventSourcingModule,
  type EventSourcingModuleOptions,
  type EventSourcingOptionsFactory,
  getAggregatesToken,
  getEventSourcingToken,
  getEventStoreToken,
  getProjectionToken,
  InjectAggregates,
  InjectEventSourcing,
  InjectProjection,
  ModuleStartError,
} from 'eventfold/nestjs';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import { Column, DataSource, type DataSourceOptions, Entity, PrimaryColumn } from 'typeorm';
import { Account, AccountBalance, Deposited } from '../../../samples/bank/account';

const memory = (): DataSourceOptions & { readonly type: 'better-sqlite3' } => ({
  type: 'better-sqlite3',
  database: ':memory:',
  driver: require('libsql') as unknown,
  synchronize: true,
});

@Injectable()
class Bank {
  constructor(
    readonly es: EventSourcing,
    @InjectAggregates(Account) readonly accounts: AggregateRepository<Account>,
    @InjectProjection(AccountBalance) readonly balances: ProjectionReader<AccountBalance>,
  ) {}

  async deposit(accountId: string, amount: number): Promise<void> {
    const account = await this.accounts.loadOrCreate({ accountId });
    await account.deposit(amount);
  }
}

@Module({ imports: [EventSourcingModule.forFeature([Account, AccountBalance])], providers: [Bank], exports: [Bank] })
class BankModule {}

@Entity()
@Projection()
class Balance {
  @ProjectionId() @PrimaryColumn('varchar', { length: 36 }) accountId!: string;
  @Column('integer') balance: number = 0;

  @Handles(Deposited)
  deposited({ amount }: Deposited): void {
    this.balance += amount;
  }
}

/** A promise, and what resolves it. */
function gate() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}

/** A module that is up. */
async function started(...imports: unknown[]) {
  const moduleRef = await Test.createTestingModule({ imports: imports as never[] }).compile();
  return moduleRef.init();
}

describe('EventSourcingModule', () => {
  const accountId = randomUUID();

  it('opens one EventSourcing with the classes of every forFeature, and injects what is typed by class', async () => {
    const app = await started(EventSourcingModule.forRoot({ store: new InMemoryEventStore() }), BankModule);
    const bank = app.get(Bank);
    await bank.deposit(accountId, 50);
    await bank.balances.caughtUp();
    expect((await bank.balances.get({ accountId }))?.balance).toBe(50);
    expect(app.get(getEventSourcingToken())).toBe(bank.es);
    expect(bank.es.registry.aggregates().map((described) => described.class)).toStrictEqual(['Account']);
    await app.close();
    await expect(bank.deposit(accountId, 1)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('injects the classes of forRoot everywhere', async () => {
    const app = await started(
      EventSourcingModule.forRoot({ store: new InMemoryEventStore(), classes: [Account, AccountBalance, Account] }),
    );
    const accounts = app.get<AggregateRepository<Account>>(getAggregatesToken(Account), { strict: false });
    await (await accounts.create({ accountId })).deposit(1);
    expect(app.get(getProjectionToken(AccountBalance), { strict: false })).toBeDefined();
    await app.close();
  });

  it('opens several instances, each by its name', async () => {
    @Injectable()
    class Both {
      constructor(
        @InjectEventSourcing() readonly one: EventSourcing,
        @InjectEventSourcing('audit') readonly other: EventSourcing,
        @InjectAggregates(Account, 'audit') readonly audited: AggregateRepository<Account>,
      ) {}
    }
    @Module({ imports: [EventSourcingModule.forFeature([Account], 'audit')], providers: [Both] })
    class BothModule {}
    const app = await started(
      EventSourcingModule.forRoot({ store: new InMemoryEventStore() }),
      EventSourcingModule.forRoot({ name: 'audit', store: new InMemoryEventStore() }),
      BothModule,
    );
    const both = app.get(Both);
    expect(both.one).not.toBe(both.other);
    await (await both.audited.create({ accountId })).deposit(1);
    expect(both.one.registry.aggregates()).toStrictEqual([]);
    expect(both.other.lastAppended).toBeDefined();
    await app.close();
  });

  it('is one when it is imported twice', async () => {
    const store = new InMemoryEventStore();
    @Module({ imports: [EventSourcingModule.forRoot({ store })] })
    class One {}
    @Module({ imports: [EventSourcingModule.forRoot({ store }), BankModule, EventSourcingModule.forFeature([Account])] })
    class Two {}
    const app = await started(One, Two);
    const found = [One, Two].map((module) => app.select(module).get(EventSourcing, { strict: false }));
    expect(new Set(found).size).toBe(1);
    await app.close();
  });

  it('is seen only by modules that import it, or forFeature, where it is not global', async () => {
    @Injectable()
    class Stranger {
      constructor(readonly es: EventSourcing) {}
    }
    @Module({ providers: [Stranger] })
    class StrangerModule {}
    const root = () => EventSourcingModule.forRoot({ store: new InMemoryEventStore(), isGlobal: false });
    await expect(started(root(), StrangerModule)).rejects.toThrow("Nest can't resolve dependencies of the Stranger");
    const app = await started(root(), BankModule);
    expect(app.get(Bank).es).toBeInstanceOf(EventSourcing);
    await app.close();
  });

  it('refuses to be two under one name', async () => {
    const stores = [new InMemoryEventStore(), new InMemoryEventStore()];
    const opening = started(...stores.map((store) => EventSourcingModule.forRoot({ store })));
    await expect(opening).rejects.toThrow(ModuleStartError);
    await expect(opening).rejects.toThrow('imported twice, with different options');
  });

  describe('forRootAsync', () => {
    let store = new InMemoryEventStore();

    beforeEach(() => {
      store = new InMemoryEventStore();
    });

    @Injectable()
    class Options implements EventSourcingOptionsFactory {
      createEventSourcingOptions(): EventSourcingModuleOptions {
        return { store };
      }
    }
    @Module({ providers: [Options], exports: [Options] })
    class OptionsModule {}

    it.each([
      ['useFactory', { useFactory: async (options: Options) => options.createEventSourcingOptions(), inject: [Options] }],
      ['useClass', { useClass: Options }],
      ['useExisting', { useExisting: Options }],
    ])('takes options of %s', async (_, given) => {
      const app = await started(EventSourcingModule.forRootAsync({ imports: [OptionsModule], ...given }), BankModule);
      await app.get(Bank).deposit(accountId, 1);
      expect(app.get(getEventStoreToken(), { strict: false })).toBe(store);
      await app.close();
    });

    it('says what is missing', () => {
      expect(() => EventSourcingModule.forRootAsync({})).toThrow('needs one of useFactory, useClass and useExisting');
    });
  });

  describe('with @nestjs/typeorm', () => {
    it('keeps events in its DataSource, whose autoLoadEntities finds entity projections', async () => {
      const typeorm = TypeOrmModule.forRoot({
        ...memory(),
        autoLoadEntities: true,
        entities: eventStoreEntities('better-sqlite3'),
      });
      const app = await started(EventSourcingModule.forRoot(), typeorm, BankModule, EventSourcingModule.forFeature([Balance]));
      const bank = app.get(Bank);
      await bank.deposit(accountId, 50);
      await bank.es.projections.caughtUp();
      expect(await app.get(DataSource).getRepository(Balance).find()).toStrictEqual([
        Object.assign(new Balance(), { accountId, balance: 50 }),
      ]);
      await app.close();
    });

    it('keeps those of a named instance in the DataSource of that name', async () => {
      const typeorm = TypeOrmModule.forRoot({
        ...memory(),
        name: 'audit',
        autoLoadEntities: true,
        entities: eventStoreEntities('better-sqlite3'),
      } as never);
      const app = await started(
        typeorm,
        EventSourcingModule.forRootAsync({ name: 'audit', useFactory: () => ({}) }),
        EventSourcingModule.forFeature([Account, Balance], 'audit'),
      );
      const es = app.get<EventSourcing>(getEventSourcingToken('audit'), { strict: false });
      await (await es.create(Account, { accountId })).deposit(7);
      await es.projections.caughtUp(Balance);
      expect(await es.projections.all(Balance)).toMatchObject([{ balance: 7 }]);
      await app.close();
    });

    it('says so when there is none', async () => {
      await expect(started(EventSourcingModule.forRoot(), BankModule)).rejects.toThrow(
        'EventSourcingModule cannot start. It finds no DataSource of @nestjs/typeorm to keep events in.',
      );
    });
  });

  it('makes a DataSource of its own from options, with all tables, and closes it', async () => {
    const { synchronize: _, ...dataSource } = memory();
    const root = EventSourcingModule.forRoot({
      dataSource: { ...dataSource, synchronize: true },
      storeOptions: { tablePrefix: 'shop_' },
    });
    const app = await started(root, BankModule, EventSourcingModule.forFeature([Balance]));
    const bank = app.get(Bank);
    await bank.deposit(accountId, 50);
    await bank.es.projections.caughtUp();
    expect(await bank.es.projections.all(Balance)).toHaveLength(1);
    expect(app.get(getEventStoreToken(), { strict: false })).toBeInstanceOf(TypeOrmEventStore);
    await app.close();
  });

  describe('start-up mistakes', () => {
    @Projection()
    class Broken {
      @ProjectionId() id!: string;

      @Handles(Deposited)
      deposited(): void {}
    }

    it('are one error that is logged as its message', async () => {
      const store = new InMemoryEventStore();
      const opening = started(EventSourcingModule.forRoot({ store }), EventSourcingModule.forFeature([Broken, Bank]));
      const error: unknown = await opening.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ModuleStartError);
      expect((error as Error).cause).toBeInstanceOf(StartUpError);
      const { inspect } = require('node:util') as typeof import('node:util');
      expect(inspect(error)).toBe(`ModuleStartError: ${(error as Error).message}`);
      expect((error as Error).message).toMatch(
        /^EventSourcingModule cannot start\. 2 mistakes in the annotated classes:\n {2}- /,
      );
    });

    it('include what is no list of classes', () => {
      expect(() => EventSourcingModule.forFeature(Account as never)).toThrow('forFeature takes classes, an array, not Account.');
    });

    it('include a class that is not there yet, as in a circular import', async () => {
      const late = undefined as never;
      const message = 'takes classes, but the one at index 1 is undefined. Do two files import each other?';
      expect(() => EventSourcingModule.forFeature([Account, late])).toThrow(`forFeature ${message}`);
      expect(() => EventSourcingModule.forRoot({ classes: [Account, late] })).toThrow(`forRoot ${message}`);
      expect(() => EventSourcingModule.forRootAsync({ classes: [Account, late] })).toThrow(`forRootAsync ${message}`);
    });

    it('include options that are none, several ways to make them, and a time of grace that is none', async () => {
      expect(() => EventSourcingModule.forRoot(null as never)).toThrow('forRoot takes options, an object, not null.');
      const useFactory = () => ({ store: new InMemoryEventStore() });
      expect(() => EventSourcingModule.forRootAsync({ useFactory, useExisting: Bank as never })).toThrow('not several');
      for (const graceMs of [-1, Number.NaN, '5' as never]) {
        const opening = started(EventSourcingModule.forRoot({ store: new InMemoryEventStore(), graceMs }));
        await expect(opening).rejects.toThrow('Give graceMs of 0 or more.');
      }
    });

    it('include a DataSource or a name that only a factory gives', async () => {
      const stored = (name?: string) =>
        TypeOrmModule.forRoot({ ...memory(), ...(name && { name }), entities: eventStoreEntities('better-sqlite3') });
      const elsewhere = EventSourcingModule.forRootAsync({ useFactory: () => ({ dataSource: 'other' }) });
      await expect(started(stored(), stored('other'), elsewhere)).rejects.toThrow(
        'Its factory gives dataSource "other", which has to be known before.',
      );
      const renamed = EventSourcingModule.forRootAsync({
        useFactory: () => ({ store: new InMemoryEventStore(), name: 'audit' }),
      });
      await expect(started(renamed)).rejects.toThrow('A factory cannot name the instance "audit". Give forRootAsync the name.');
    });

    it('include what a factory says too late: who sees the instance', async () => {
      const useFactory = () => ({ store: new InMemoryEventStore(), isGlobal: false });
      await expect(started(EventSourcingModule.forRootAsync({ useFactory }))).rejects.toThrow(
        'A factory comes too late to say isGlobal. Give it to forRootAsync.',
      );
    });

    it('include routes that wait for what is no projection of their instance, and for an instance that nobody opens', async () => {
      @Controller()
      @Consistent(AccountBalance)
      class Waiting {
        @Get('a')
        @Consistent([AccountBalance, Account])
        one(): void {}

        @Get('b')
        @Consistent(Bank, { instance: 'audit' })
        other(): void {}
      }

      @Module({ controllers: [Waiting] })
      class WaitingModule {}

      const root = EventSourcingModule.forRoot({ store: new InMemoryEventStore(), classes: [Account] });
      await expect(started(root, WaitingModule)).rejects.toThrow(
        [
          'EventSourcingModule cannot start. @Consistent of Waiting waits: AccountBalance is no registered projection. List it in EventSourcing.open({ classes: […] }).',
          '@Consistent of Waiting.one waits: AccountBalance is no registered projection. List it in EventSourcing.open({ classes: […] }).',
          '@Consistent of Waiting.one waits: Account is no registered projection. List it in EventSourcing.open({ classes: […] }).',
          '@Consistent of Waiting.other waits for the instance "audit", which is nowhere opened.',
        ].join('\n'),
      );
    });

    it('include an unknown option, and an instance that nobody opens', async () => {
      const unknown = EventSourcingModule.forRoot({ store: new InMemoryEventStore(), stores: [] } as never);
      await expect(started(unknown)).rejects.toThrow('EventSourcingModule.forRoot knows no option "stores".');
      await expect(started(BankModule)).rejects.toThrow('Import EventSourcingModule.forRoot({ … }) in the root module.');
    });
  });

  describe('what handlers are given', () => {
    @Injectable()
    class Rates {
      readonly euros = 2;
    }

    @Projection()
    class Euros {
      total = 0;

      @Handles(Deposited)
      deposited({ amount }: Deposited, context: ProjectionContext): void {
        this.total += amount * context.resolve(Rates).euros;
      }
    }

    @Injectable()
    @Projection({ kind: 'custom' })
    class Letters {
      @ProjectionId() readonly accountId!: string;
      readonly sent: string[] = [];

      constructor(private readonly rates: Rates) {}

      @Handles(Deposited)
      deposited({ amount }: Deposited): void {
        this.sent.push(`${this.accountId} ${amount * this.rates.euros}`);
      }
    }

    it('comes from the container: services of a document, and all of a custom projection', async () => {
      @Module({ imports: [EventSourcingModule.forFeature([Euros, Letters])], providers: [Rates, Letters] })
      class LettersModule {}
      const app = await started(EventSourcingModule.forRoot({ store: new InMemoryEventStore() }), BankModule, LettersModule);
      const { es } = app.get(Bank);
      const other = randomUUID();
      for (const id of [accountId, other]) await app.get(Bank).deposit(id, 5);
      await es.projections.caughtUp();
      expect((await es.projections.get(Euros))?.total).toBe(20);
      expect(app.get(Letters).sent).toStrictEqual([`${accountId} 10`, `${other} 10`]);
      expect(app.get(Letters).accountId).toBeUndefined();
      await app.close();
    });

    it('is one for all events', async () => {
      @Injectable({ scope: Scope.REQUEST })
      @Projection({ kind: 'custom' })
      class Fickle extends Letters {
        @Handles(Deposited)
        override deposited(event: Deposited): void {
          super.deposited(event);
        }
      }
      @Module({ imports: [EventSourcingModule.forFeature([Fickle])], providers: [Rates, Fickle] })
      class FickleModule {}
      const opening = started(EventSourcingModule.forRoot({ store: new InMemoryEventStore() }), FickleModule);
      await expect(opening).rejects.toThrow('Fickle is a provider of scope REQUEST');
    });

    it('needs nothing that is made for a request', async () => {
      @Injectable({ scope: Scope.REQUEST })
      class Session {}

      @Injectable()
      class Mailer {
        constructor(@Inject(Session) readonly session: Session) {}
      }

      @Injectable()
      @Reactor({ from: 'now' })
      class Welcome {
        constructor(@Inject(Mailer) readonly mailer: Mailer) {}

        @Handles(Deposited)
        deposited(): void {}
      }
      @Module({ imports: [EventSourcingModule.forFeature([Welcome])], providers: [Session, Mailer, Welcome] })
      class WelcomeModule {}
      const opening = started(EventSourcingModule.forRoot({ store: new InMemoryEventStore() }), WelcomeModule);
      await expect(opening).rejects.toThrow('Welcome needs a provider of scope REQUEST, but there is one Welcome for all events');
    });

    it('has to be provided', async () => {
      const opening = started(
        EventSourcingModule.forRoot({ store: new InMemoryEventStore() }),
        EventSourcingModule.forFeature([Letters]),
      );
      await expect(opening).rejects.toThrow('in NestJS list it in providers');
    });
  });

  it('says what to do about a module that is loaded lazily', async () => {
    const load = async (classes: Class[]) => {
      const app = await started(EventSourcingModule.forRoot({ store: new InMemoryEventStore(), classes }));
      const loading = app.get(LazyModuleLoader).load(() => BankModule);
      const bank = await loading.then((moduleRef) => moduleRef.get(Bank)).finally(() => app.close());
      return bank.accounts;
    };
    await expect(load([])).rejects.toThrow('give it to forRoot({ classes }) as well');
    expect(await load([Account, AccountBalance])).toBeDefined();
  });

  it('starts nothing, and refuses nothing, when the application is closed while it starts', async () => {
    const { promise: isClosed, resolve: go } = gate();

    @Module({})
    class SlowModule {
      async onModuleInit(): Promise<void> {
        await isClosed;
      }
    }
    const moduleRef = await Test.createTestingModule({
      imports: [EventSourcingModule.forRoot({ store: new InMemoryEventStore() }), BankModule, SlowModule],
    }).compile();
    const app = moduleRef.createNestApplication();
    const starting = app.init();
    await app.close();
    go();
    await starting;
    await expect(moduleRef.get(EventSourcing).head()).rejects.toThrow(ClosedError);
  });

  describe('run', () => {
    it('runs projections once the application is up', async () => {
      const store = new InMemoryEventStore();
      const moduleRef = await Test.createTestingModule({
        imports: [EventSourcingModule.forRoot({ store }), BankModule],
      }).compile();
      const { es } = moduleRef.get(Bank);
      await moduleRef.get(Bank).deposit(accountId, 1);
      expect((await es.projections.status(AccountBalance))[0]?.state).toBe('stopped');
      await moduleRef.init();
      await es.projections.caughtUp();
      await moduleRef.close();
    });

    it("runs none with 'off', and none before they are started with 'manual'", async () => {
      for (const run of ['off', 'manual'] as const) {
        const app = await started(EventSourcingModule.forRoot({ store: new InMemoryEventStore(), run }), BankModule);
        const { es } = app.get(Bank);
        await app.get(Bank).deposit(accountId, 1);
        expect((await es.projections.status(AccountBalance))[0]?.state).toBe('stopped');
        if (run === 'off') await expect(es.projections.start()).rejects.toThrow("by projections: { run: 'off' }");
        else await es.projections.start();
        await app.close();
      }
    });
  });
});
