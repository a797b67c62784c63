import { Column, Entity, PrimaryColumn } from 'typeorm';
import { databases, describeDatabases } from '../../../controls/databases';
import { TableOnDatabase } from './entity-tables';

@Entity()
class Balance {
  @PrimaryColumn() accountId!: string;
  @Column() amount: number = 0;
  @Column({ type: 'bigint' }) total: number = 0;
  @Column({ type: 'bigint' }) exact: bigint = 0n;
  @Column({ type: 'decimal', precision: 12, scale: 2 }) rate: number = 0;
  @Column() isOpen: boolean = false;
  @Column({ type: String, nullable: true }) note: string | null = null;
}

describeDatabases(
  'EntityTable',
  (database) => {
    let kept: TableOnDatabase<Balance>;
    beforeAll(async () => {
      kept = await TableOnDatabase.open(database, Balance, ['accountId']);
    });
    afterEach(async () => {
      await kept.dataSource.getRepository(Balance).clear();
    });
    afterAll(() => kept?.close());

    it('loads what was saved, each value as it was declared', async () => {
      const change = {
        amount: 3,
        total: 2 ** 40,
        exact: 2n ** 60n,
        rate: 1.5,
        isOpen: true,
        note: `it's "quoted", \\ and ünïcödé`,
      };
      const balance = kept.make(['a'], change);
      expect(await kept.roundTrip(balance)).toStrictEqual(balance);
      expect(await kept.load([['b']])).toStrictEqual([undefined]);
    });

    it('changes rows that are there, and adds those that were removed meanwhile', async () => {
      const balances = ['a', 'b', 'c'].map((id) => kept.make([id]));
      await kept.save(balances, 'new');
      await kept.dataSource.getRepository(Balance).delete({ accountId: 'b' });
      for (const balance of balances) balance.amount += 5;
      await kept.save(balances, 'changed');
      expect(await kept.load([['a'], ['b'], ['c']])).toStrictEqual(balances);
    });

    it('refuses a new row that is there already, and leaves that one alone', async () => {
      const first = kept.make(['a'], { amount: 1 });
      await kept.save([first], 'new');
      await expect(kept.save([kept.make(['a'], { amount: 2 })], 'new')).rejects.toThrow(/unique|duplicate/i);
      expect(await kept.load([['a']])).toStrictEqual([first]);
    });

    it('keeps ten thousand rows, pages through them in order, and removes some', async () => {
      const ids = Array.from({ length: 10_000 }, (_, index) => `account-${String(index).padStart(5, '0')}`);
      const balances = ids.map((id, index) => kept.make([id], { amount: index }));
      await kept.transact(() => kept.save(balances, 'new'));
      for (const balance of balances) balance.total += balance.amount;
      await kept.transact(() => kept.save(balances, 'changed'));
      expect(await kept.load(ids.map((id) => [id]))).toStrictEqual(balances);
      const rest = balances.slice(10).map(kept.definition.idOf);
      await kept.transact(() => kept.table.remove(kept.runner, kept.at('serving'), rest));
      const pages: object[][] = [];
      for (let last: object | undefined; pages.length < 4; last = pages.at(-1)?.at(-1))
        pages.push(await kept.table.page(kept.runner, kept.at('serving'), last, 4));
      expect(pages.map((page) => page.length)).toStrictEqual([4, 4, 2, 0]);
      expect(pages.flat()).toStrictEqual(balances.slice(0, 10));
    });
  },
  databases,
);
