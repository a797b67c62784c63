import { randomUUID } from 'node:crypto';
import { EventSourcing, Handles, Projection, ProjectionId } from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import { Column, type DataSource, Entity, PrimaryColumn } from 'typeorm';
import { Account, Deposited } from '../../samples/bank/account';
import { sqlite } from '../controls/databases';

@Entity()
@Projection({ version: 2 })
class Balance {
  @ProjectionId() @PrimaryColumn('varchar', { length: 36 }) accountId!: string;
  @Column('integer') balance: number = 0;

  @Handles(Deposited)
  deposited({ amount }: Deposited) {
    this.balance += amount;
  }
}

describe('docs/running.md', () => {
  it('is done by several processes, and told of', async () => {
    const place = await sqlite.make();
    const entities = [Balance, ...eventStoreEntities('better-sqlite3')];
    const dataSource: DataSource = await place.connect({ entities });
    const workerDataSource = await place.connect({ entities });
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    const web = await EventSourcing.open({
      store: new TypeOrmEventStore(dataSource),
      classes: [Account, Balance],
      projections: { run: 'manual' }, // reads, watches and waits, and runs none
    });
    const worker = await EventSourcing.open({ store: new TypeOrmEventStore(workerDataSource), classes: [Account, Balance] });
    const accountId = randomUUID();
    const account = await web.create(Account, { accountId });
    await account.deposit(50);
    await web.projections.caughtUp(Balance); // up to all that this process has appended, and all that is stored by now
    const [row] = await dataSource.getRepository(Balance).findBy({ accountId });
    expect(row?.balance).toBe(50);
    const token = String(web.lastAppended); // in the response to the command
    await worker.projections.caughtUp(Balance, { position: token, timeoutMs: 1_000 }); // before the next query
    const [status] = await web.projections.status(Balance);
    print(`${status?.projection} is ${status?.state}, ${status?.lag.events} events behind, ${status?.parked} parked`);
    await web.projections.pause(Balance); // in all processes, also across restarts: nothing more is applied
    await web.projections.resume(Balance); // goes on where it was; also after it has failed as a whole
    const report = await web.projections.rebuild(Balance, {
      onProgress: ({ events, total, secondsLeft }) => print(`${events} of ${total}, ${secondsLeft} s left`),
    });
    print(`${report.events} events in ${report.seconds} s`);
    expect(lines[0]).toBe('Balance is live, 0 events behind, 0 parked');
    expect(lines.slice(1).join('\n')).toMatch(/1 of 1, 0 s left\n1 events in [\d.]+ s$/);
    const difference = await web.projections.compare(Balance);
    print(`${difference.differing} rows would differ`);
    expect(lines.at(-1)).toBe('0 rows would differ');
    await web.close();
    await worker.close();
    await place.drop();
  });
});
