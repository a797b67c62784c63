import fc from 'fast-check';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Database, databases, describeDatabases, mariadb } from '../../../controls/databases';
import { TableOnDatabase } from './entity-tables';

class Part {
  @Column({ type: 'text', nullable: true }) text: string | null = null;
  @Column({ type: 'decimal', precision: 12, scale: 2 }) amount: number = 0;
}

@Entity()
class Random {
  @PrimaryColumn({ length: 20 }) region!: string;
  @PrimaryColumn() number!: number;
  @Column({ type: 'text' }) text: string = '';
  @Column() count: number = 0;
  @Column({ type: 'bigint' }) total: bigint = 0n;
  @Column({ type: 'bigint' }) safe: number = 0;
  @Column({ type: 'double precision' }) ratio: number = 0;
  @Column() isOpen: boolean = false;
  @Column({ precision: 3 }) at: Date = new Date(0);
  @Column({ type: 'simple-json' }) json: unknown = {};
  @Column('simple-array') list: string[] = [];
  @Column({ default: 7 }) preset: number = 7;
  @Column(() => Part) part: Part = new Part();
}

/** The defaults of the database are those of old on MariaDB. */
const textOn = (database: Database) =>
  fc
    .string({ unit: database === mariadb ? 'grapheme-ascii' : 'grapheme', maxLength: 20 })
    .filter((value) => !value.includes('\0'));
const stateOn = (text: fc.Arbitrary<string>) =>
  fc.record({
    text,
    count: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    total: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    safe: fc.maxSafeInteger(),
    ratio: fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((value) => Math.round(value * 1000) / 1000 + 0),
    isOpen: fc.boolean(),
    at: fc.date({ min: new Date('1971-01-01'), max: new Date('2037-01-01'), noInvalidDate: true }),
    json: fc
      .jsonValue({ noUnicodeString: true } as never)
      .map((value) => ({ value: JSON.parse(JSON.stringify(value)) as unknown })),
    list: fc.array(fc.stringMatching(/^[a-z' "\\]{1,9}$/), { maxLength: 3 }),
    preset: fc.integer({ min: 0, max: 9 }),
    part: fc.record({
      text: fc.option(text, { nil: null }),
      amount: fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((value) => value / 100),
    }),
  });
const key = fc.tuple(fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/), fc.integer({ min: 0, max: 99 }));
const rowsOn = (state: ReturnType<typeof stateOn>) =>
  fc.uniqueArray(fc.record({ key, first: state, second: fc.option(state) }), {
    minLength: 1,
    maxLength: 20,
    selector: (row) => row.key.join().toLowerCase(),
  });

describeDatabases(
  'EntityTable, with random rows',
  (database) => {
    it('loads what was saved, and what was changed, and nothing that was removed', async () => {
      const kept = await TableOnDatabase.open(database, Random, ['region', 'number']);
      const property = fc.asyncProperty(rowsOn(stateOn(textOn(database))), async (given) => {
        await kept.dataSource.getRepository(Random).clear();
        const states = given.map(({ key: values, first }) => fill(kept.make(values), first));
        const keys = given.map(({ key: values }) => values);
        await kept.transact(() => kept.save(states, 'new'));
        expect(await kept.load(keys)).toStrictEqual(states);
        const changed = given.flatMap(({ second }, index) => (second === null ? [] : [fill(states[index] as Random, second)]));
        await kept.transact(() => kept.save(changed, 'changed'));
        expect(await kept.load(keys)).toStrictEqual(states);
        const pages = await kept.table.page(kept.runner, kept.at('serving'), undefined, 100);
        expect(new Set(pages.map(kept.keyOf))).toStrictEqual(new Set(states.map(kept.keyOf)));
        await kept.table.remove(kept.runner, kept.at('serving'), changed.map(kept.definition.idOf));
        expect(await kept.load(keys)).toStrictEqual(states.map((one) => (changed.includes(one) ? undefined : one)));
      });
      await fc.assert(property, { numRuns: 25 });
      await kept.close();
    });
  },
  databases,
);

type State = ReturnType<typeof stateOn> extends fc.Arbitrary<infer T> ? T : never;

function fill(target: Random, { part, ...change }: State): Random {
  return Object.assign(target, change, { part: Object.assign(new Part(), part) });
}
