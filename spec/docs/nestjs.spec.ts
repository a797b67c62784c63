import { randomUUID } from 'node:crypto';
import { Injectable, Module, NotFoundException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  AggregateNotFoundError,
  AggregateRepository,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  Projection,
  type ProjectionContext,
  ProjectionId,
  ProjectionReader,
  Reactor,
  type ReactorContext,
} from 'eventfold';
import {
  EventSourcingModule,
  getAggregatesToken,
  getEventSourcingToken,
  getEventStoreToken,
  InjectAggregates,
  InjectEventSourcing,
  InjectProjection,
} from 'eventfold/nestjs';
import { EventSourcingTestingModule } from 'eventfold/nestjs/testing';
import { fixedClock, scenario } from 'eventfold/testing';
import { eventStoreEntities } from 'eventfold/typeorm';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import { Account, Deposited, Transferred } from '../../samples/bank/account';

const libsql = require('libsql') as unknown;
const database = ':memory:';

@Injectable()
class Rates {
  readonly euros = 2;
}

@Injectable()
class Mailer {
  readonly sent: string[] = [];

  async send(to: string, text: string, _options: { readonly idempotencyKey: string }): Promise<void> {
    this.sent.push(`${to}: ${text}`);
  }
}

@Entity()
@Projection()
class Balance {
  @ProjectionId() @PrimaryColumn('varchar', { length: 36 }) accountId!: string;
  @Column('integer') balance: number = 0;
  @Column('integer') euros: number = 0;

  @Handles(Deposited)
  deposited({ amount }: Deposited, context: ProjectionContext) {
    this.balance += amount;
    this.euros += amount * context.resolve(Rates).euros; // any provider of the application
  }
}

@Injectable()
@Reactor({ from: 'start' })
class TransferMails {
  constructor(private readonly mailer: Mailer) {}

  @Handles(Transferred)
  async transferred({ to, amount }: Transferred, { id }: ReactorContext) {
    await this.mailer.send(to, `You got ${amount}`, { idempotencyKey: id });
  }
}

@Injectable()
class Accounts {
  constructor(
    @InjectAggregates(Account) private readonly accounts: AggregateRepository<Account>,
    @InjectProjection(Balance) private readonly balances: ProjectionReader<Balance>,
  ) {}

  async deposit(accountId: string, amount: number) {
    const account = await this.accounts.loadOrCreate({ accountId });
    await account.deposit(amount);
  }

  async balance(accountId: string) {
    const found = await this.balances.get({ accountId });
    if (found === undefined) throw new NotFoundException();
    return found.balance;
  }
}

@Module({
  imports: [EventSourcingModule.forFeature([Account, Balance, TransferMails])],
  providers: [Accounts, TransferMails, Mailer, Rates],
  exports: [Accounts],
})
class AccountsModule {}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database,
      driver: libsql,
      synchronize: true,
      autoLoadEntities: true, // finds Balance
      entities: eventStoreEntities('better-sqlite3'), // the tables that events are kept in
    }),
    EventSourcingModule.forRoot(),
    AccountsModule,
  ],
})
class AppModule {}

describe('docs/nestjs.md', () => {
  const accountId = randomUUID();

  it('is an application', async () => {
    const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
    app.enableShutdownHooks(); // SIGTERM lets commands under way end
    await app.get(Accounts).deposit(accountId, 5);
    const es = app.get(EventSourcing);
    await es.projections.caughtUp();
    expect(await app.get(DataSource).getRepository(Balance).findOneBy({ accountId })).toMatchObject({ balance: 5, euros: 10 });
    expect(await app.get(Accounts).balance(accountId)).toBe(5);
    await expect(app.get(Accounts).balance(randomUUID())).rejects.toThrow(NotFoundException);
    await (await es.load(Account, { accountId })).transfer(accountId, 1);
    await es.projections.caughtUp(TransferMails);
    expect(app.get(Mailer).sent).toStrictEqual([`${accountId}: You got 1`]);
    await app.close();
  });

  it('shows the other ways to open', async () => {
    @Injectable()
    class Settings {
      readonly role: 'web' | 'worker' = 'web';
    }
    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}
    const imports = [
      EventSourcingModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: (settings: Settings) => ({
          dataSource: { type: 'better-sqlite3', database, driver: libsql, synchronize: true },
          run: settings.role === 'worker' ? 'auto' : 'off',
        }),
      }),
      EventSourcingModule.forRoot({ name: 'audit', store: new InMemoryEventStore() }),
      EventSourcingModule.forFeature([Account], 'audit'),
    ];
    @Injectable()
    class Auditor {
      constructor(
        @InjectEventSourcing('audit') readonly es: EventSourcing,
        @InjectAggregates(Account, 'audit') readonly accounts: AggregateRepository<Account>,
      ) {}
    }
    const app = await NestFactory.createApplicationContext(
      { module: class {}, imports, providers: [Auditor] },
      { logger: ['error'] },
    );
    await (await app.get(Auditor).accounts.create({ accountId })).deposit(1);
    await expect(app.get(EventSourcing).load(Account, { accountId })).rejects.toThrow();
    expect(app.get(getEventSourcingToken('audit'))).toBe(app.get(Auditor).es);
    await app.close();
  });
});

describe('docs/testing.md', () => {
  const accountId = randomUUID();

  it('tests a module in memory', async () => {
    const clock = fixedClock('2024-02-29T12:00:00Z');
    const moduleRef = await Test.createTestingModule({
      imports: [EventSourcingTestingModule.forRoot({ clock }), AccountsModule],
    }).compile();
    const accounts = moduleRef.get(Accounts);
    const es = moduleRef.get(EventSourcing);

    await accounts.deposit(accountId, 90);
    await es.projections.caughtUp();
    expect(await accounts.balance(accountId)).toBe(90);

    await moduleRef.close();
  });

  it('tests the whole application in memory', async () => {
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(getEventStoreToken())
      .useValue(new InMemoryEventStore())
      .compile();
    const app = await moduleRef.init(); // projections run once the application is up
    await app.get(Accounts).deposit(accountId, 1);
    await app.get(EventSourcing).projections.caughtUp();
    expect(await app.get(Accounts).balance(accountId)).toBe(1);
    expect(await app.get(DataSource).getRepository(Balance).count()).toBe(0);
    await app.close();
  });

  it('gives a handler what it asks for', () =>
    scenario(Balance, { accountId }, { resolve: () => new Rates() })
      .given(Deposited, { accountId, amount: 5 })
      .thenState({ euros: 10 }));

  it('tests a service by itself', async () => {
    const loading = { loadOrCreate: () => Promise.reject(new AggregateNotFoundError('Account', { accountId })) };
    const moduleRef = await Test.createTestingModule({ imports: [EventSourcingTestingModule.forRoot(), AccountsModule] })
      .overrideProvider(getAggregatesToken(Account))
      .useValue(loading)
      .compile();
    await expect(moduleRef.get(Accounts).deposit(accountId, 1)).rejects.toThrow(AggregateNotFoundError);
    await moduleRef.close();
  });
});
