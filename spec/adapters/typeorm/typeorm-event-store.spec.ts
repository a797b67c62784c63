import { InvalidArgumentError } from 'eventfold';
import { TypeOrmEventStore, type TypeOrmEventStoreOptions, UnsupportedDatabaseError } from 'eventfold/typeorm';
import { DataSource } from 'typeorm';
import { sqliteInMemory, sqliteOptions } from '../../controls/databases';

describe('new TypeOrmEventStore', () => {
  it.each([undefined, {}, 'postgres://localhost'])('refuses %p, which is no DataSource', (given) => {
    expect(() => new TypeOrmEventStore(given as unknown as DataSource)).toThrow(InvalidArgumentError);
  });

  it('refuses a DataSource that is not initialised', () => {
    expect(() => new TypeOrmEventStore(new DataSource(sqliteOptions(':memory:')))).toThrow(/initialize\(\) first/);
  });

  it('refuses a DataSource of a type without a dialect', () => {
    const dataSource = { createQueryRunner: () => undefined, isInitialized: true, options: { type: 'oracle' } };
    expect(() => new TypeOrmEventStore(dataSource as unknown as DataSource)).toThrow(UnsupportedDatabaseError);
  });

  it.each<[string, object]>([
    ['an unknown option', { gathered: false }],
    ['a schema where there is none', { schema: 's' }],
    ['polling without a pause', { polling: { minMs: 0, maxMs: 10 } }],
    ['polling that gets faster', { polling: { minMs: 20, maxMs: 10 } }],
    ['polling that never comes', { polling: { minMs: 20, maxMs: Number.POSITIVE_INFINITY } }],
    ['polling that is no number', { polling: { minMs: 20 } }],
    ['polling that is nothing', { polling: null }],
    ['a table prefix that is no text', { tablePrefix: 5 }],
    ['a table prefix with a quote', { tablePrefix: `a"; DROP TABLE b; --` }],
    ['a table prefix that leaves no room for names', { tablePrefix: 'p'.repeat(31) }],
    ['a clock that is no function', { clock: 5 }],
    ['a flag that is no flag', { gather: 'no' }],
    ['a way to a transaction that is no function', { ambient: 5 }],
  ])('refuses %s', async (_, options) => {
    const place = await sqliteInMemory.make();
    const dataSource = await place.dataSource();
    expect(() => new TypeOrmEventStore(dataSource, options as TypeOrmEventStoreOptions)).toThrow(InvalidArgumentError);
    await place.drop();
  });
});
