import {
  Column,
  CreateDateColumn,
  DeleteDateColumn,
  Entity,
  Generated,
  ManyToOne,
  PrimaryColumn,
  UpdateDateColumn,
  VersionColumn,
} from 'typeorm';
import { UnfitValueError } from '../../../../lib/adapters/typeorm/projections/entity-errors';
import { describeDatabases, mariadb, pglite, postgres, sqlite } from '../../../controls/databases';
import { TableOnDatabase } from './entity-tables';

class Money {
  @Column({ type: 'decimal', precision: 12, scale: 2 }) amount: number = 0;
  @Column() currency: string = 'EUR';
}

class Floor {
  @Column({ type: Number, nullable: true }) level: number | null = null;
}

class Address {
  @Column({ type: String, nullable: true }) city: string | null = null;
  @Column(() => Money) rent: Money = new Money();
}

class Office {
  @Column({ type: String, nullable: true }) city: string | null = 'Rome';
  @Column(() => Floor) floor: Floor = new Floor();
}

const inReverse = {
  to: (value: string | undefined) => value && [...value].reverse().join(''),
  from: (value: string | undefined) => value && [...value].reverse().join(''),
};

@Entity()
class Team {
  @PrimaryColumn() id!: number;
}

@Entity()
class Everything {
  @PrimaryColumn({ length: 30 }) region!: string;
  @PrimaryColumn({ type: 'bigint' }) number!: number;
  @Column({ name: 'the text, first' }) text: string = '';
  @Reflect.metadata('design:type', BigInt)
  @Column({ type: 'bigint', nullable: true })
  total: bigint | null = null;
  @Column({ type: 'bigint' }) digits: string = '0';
  @Column({ type: 'double precision' }) ratio: number = 0;
  @Column() isOpen: boolean = false;
  @Column({ nullable: true }) at?: Date;
  @Column({ type: 'date' }) day: string = '2000-01-01';
  @Column({ type: 'date' }) dayAsDate: Date = new Date(2000, 0, 1);
  @Column({ type: 'time' }) time: string = '00:00:00';
  @Column('simple-json') tree: unknown = null as unknown as object;
  @Column('simple-array') list: string[] = [];
  @Column({ type: 'simple-enum', enum: ['new', 'old'] }) state: 'new' | 'old' = 'new';
  @Column({ transformer: inReverse }) reversed: string = '';
  @Column(() => Address) home: Address = new Address();
  @Column(() => Office) work?: Office;
  @Column({ select: false }) hidden: string = 'hidden';
  @Column({ update: false }) first: string = '';
  @Column({ insert: false, nullable: true, type: String }) later: string | null = null;
  @Column({ insert: false, update: false, default: 'theirs' }) theirs!: string;
  @Column({ default: 'said so' }) said?: string;
  @VersionColumn() version!: number;
  @CreateDateColumn() createdAt!: Date;
  @UpdateDateColumn() updatedAt!: Date;
  @DeleteDateColumn() deletedAt!: Date | null;
  @Column() @Generated('uuid') token!: string;
  @ManyToOne(() => Team) team?: Team;
  @Column({ nullable: true, type: Number }) otherTeamId: number | null = null;
  @ManyToOne(() => Team) otherTeam?: Team;
}

