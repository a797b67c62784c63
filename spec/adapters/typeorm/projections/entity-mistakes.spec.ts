import {
  Column,
  CreateDateColumn,
  DataSource,
  Entity,
  Generated,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  TableInheritance,
  VersionColumn,
  ViewEntity,
} from 'typeorm';
import { entityMistakes } from '../../../../lib/adapters/typeorm/projections/entity-mistakes';
import type { Class } from '../../../../lib/events/event-class';
import { sqliteOptions } from '../../../controls/databases';
import { definitionOf } from './entity-tables';

class Owned {
  @Column() by: string = '';
}

class Address {
  @Column() city: string = '';
  street = '';
}

@Entity()
class Owner {
  @PrimaryColumn() name!: string;
}

@Entity()
class Sound {
  @PrimaryColumn() region!: string;
  @PrimaryColumn() soundId!: number;
  @Column({ default: 'here' }) place: string = 'here';
  @Column({ select: false, nullable: true, type: String }) hidden: string | null = null;
  @Column({ insert: false, update: false, default: 1 }) mine!: number;
  @Column(() => Owned) owned: Owned = new Owned();
  @VersionColumn() version!: number;
  @CreateDateColumn() createdAt!: Date;
  @Column() @Generated('uuid') token!: string;
  @ManyToOne(() => Owner, { nullable: true }) owner?: Owner;
  @Reflect.metadata('design:type', Number)
  @Column({ type: 'bigint', nullable: true })
  total: number | null = null;
  handler = () => undefined;
}

@Entity()
class Mistaken {
  @PrimaryColumn() id!: string;
  @PrimaryColumn() other!: string;
  otherId!: string;
  @Column({ default: 0 }) amount!: number;
  @Column({ insert: false }) late!: string;
  @Column(() => Address) address: Address = new Address();
  @Column({ type: 'bigint', nullable: true }) total: number | null = null;
  @ManyToOne(() => Owner, { nullable: false }) owner!: Owner;
  cache = new Map();
}

@Entity()
class Numbered {
  @PrimaryGeneratedColumn() id!: number;
}

@Entity()
class Timed {
  @PrimaryColumn() id!: Date;
}

@Entity()
class Related {
  @PrimaryColumn() ownerName!: string;
  @ManyToOne(() => Owner) owner!: Owner;
}

@Entity()
class Single {
  @PrimaryColumn() id: string = 'all';
}

@Entity()
class Valueless {
  @PrimaryColumn() id!: string;
}

@Entity()
class Throwing {
  @PrimaryColumn() id!: string;

  constructor(options: { id: string }) {
    this.id = options.id;
  }
}

@Entity()
@TableInheritance({ column: { name: 'kind', type: 'varchar' } })
class Shared {
  @PrimaryColumn() id!: string;
}

@ViewEntity({ expression: 'SELECT 1 AS id' })
class Viewed {
  @PrimaryColumn() id!: string;
}

describe('entityMistakes', () => {
  let dataSource: DataSource;
  beforeAll(async () => {
    const entities = [Owner, Sound, Mistaken, Numbered, Timed, Related, Single, Valueless, Throwing, Shared, Viewed];
    dataSource = await new DataSource({
      ...sqliteOptions(':memory:'),
      entities,
      entitySkipConstructor: true,
    } as never).initialize();
  });
  afterAll(() => dataSource.destroy());

  const mistakes = (target: unknown, ids: readonly string[]) => entityMistakes(dataSource, definitionOf(target as Class, ids));

  it('finds none in an entity whose primary columns are its ids', () => {
    expect(mistakes(Sound, ['region', 'soundId'])).toStrictEqual([]);
    expect(mistakes(Sound, ['soundId', 'region'])).toStrictEqual([]);
    expect(mistakes(Related, ['ownerName'])).toStrictEqual([]);
    expect(mistakes(Single, [])).toStrictEqual([]);
  });

  it('finds all of them at once, each with its member, and says what to do', () => {
    const found = mistakes(Mistaken, ['id', 'otherId']);
    expect(found.map(({ member }) => member)).toStrictEqual([
      ...['otherId', 'other', 'otherId', 'address.street', 'cache', 'owner', 'amount', 'late', 'total'],
    ]);
    expect(found.map(({ problem }) => problem)).toStrictEqual([
      'it is a projection id, but no primary column',
      'it is a primary column, but no projection id',
      'it is no column: what handlers set would be forgotten',
      'it is no column: what handlers set would be forgotten',
      'it is no column: what handlers set would be forgotten',
      'its column may not be NULL, but projections write no relations',
      'only the database knows what it is at first: the first handlers would see undefined',
      'it may not be NULL, but is not inserted',
      'nothing says whether it holds a number, a bigint or a text, which drivers give its column as',
    ]);
    for (const { remedy } of found) expect(remedy).toMatch(/^[A-Z].{10,}[^.]$/);
  });

  it.each([
    [Numbered, ['id'], 'id', /generated/],
    [Timed, ['id'], 'id', /type Date gives no id/],
    [Valueless, [], 'id', /no value/],
    [Throwing, ['id'], 'constructor', /throws without arguments/],
    [Shared, ['id'], 'Shared', /shares its table/],
    [Viewed, ['id'], 'Viewed', /view/],
  ])('refuses %p', (target, ids, member, problem) => {
    expect(mistakes(target, ids)).toMatchObject([{ member, problem: expect.stringMatching(problem) }]);
  });
});
