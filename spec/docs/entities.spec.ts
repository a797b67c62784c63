import { randomUUID } from 'node:crypto';
import { Type } from 'class-transformer';
import { createEvent, Event, EventSourcing, Handles, Projection, type ProjectionContext, ProjectionId } from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import { Column, DataSource, Entity, type EntityManager, PrimaryColumn } from 'typeorm';

@Event('entities.deposited')
class Deposited {
  accountId!: string;
  amount!: number;
}

@Event('entities.closed')
class Closed {
  accountId!: string;
}

@Entity()
@Projection()
class Balance {
  @ProjectionId() @PrimaryColumn('varchar', { length: 36 }) accountId!: string;
  @Column('integer') balance: number = 0;
  @Column('datetime', { nullable: true }) lastChange: Date | null = null;

  @Handles(Deposited)
  deposited(event: Deposited, context: ProjectionContext) {
    this.balance += event.amount;
    this.lastChange = new Date(context.time);
  }

  @Handles(Closed)
  closed(_event: Closed, context: ProjectionContext) {
    context.delete(); // the row goes; a later event would make a new one
  }
}

@Entity()
@Projection({ mode: 'inline' })
class Overdraft {
  @ProjectionId() @PrimaryColumn('varchar', { length: 36 }) accountId!: string;
  @Column('integer') times: number = 0;

  @Handles(Deposited)
  deposited({ amount }: Deposited, context: ProjectionContext) {
    if (amount < 0) this.times += 1;
    else context.ignore(); // most accounts never get a row
  }
}

@Projection({
  kind: 'custom',
  reset: (manager: EntityManager) => manager.query('DELETE FROM daily_volume'), // for a rebuild
})
class DailyVolume {
  @Handles(Deposited)
  async deposited({ amount }: Deposited, { time, manager }: ProjectionContext<EntityManager>) {
    await manager.query(
      'INSERT INTO daily_volume (day, volume) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET volume = volume + excluded.volume',
      [time.slice(0, 10), amount],
    );
  }
}

class Line {
  constructor(
    readonly at: Date,
    readonly amount: number,
  ) {}

  get isWithdrawal(): boolean {
    return this.amount < 0;
  }
}

@Projection()
class Journal {
  @ProjectionId() accountId!: string;
  @Type(() => Line) lines: Line[] = [];

  @Handles(Deposited)
  deposited({ amount }: Deposited, { time }: ProjectionContext) {
    this.lines.push(new Line(new Date(time), amount));
  }
}

describe('docs/entities.md', () => {
  it('keeps a class in its own table, as JSON, or where its handlers write', async () => {
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      driver: require('libsql'),
      database: ':memory:',
      entities: [Balance, Overdraft, ...eventStoreEntities('better-sqlite3')],
      synchronize: true, // or migrations: eventStoreMigrations(…), beside your own
    }).initialize();
    const es = await EventSourcing.open({
      store: new TypeOrmEventStore(dataSource),
      classes: [Balance, Overdraft, DailyVolume, Journal],
    });
    await dataSource.query('CREATE TABLE daily_volume (day text PRIMARY KEY, volume integer NOT NULL)');
    const [ann, bob, cleo] = [randomUUID(), randomUUID(), randomUUID()];
    const amounts = [
      [ann, 50],
      [bob, 70],
      [bob, -100],
      [cleo, 5],
    ] as const;
    const events = amounts.map(([accountId, amount]) => createEvent(Deposited, { accountId, amount }));
    await es.appendUnguarded('entities', [...events, createEvent(Closed, { accountId: cleo })]);
    expect(await dataSource.getRepository(Overdraft).find()).toEqual([{ accountId: bob, times: 1 }]);
    await es.projections.caughtUp(Balance);
    const richest = await dataSource.getRepository(Balance).find({ order: { balance: 'DESC' }, take: 10 });
    expect(richest).toMatchObject([
      { accountId: ann, balance: 50, lastChange: expect.any(Date) },
      { accountId: bob, balance: -30 },
    ]);
    await es.projections.caughtUp();
    expect(await dataSource.query('SELECT sum(volume) AS volume FROM daily_volume')).toEqual([{ volume: 25 }]);
    const journal = await es.projections.get(Journal, { accountId: bob });
    expect(journal?.lines.map((line) => [line instanceof Line, line.isWithdrawal])).toStrictEqual([
      [true, false],
      [true, true],
    ]);
    await es.close();
    await dataSource.destroy();
  });
});
