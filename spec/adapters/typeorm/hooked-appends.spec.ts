import { AsyncLocalStorage } from 'node:async_hooks';
import {
  createEvent,
  Event,
  EventSourcing,
  Handles,
  OptimisticLockError,
  Projection,
  type ProjectionContext,
  ProjectionError,
  ProjectionId,
} from 'eventfold';
import { eventStoreEntities, type TypeOrmEventStore } from 'eventfold/typeorm';
import { Column, type DataSource, Entity, type Logger, PrimaryColumn, type QueryRunner } from 'typeorm';
import { type DatabasePlace, describeDatabases, mariadb, postgres, sqlite } from '../../controls/databases';
import { ownPlace } from '../../controls/own-place';

// Servers may be busy with other specs.

@Event('hooked.noted')
class Noted {
  id!: string;
  amount!: number;
}

@Event('hooked.echoed')
class Echoed {
  id!: string;
}

/** Stands for what an application knows of the request under way. */
const callers = new AsyncLocalStorage<string>();

/** What `Sum` does with an event, too; reset before each test. */
let alsoDo: (event: Noted) => void;

@Entity('hooked_sums')
@Projection({ mode: 'inline' })
class Sum {
  @ProjectionId() @PrimaryColumn('varchar', { length: 36 }) id!: string;
  @Column('integer') total: number = 0;
  @Column('integer') echoes: number = 0;
  @Column('varchar', { length: 36 }) caller: string = '';
  @Column('varchar', { length: 20 }) position: string = '';

  @Handles(Noted)
  noted(event: Noted, { position }: ProjectionContext) {
    if (event.amount < 0) throw new Error('negative');
    this.total += event.amount;
    this.caller = callers.getStore() ?? 'nobody';
    this.position = position;
    alsoDo(event);
  }

  @Handles(Echoed)
  echoed() {
    this.echoes += 1;
  }
}

/** Knows the statements, or messages of several, in each transaction of appends. */
class Transactions implements Logger {
  all: string[][] = [];
  private readonly open = new Map<QueryRunner, string[]>();

  logQuery(query: string, _parameters: unknown, runner?: QueryRunner): void {
    if (runner === undefined) return;
    if (/^(BEGIN|START TRANSACTION)/.test(query)) this.open.set(runner, []);
    this.open.get(runner)?.push(query);
    if (!/COMMIT$|ROLLBACK$/.test(query)) return;
    const transaction = this.open.get(runner) ?? [];
    this.open.delete(runner);
    if (transaction.some((text) => /hooked_sums/.test(text))) this.all.push(transaction);
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const noted = (id: string, amount: number) => createEvent(Noted, { id, amount });

describeDatabases(
  'HookedAppends',
  (database) => {
    const log = new Transactions();
    let place: DatabasePlace;
    let dataSource: DataSource;
    let store: TypeOrmEventStore;
    let es: EventSourcing;

    beforeAll(async () => {
      place = await ownPlace(database);
      const schema = place.tables.schema;
      const entities = [Sum, ...eventStoreEntities(place.type, place.tables)];
      dataSource = await place.connect({ entities, logger: log, logging: true, ...(schema && { schema }) } as object);
    });
    beforeEach(async () => {
      alsoDo = () => undefined;
      await place.clear();
      store = await place.open({}, dataSource);
      es = await EventSourcing.open({ store, classes: [Sum, Noted, Echoed] });
      await append('a', 1);
      log.all = [];
    });
    afterEach(() => es.close());
    afterAll(() => place.drop());

    const append = (id: string, amount: number, by = es) => by.appendUnguarded(`s-${id}`, [noted(id, amount)]);
    const sumOf = (id: string) => dataSource.getRepository(Sum).findOneByOrFail({ id });

    it('commits together what arrives at once, each with its own outcome', async () => {
      const claims = range(2).map((amount) => es.append('claim', [noted('claim', amount + 10)], { version: 'none' }));
      const settled = await Promise.allSettled([...claims, ...range(12).map((index) => append(`i${index % 3}`, index))]);
      expect(log.all).toHaveLength(1);
      expect(settled.map(({ status }) => status).slice(0, 3)).toStrictEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect((settled[1] as PromiseRejectedResult).reason).toBeInstanceOf(OptimisticLockError);
      expect((await sumOf('claim')).total).toBe(10);
      expect((await Promise.all(range(3).map((index) => sumOf(`i${index}`)))).map(({ total }) => total)).toStrictEqual([
        18, 22, 26,
      ]);
      const results = settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      expect(results.map(({ events }) => events.length)).toStrictEqual(range(13).map(() => 1));
      expect((await sumOf('i2')).position).toBe(results.at(-1)?.position);
    });

    it('lets a handler fail its own append alone', async () => {
      const settled = await Promise.allSettled(range(6).map((index) => append('a', index === 2 ? -1 : 10)));
      expect(settled.map(({ status }) => status === 'fulfilled')).toStrictEqual([true, true, false, true, true, true]);
      expect((settled[2] as PromiseRejectedResult).reason).toBeInstanceOf(ProjectionError);
      expect((await sumOf('a')).total).toBe(51);
      await append('a', 1);
      expect((await sumOf('a')).total).toBe(52);
    });

    it('runs each handler in the context of who appends', async () => {
      await Promise.all(range(5).map((index) => callers.run(`caller-${index}`, () => append(`i${index}`, 1))));
      expect(log.all).toHaveLength(1);
      for (const index of range(5)) expect((await sumOf(`i${index}`)).caller).toBe(`caller-${index}`);
    });

    it('stores what a handler appends with what led to it, once', async () => {
      alsoDo = ({ id, amount }) => {
        if (amount === 7) void es.appendUnguarded(`echo-${id}`, [createEvent(Echoed, { id })]);
      };
      const results = await Promise.all(range(4).map((index) => append('a', index === 1 ? 7 : 1)));
      expect(results.map(({ events }) => events.length)).toStrictEqual([1, 2, 1, 1]);
      expect(await sumOf('a')).toMatchObject({ total: 11, echoes: 1 });
      expect(await store.head()).toBe((await sumOf('a')).position);
    });

    it('knows what others have changed meanwhile', async () => {
      const other = await EventSourcing.open({ store: await place.open({}, dataSource), classes: [Sum, Noted, Echoed] });
      for (const index of range(12)) await append('a', 1, index % 3 === 0 ? other : es);
      expect((await sumOf('a')).total).toBe(13);
      await es.projections.pause(Sum);
      await append('a', 1);
      await es.projections.resume(Sum);
      for (const _ of range(2)) await append('a', 1, other);
      await append('a', 1);
      expect((await sumOf('a')).total).toBe(17);
      await other.close();
    });

    it('makes a row again that somebody has removed', async () => {
      for (const _ of range(3)) await append('a', 1);
      await dataSource.getRepository(Sum).delete({ id: 'a' });
      await append('a', 5);
      await append('a', 5);
      expect((await sumOf('a')).total).toBeGreaterThanOrEqual(10);
    });

    if (database !== postgres) return;

    it('waits for two answers where the rows are at hand, and for one more where they are read', async () => {
      for (const id of ['a', 'a', 'b', 'a', 'b', 'b']) await append(id, 1);
      expect(log.all.map(({ length }) => length)).toStrictEqual([4, 2, 3, 2, 2, 2]);
    });
  },
  [sqlite, postgres, mariadb],
);
