import {
  Check,
  Column,
  CreateDateColumn,
  DefaultNamingStrategy,
  Entity,
  Generated,
  Index,
  ManyToOne,
  PrimaryColumn,
  type QueryRunner,
  Unique,
  VersionColumn,
} from 'typeorm';
import { UnfitTableError } from '../../../../lib/adapters/typeorm/projections/entity-errors';
import type { Role } from '../../../../lib/store/projection-store';
import { databases, describeDatabases, mariadb, postgres, sqlite } from '../../../controls/databases';
import { schemaOf } from '../../../controls/schema-of';
import { TableOnDatabase } from './entity-tables';

@Entity()
class Owner {
  @PrimaryColumn() name!: string;
}

@Entity()
@Unique(['place', 'code'])
@Check('amount_is_small', '"amount" < 1000000')
class Holding {
  @PrimaryColumn() region!: string;
  @PrimaryColumn() holdingId!: number;
  @Index() @Column() amount: number = 0;
  @Index({ unique: true }) @Column({ nullable: true, type: String }) code: string | null = null;
  @Column({ default: 'somewhere' }) place: string = 'here';
  @Column() @Generated('uuid') token!: string;
  @VersionColumn() version!: number;
  @CreateDateColumn() createdAt!: Date;
  @ManyToOne(() => Owner, { onDelete: 'SET NULL' }) owner?: Owner;
}

@Entity()
class Single {
  @PrimaryColumn() id: string = 'all';
  @Index() @Column() count: number = 0;
}

@Entity()
class Deposit {
  @PrimaryColumn() id!: string;
  @ManyToOne(() => Holding) holding?: Holding;
}

describeDatabases(
  'EntityTable, swapped with another',
  (database) => {
    let kept: TableOnDatabase<Holding>;
    beforeEach(async () => {
      kept = await TableOnDatabase.open(database, Holding, ['region', 'holdingId'], [Owner]);
    });
    afterEach(() => kept?.close());

    const make = (id: number, amount: number) => kept.make(['eu', id], { amount });
    const amounts = async (role: Role) => (await kept.first(role)).map(({ amount }) => amount);

    it('fills another table beside the one that serves, and swaps them: names and rules are as before', async () => {
      const before = await schemaOfPlace(kept);
      await kept.save([make(1, 10), make(2, 20)], 'new');
      await kept.create();
      await kept.save([make(1, 11), make(3, 33)], 'new', 'building');
      expect([await amounts('serving'), await amounts('building')]).toStrictEqual([
        [10, 20],
        [11, 33],
      ]);
      for (let times = 0; times < 3; times += 1) {
        await kept.promote();
        expect([await amounts('serving'), await amounts('kept')]).toStrictEqual([
          [11, 33],
          [10, 20],
        ]);
        expect(await kept.changes()).toStrictEqual([]);
      }
      const others = ({ table }: { table: string }) => !/_(building|kept)$/.test(table);
      const after = (await schemaOfPlace(kept)).filter((line) => others(JSON.parse(line) as { table: string }));
      expect(after.map(withoutQuotes)).toStrictEqual(before.map(withoutQuotes));
      await kept.drop('kept');
      await kept.drop('kept');
      expect((await schemaOfPlace(kept)).map(withoutQuotes)).toStrictEqual(before.map(withoutQuotes));
    });
  },
  databases,
);

