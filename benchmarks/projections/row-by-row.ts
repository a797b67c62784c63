import { Column, type DataSource, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import type { ReadByHand } from './by-hand';

@Entity('row_balance')
export class RowBalance {
  @PrimaryColumn('text') accountId!: string;
  @Column('integer') balance = 0;
}

@Entity('row_checkpoint')
export class RowCheckpoint {
  @PrimaryColumn('text') name!: string;
  @Column('integer') position = 0;
}

/**
 * What one writes with TypeORM when it need not be fast: for each event a transaction that finds the row, changes it, and
 * saves it and the checkpoint. @returns the events folded.
 */
export async function catchUpRowByRow(dataSource: DataSource, count: number): Promise<number> {
  const events = dataSource.getMetadata('eventfold_events').tablePath;
  const sql = `SELECT position, type, data FROM ${events} WHERE position <= ${count} ORDER BY position`;
  for (const event of (await dataSource.query(sql)) as ReadByHand[])
    await dataSource.transaction(async (manager) => {
      await fold(manager, event);
      await manager.update(RowCheckpoint, { name: 'balance' }, { position: Number(event.position) });
    });
  return count;
}

export async function resetRowByRow({ manager }: DataSource): Promise<void> {
  await manager.clear(RowBalance);
  await manager.clear(RowCheckpoint);
  await manager.insert(RowCheckpoint, { name: 'balance', position: 0 });
}

async function fold(manager: EntityManager, { type, data }: ReadByHand): Promise<void> {
  const { accountId, amount } = JSON.parse(data) as { accountId: string; amount: number };
  const row = (await manager.findOneBy(RowBalance, { accountId })) ?? manager.create(RowBalance, { accountId });
  if (type === 'account.deposited') row.balance += amount;
  else if (type === 'account.withdrawn') row.balance -= amount;
  await manager.save(row);
}