describeDatabases(
  'EntityTable, with columns of every kind',
  (database) => {
    let kept: TableOnDatabase<Everything>;
    beforeAll(async () => {
      kept = await TableOnDatabase.open(database, Everything, ['region', 'number'], [Team]);
      await kept.dataSource.getRepository(Team).insert([{ id: 1 }, { id: 2 }]);
    });
    afterEach(() => kept.dataSource.getRepository(Everything).clear());
    afterAll(() => kept?.close());

    const repository = () => kept.dataSource.getRepository(Everything);
    const make = (number: number, change: Partial<Everything> = {}) => kept.make(['eu', number], { tree: {}, ...change });
    const loaded = async (number: number) => (await kept.load([['eu', number]]))[0] as Everything;

    it('loads what was saved, and TypeORM reads the same', async () => {
      const work = Object.assign(new Office(), { city: 'Oslo', floor: Object.assign(new Floor(), { level: 3 }) });
      const state = make(1, {
        text: `"it's" \\ {a,b} 'NULL' é`,
        total: -(2n ** 62n),
        digits: '9007199254740993',
        ratio: 0.1 + 0.2,
        isOpen: true,
        at: new Date('2026-02-03T04:05:06.000Z'),
        day: '2026-12-31',
        dayAsDate: new Date(2026, 2, 29),
        time: '23:59:58',
        tree: { a: [1, null, { b: "'" }] },
        list: ['a', 'b c'],
        state: 'old',
        reversed: 'abc',
        work,
        hidden: 'seen',
        first: 'first',
        otherTeamId: 2,
      });
      await kept.save([state], 'new');
      const { theirs, said, version, createdAt, updatedAt, deletedAt, token, ...own } = await loaded(1);
      const { theirs: _1, said: _2, version: _3, createdAt: _4, updatedAt: _5, deletedAt: _6, token: _7, ...expected } = state;
      expect({ ...own, team: undefined, otherTeam: undefined }).toStrictEqual({ ...expected });
      expect({ theirs, said, version, deletedAt }).toStrictEqual({
        theirs: 'theirs',
        said: 'said so',
        version: 1,
        deletedAt: undefined,
      });
      expect([createdAt, updatedAt]).toStrictEqual([expect.any(Date), expect.any(Date)]);
      expect(token).toMatch(/^[0-9a-f-]{36}$/);
      const read = await repository().findOneOrFail({ where: { region: 'eu' }, relations: { otherTeam: true } });
      expect(read).toMatchObject({
        text: state.text,
        isOpen: true,
        at: state.at,
        tree: state.tree,
        list: state.list,
        state: 'old',
      });
      expect(read).toMatchObject({ reversed: 'abc', day: '2026-12-31', time: '23:59:58', first: 'first', otherTeam: { id: 2 } });
      expect(read.work).toMatchObject({ city: 'Oslo' });
    });

    it('loads what a new instance has where a row has NULL', async () => {
      await kept.save([make(1)], 'new');
      const state = await loaded(1);
      expect([state.total, state.at, state.work, state.home.city]).toStrictEqual([null, undefined, undefined, null]);
      expect(state.home).toStrictEqual(new Address());
    });

    it('pages in the order of the keys, which is not that of their texts', async () => {
      const states = [1, 2, 9, 10, 11, 100].map((number) => make(number));
      await kept.save(states, 'new');
      const numbers: number[] = [];
      for (let last: object | undefined, page: object[] = []; ; last = page.at(-1)) {
        page = await kept.table.page(kept.runner, kept.at('serving'), last, 2);
        if (page.length === 0) break;
        numbers.push(...page.map((state) => (state as Everything).number));
      }
      expect(numbers).toStrictEqual([1, 2, 9, 10, 11, 100]);
    });

    it('leaves alone what TypeORM, the database and users fill in', async () => {
      await kept.save([make(1), make(2)], 'new');
      const before = await repository().findOneByOrFail({ number: 1 });
      await repository().update({ number: 1 }, { team: { id: 1 } });
      await kept.runner.query(`UPDATE ${tableOf()} SET theirs = 'mine'`);
      const [one, two] = [await loaded(1), await loaded(2)];
      const { updatedAt } = await repository().findOneByOrFail({ number: 1 });
      Object.assign(one, { text: 'changed', first: 'changed', later: 'changed' });
      await kept.save([one, two], 'changed');
      const after = await repository().findOneOrFail({ where: { number: 1 }, relations: { team: true } });
      expect(after).toMatchObject({
        text: 'changed',
        first: '',
        later: 'changed',
        theirs: 'mine',
        team: { id: 1 },
        said: 'said so',
      });
      expect([after.version, after.createdAt, after.token]).toStrictEqual([2, before.createdAt, before.token]);
      if (database !== mariadb) expect(after.updatedAt).toStrictEqual(updatedAt);
    });

    it('writes what handlers have set there, in one chunk or in two', async () => {
      const at = new Date('2026-02-03T04:05:06.000Z');
      const [one, two] = [make(1, { version: 7, createdAt: at, updatedAt: at, said: 'I' }), make(2)];
      await kept.save([one, two], 'new');
      Object.assign(two, { version: 7, deletedAt: at, said: 'I' });
      await kept.save([one, two], 'changed');
      expect(await loaded(1)).toMatchObject({ version: 7, createdAt: at, updatedAt: at, said: 'I' });
      expect(await loaded(2)).toMatchObject({ version: 7, deletedAt: at, said: 'I' });
      const again = await loaded(2);
      again.version += 1;
      await kept.save([again], 'changed');
      expect(await loaded(2)).toMatchObject({ version: 8, deletedAt: at, said: 'I' });
    });

    it('refuses what would be read back as something else', async () => {
      const large = { number: 2 ** 53, total: 2n };
      await expect(kept.save([kept.make(['eu', large.number])], 'new')).rejects.toThrow(UnfitValueError);
      await expect(kept.save([make(1, { otherTeamId: 1.5 })], 'new')).rejects.toThrow(/Everything.otherTeamId is 1.5/);
      await kept.save([make(1)], 'new');
      await kept.runner.query(`UPDATE ${tableOf()} SET ${kept.dataSource.driver.escape('number')} = 9007199254740993`);
      await expect(kept.table.page(kept.runner, kept.at('serving'), undefined, 1)).rejects.toThrow(UnfitValueError);
    });

    it('tells keys apart that differ by their case alone, where the column does', async () => {
      await kept.save([make(1)], 'new');
      const other = { region: 'EU', number: 1 };
      expect(await kept.load([['EU', 1]])).toStrictEqual([undefined]);
      await kept.table.remove(kept.runner, kept.at('serving'), [kept.definition.idOf(other)]);
      expect(await repository().count()).toBe(1);
      const adding = kept.save([kept.make(['EU', 1], { tree: {}, text: 'other' })], 'new');
      // The columns of MariaDB do not, unless they are told to.
      if (database === mariadb) await expect(adding).rejects.toThrow(/duplicate/i);
      else await adding;
      expect((await loaded(1)).text).toBe('');
      await kept.table.remove(kept.runner, kept.at('serving'), [kept.definition.idOf(make(1))]);
      expect(await repository().count()).toBe(database === mariadb ? 0 : 1);
    });

    function tableOf(): string {
      const { schema } = kept.place.tables;
      return `${schema === undefined ? '' : `${schema}.`}everything`;
    }
  },
  [postgres, pglite, mariadb, sqlite],
);