describeDatabases(
  'EntityTable, with generations',
  (database) => {
    let kept: TableOnDatabase<Holding>;
    beforeEach(async () => {
      kept = await TableOnDatabase.open(database, Holding, ['region', 'holdingId'], [Owner]);
    });
    afterEach(() => kept?.close());

    const make = (id: number, amount: number) => kept.make(['eu', id], { amount });
    const amounts = async (role: Role) => (await kept.first(role)).map(({ amount }) => amount);

    it('has what was kept serve again, any number of times', async () => {
      await kept.save([make(1, 10)], 'new');
      await kept.create();
      await kept.save([make(1, 11)], 'new', 'building');
      await kept.promote();
      for (const amount of [10, 11, 10]) {
        await kept.reopen();
        await kept.reopen();
        await kept.promote();
        expect(await amounts('serving')).toStrictEqual([amount]);
        expect(await kept.changes()).toStrictEqual([]);
      }
      await kept.create();
      await kept.promote();
      expect([await amounts('serving'), await amounts('kept')]).toStrictEqual([[], [10]]);
      expect(await kept.changes()).toStrictEqual([]);
    });

    it('begins anew what was begun, and drops it', async () => {
      await kept.create();
      await kept.save([make(1, 11)], 'new', 'building');
      await kept.create();
      expect(await amounts('building')).toStrictEqual([]);
      await kept.drop('building');
      await kept.drop('building');
      await expect(kept.table.page(kept.runner, kept.at('building'), undefined, 1)).rejects.toThrow('building');
      await kept.save([make(1, 10)], 'new');
      await kept.table.drop(kept.runner, kept.at('serving'));
      expect(await amounts('serving')).toStrictEqual([]);
    });

    it('keeps the rules of the table while it is built, and after the swap', async () => {
      await kept.create();
      for (const role of ['building', 'serving'] as const) {
        // TypeORM knows of no checks there.
        if (database !== mariadb) await expect(kept.save([make(1, 1_000_000)], 'new', role)).rejects.toThrow(/amount_is_small/i);
        const same = [kept.make(['eu', 5], { code: 'a' }), kept.make(['eu', 6], { code: 'a', place: 'there' })];
        await expect(kept.save(same, 'new', role)).rejects.toThrow(/unique|duplicate/i);
        await kept.runner.query(`DELETE FROM ${tableOf(role)}`);
        if (role === 'building') await kept.promote();
      }
      await expect(kept.dataSource.getRepository(Holding).insert({ ...make(1, 1), owner: { name: 'nobody' } })).rejects.toThrow(
        /foreign key/i,
      );
    });

    it('takes over what only users write', async () => {
      await kept.dataSource.getRepository(Owner).insert({ name: 'Ann' });
      await kept.save([make(1, 10), make(2, 20)], 'new');
      const repository = kept.dataSource.getRepository(Holding);
      await repository.update({ holdingId: 1 }, { owner: { name: 'Ann' } });
      await kept.create();
      await kept.save([make(1, 11), make(3, 33)], 'new', 'building');
      await kept.promote();
      const found = await repository.find({ relations: { owner: true }, order: { holdingId: 'ASC' } });
      expect(found.map(({ amount, owner }) => [amount, owner?.name])).toStrictEqual([
        [11, 'Ann'],
        [33, undefined],
      ]);
      await kept.dataSource.getRepository(Owner).delete({ name: 'Ann' });
      expect(await repository.count()).toBe(2);
    });

    it('takes no rows that no event has made for its own', async () => {
      const begin = () => kept.create('serving');
      await begin();
      await kept.save([make(1, 10)], 'new');
      await expect(begin()).rejects.toThrow(UnfitTableError);
      expect(await amounts('serving')).toStrictEqual([10]);
    });

    function tableOf(role: 'building' | 'serving'): string {
      const { schema: place } = kept.place.tables;
      return `${place === undefined ? '' : `${place}.`}holding${role === 'serving' ? '' : '_building'}`;
    }
  },
  [postgres, mariadb, sqlite],
);

describeDatabases(
  'EntityTable, broken off in a swap',
  (database) => {
    it('ends it when it is asked for again', async () => {
      const kept = await TableOnDatabase.open(database, Holding, ['region', 'holdingId'], [Owner]);
      let isBrokenOff = true;
      for (let statements = 0; isBrokenOff; statements += 1) {
        await kept.create();
        await kept.save([kept.make(['eu', 1], { amount: statements })], 'new', 'building');
        await kept
          .transact(() => kept.table.promote(failingAfter(kept.runner, statements)))
          .then(
            () => (isBrokenOff = false),
            () => undefined,
          );
        await kept.promote();
        const [row] = (await kept.table.page(kept.runner, kept.at('serving'), undefined, 10)) as Holding[];
        expect([row?.amount, await kept.changes()]).toStrictEqual([statements, []]);
        expect(statements).toBeLessThan(50);
      }
      await kept.close();
    });
  },
  [postgres, mariadb, sqlite],
);

