import { performance } from 'node:perf_hooks';
import { type Class, EventSourcing } from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import type { Logger } from 'typeorm';
import { accountBalance } from './account-balance';
import { deposit } from './events';
import { connect, type Place } from './place';
import { median } from './rates';

const events = 200;
const many = 10;

/** How often the log is read for one projection at the head, and for ten. */
export async function reads({ name, address }: Place): Promise<void> {
  const classes = Array.from({ length: many }, (_, index) => accountBalance(`reading_${index}`));
  const counter = new Statements();
  const dataSource = await connect(address, classes, { logger: counter });
  const measured = [];
  for (const some of [classes.slice(0, 1), classes]) {
    const es = await EventSourcing.open({ store: new TypeOrmEventStore(dataSource), classes: some });
    await es.projections.caughtUp();
    measured.push(await atTheHead(es, some, counter));
    await es.close();
  }
  const [one, ten] = measured as [Measured, Measured];
  console.log(`${name}: reads of the log by ten projections at the head: ${(ten.reads / one.reads).toFixed(2)} of one (aim 1)`);
  for (const [title, { reads: read, all, ms }] of [['one', one] as const, ['ten', ten] as const])
    console.log(
      `  ${title}: ${(read / events).toFixed(2)} reads and ${(all / events).toFixed(1)} statements for each event; ${ms.toFixed(2)} ms until all show it`,
    );
  await dataSource.destroy();
}

interface Measured {
  readonly reads: number;
  readonly all: number;
  /** From the append's end until all projections show the event, in the median. */
  readonly ms: number;
}

async function atTheHead(es: EventSourcing, classes: readonly Class[], counter: Statements): Promise<Measured> {
  const [begun, times] = [{ ...counter }, [] as number[]];
  for (let index = 0; index < events; index += 1) {
    const { position } = await es.appendUnguarded('one', [deposit(`account-${index % 20}`, 1)]);
    const start = performance.now();
    await Promise.all(classes.map((target) => es.projections.caughtUp(target, { position })));
    times.push(performance.now() - start);
  }
  return { reads: counter.reads - begun.reads, all: counter.all - begun.all, ms: median(times) };
}

/** Hears of every statement. */
class Statements implements Logger {
  all = 0;
  reads = 0;

  logQuery(query: string): void {
    this.all += 1;
    if (/^\s*SELECT.*\bdata\b.*FROM\s+\S*eventfold_events/s.test(query)) this.reads += 1;
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