@Entity()
class OfPostgres {
  @PrimaryColumn('uuid') id!: string;
  @Column('text', { array: true }) texts: (string | null)[] = [];
  @Column('int', { array: true, nullable: true }) numbers: number[] | null = null;
  @Column('int', { array: true }) grid: number[][] = [];
  @Column({ type: 'enum', enum: ['a b', 'c"d', 'e'], array: true }) states: string[] = [];
  @Column({ type: 'enum', enum: ['x', 'y'], enumName: 'some_State' }) state: string = 'x';
  @Column({ type: 'enum', enum: [1, 2] }) level: number = 1;
  @Column('jsonb') json: unknown = {};
  @Column('json') text: unknown = {};
  @Column('bytea') bytes: Buffer = Buffer.alloc(0);
  @Column('timestamp') local: Date = new Date(0);
  @Column('timestamptz') moment: Date = new Date(0);
  @Column('timestamptz', { array: true }) moments: Date[] = [];
  @Column('numeric', { precision: 10, scale: 3 }) exact: string = '0.000';
  @Column('char', { length: 5 }) padded: string = '     ';
  @Column('varchar', { length: 5 }) short: string = '';
  @Column('inet') address: string = '127.0.0.1';
  @Column('real') real: number = 0;
  @Column({ type: 'bit', length: 3 }) bits: string = '000';
  @Column('int4range') range: string = 'empty';
}