describeDatabases(
  'EntityTable, where other things belong to the table',
  (database) => {
    it('is not rebuilt, and says why', async () => {
      const kept = await TableOnDatabase.open(database, Holding, ['region', 'holdingId'], [Owner, Deposit]);
      const creating = kept.create();
      await expect(creating).rejects.toThrow(UnfitTableError);
      await expect(creating).rejects.toThrow(/deposit.* refers to it by .*foreign key/i);
      expect(await kept.changes()).toStrictEqual([]);
      await kept.close();
    });
  },
  [postgres, mariadb, sqlite],
);

class Shouting extends DefaultNamingStrategy {
  override tableName(targetName: string, userSpecifiedName: string): string {
    return `The Long ${(userSpecifiedName || targetName).toUpperCase().repeat(6)}`;
  }

  override columnName(propertyName: string, customName: string, prefixes: string[]): string {
    return `C ${super.columnName(propertyName, customName, prefixes).toUpperCase()}`;
  }
}

describeDatabases(
  'EntityTable, with names of somebody’s own',
  (database) => {
    it('is swapped under them, and views of the table go on', async () => {
      const options = { namingStrategy: new Shouting(), entityPrefix: 'app-' };
      const kept = await TableOnDatabase.open(database, Single, [], [], options);
      const quoted = (name: string) => kept.dataSource.driver.escape(name);
      const { schema } = kept.place.tables;
      const table = `${schema === undefined ? '' : `${quoted(schema)}.`}${quoted('app-The Long SINGLESINGLESINGLESINGLESINGLESINGLE')}`;
      if (database !== postgres) await kept.runner.query(`CREATE VIEW seen AS SELECT ${quoted('C COUNT')} AS seen FROM ${table}`);
      else await kept.runner.query(`GRANT SELECT ON ${table} TO PUBLIC`);
      await kept.save([kept.make([], { count: 1 })], 'new');
      await kept.create();
      await kept.save([kept.make([], { count: 2 })], 'new', 'building');
      for (const count of [2, 1, 2]) {
        await kept.promote();
        expect([await kept.load([[]]), await kept.changes()]).toStrictEqual([[kept.make([], { count })], []]);
        if (database !== postgres) expect(await kept.runner.query('SELECT seen FROM seen')).toMatchObject([{ seen: count }]);
        await kept.reopen();
      }
      if (database === postgres) {
        const [row] = await kept.runner.query(`SELECT relacl::text AS acl FROM pg_class WHERE oid = '${table}'::regclass`);
        expect(row.acl).toMatch(/[{,]=r\//);
        await kept.runner.query(`CREATE VIEW ${schema}.seen AS SELECT * FROM ${table}`);
        await expect(kept.table.create(kept.runner, kept.at('building'))).rejects.toThrow(/the view .*seen reads it/);
      }
      await kept.close();
    });
  },
  [postgres, mariadb, sqlite],
);

function schemaOfPlace({ dataSource, place }: TableOnDatabase<Holding>): Promise<string[]> {
  return schemaOf(dataSource, place.tables.schema === undefined ? [] : [place.tables.schema]);
}

/** SQLite quotes a name when it renames a table. */
function withoutQuotes(line: string): string {
  return line.replaceAll('\\"', '');
}

/** A connection that is lost after some statements. */
function failingAfter(runner: QueryRunner, statements: number): QueryRunner {
  let left = statements;
  return new Proxy(runner, {
    get: (target, name) => {
      if (name !== 'query') return Reflect.get(target, name, target) as unknown;
      return async (...parameters: [string]) => {
        if (left === 0) throw new Error('broken off');
        left -= 1;
        return target.query(...parameters);
      };
    },
  });
}