describeDatabases(
  'EntityTable, with columns of PostgreSQL',
  (database) => {
    let kept: TableOnDatabase<OfPostgres>;
    beforeAll(async () => {
      kept = await TableOnDatabase.open(database, OfPostgres, ['id']);
    });
    afterAll(() => kept?.close());

    const change: Partial<OfPostgres> = {
      texts: ['a', null, 'NULL', '', '{"\\,}', "it's"],
      numbers: [1, -2],
      grid: [
        [1, 2],
        [3, 4],
      ],
      states: ['a b', 'e'],
      state: 'y',
      level: 2,
      json: { a: ['"', '\\', "'", null, { b: 1.5 }] },
      text: ['{}', 'x'],
      bytes: Buffer.from([0, 1, 92, 255]),
      local: new Date('2026-02-03T04:05:06.789Z'),
      moment: new Date('2026-02-03T04:05:06.789Z'),
      moments: [new Date('2026-02-03T04:05:06.789Z'), new Date(0)],
      exact: '12.345',
      padded: 'ab   ',
      short: 'short',
      address: '10.0.0.1',
      real: 1.5,
      bits: '101',
      range: '[1,5)',
    };

    it('loads what was saved, and what was changed', async () => {
      const ids = ['11111111-1111-4111-8111-11111111111a', '22222222-2222-4222-8222-22222222222B'];
      const states = ids.map((id, index) => kept.make([id], index === 0 ? change : {}));
      await kept.save(states, 'new');
      expect(await kept.load(ids.map((id) => [id]))).toStrictEqual(states);
      Object.assign(states[1] as OfPostgres, change);
      await kept.save(states, 'changed');
      expect(await kept.load(ids.map((id) => [id]))).toStrictEqual(states);
    });

    it('cuts no text off', async () => {
      const id = '33333333-3333-4333-8333-333333333333';
      await expect(kept.save([kept.make([id], { short: 'too long' })], 'new')).rejects.toThrow(/too long/);
      await expect(kept.save([kept.make([id], { padded: 'too long' })], 'new')).rejects.toThrow(/too long/);
      expect(await kept.load([[id]])).toStrictEqual([undefined]);
    });
  },
  [postgres, pglite],
);

@Entity()
class OfMySql {
  @PrimaryColumn({ charset: 'utf8mb4', collation: 'utf8mb4_bin' }) id!: string;
  @Column('json') json: unknown = {};
  @Column('tinyint') small: boolean = false;
  @Column({ type: 'bit' }) bit: boolean = false;
  @Column({ type: 'bigint', unsigned: true }) huge: bigint = 0n;
  @Column('decimal', { precision: 30, scale: 5 }) exact: string = '0.00000';
  @Column('datetime', { precision: 3 }) at: Date = new Date(0);
  @Column('timestamp', { precision: 3 }) stamp: Date = new Date(1000);
  @Column('blob') bytes: Buffer = Buffer.alloc(0);
  @Column({ type: 'set', enum: ['a', 'b'] }) both: string[] = [];
  @Column({ type: 'enum', enum: ['x', 'y'] }) state: string = 'x';
  @Column({ type: 'longtext', charset: 'utf8mb4' }) text: string = '';
  @Column('year') year: number = 2000;
}

describeDatabases(
  'EntityTable, with columns of MySQL',
  (database) => {
    it('loads what was saved, and what was changed', async () => {
      const kept = await TableOnDatabase.open(database, OfMySql, ['id']);
      const change: Partial<OfMySql> = {
        json: { a: ['"', '\\', "'", null] },
        small: true,
        bit: true,
        huge: 2n ** 64n - 1n,
        exact: '123456789012345678901234.12345',
        at: new Date('2026-02-03T04:05:06.789Z'),
        stamp: new Date('2026-02-03T04:05:06.789Z'),
        bytes: Buffer.from([0, 1, 92, 255]),
        both: ['a', 'b'],
        state: 'y',
        text: '😀'.repeat(100_000),
        year: 2026,
      };
      const states = ['a', 'A', 'a?'].map((id, index) => kept.make([id], index === 0 ? change : {}));
      await kept.save(states, 'new');
      for (const state of states) Object.assign(state, change);
      await kept.save(states, 'changed');
      expect(await kept.load([['a'], ['A'], ['a?']])).toStrictEqual(states);
      await kept.close();
    });
  },
  [mariadb],
);
