import { EventSourcing, Registry } from 'eventfold';
import { type Arguments, help, readArguments } from './arguments';
import { draw, heading } from './draw';
import { type FigureTables, inDatabase, inMemory } from './figure-tables';
import { figures } from './figures';
import {
  handlers,
  howItWent,
  introduction,
  rebuildBegins,
  rebuildReport,
  rebuildStopped,
  rebuildWords,
  stoppedAt,
} from './narrate';
import { type OpenStore, openStore, StoreNotOpenedError } from './open-store';
import { interruptible, withBar } from './progress';
import { type Rebuilt, rebuildTables } from './rebuild-tables';
import { type FlightRecord, readCities } from './records';
import { reportFlights } from './report-flights';
import { Route } from './route';
import { missingFlights, OtherDataSetError, type StoredReports, storedReports } from './stored-reports';
import { allFigures, type Summary, summarize } from './summary';

const classes = [Route, ...figures];
const registry = Registry.of(classes);

async function main(given: Arguments): Promise<void> {
  if (given.show === 'help') return console.log(help);
  if (given.show === 'diagram') return console.log(registry.toMermaid());
  const opened = await openStore(given.store, { beginsAnew: given.beginsAnew });
  try {
    const es = await EventSourcing.open({ store: opened.store, classes });
    await reportAndShow(es, opened, given).finally(() => es.close());
  } finally {
    await opened.close();
  }
}

async function reportAndShow(es: EventSourcing, { store, dataSource, name }: OpenStore, given: Arguments): Promise<void> {
  const { dataSet, records, show } = given;
  const stored = await storedReports(store, dataSet, name);
  const tables = dataSource === undefined ? inMemory(es) : inDatabase(dataSource);
  const start = performance.now();
  const reported = await interruptible((signal) => {
    if (show !== 'json') console.log(introduction(stored.count, records, name));
    return reportMissing(es, stored, given, signal);
  });
  if (stored.count + reported < records) {
    process.exitCode = 130;
    return console.error(stoppedAt(stored.count + reported, given));
  }
  const reporting = secondsSince(start);
  await es.projections.caughtUp(undefined, { timeoutMs: Number.POSITIVE_INFINITY });
  const seconds = secondsSince(start);
  const rebuilt = given.rebuilds ? await rebuild(es, tables) : undefined;
  if (given.rebuilds && rebuilt === undefined) {
    process.exitCode = 130;
    return console.error(rebuildStopped);
  }
  if (show === 'json') {
    const figures = await allFigures(es);
    return console.log(
      JSON.stringify({ records: Math.max(records, stored.count), reported, seconds, ...figures, rebuilt }, undefined, 2),
    );
  }
  const summary = await summarize(es, tables);
  console.log(draw(summary, readCities(), process.stdout.columns ?? 80));
  console.log(heading('How it went'));
  console.log(howItWent(summary, { reported, reporting, folding: seconds - reporting }));
  if (rebuilt !== undefined) {
    if (!rebuilt.isSame) process.exitCode = 1;
    console.log(heading('Folded anew from all events', 'beside the tables that served'));
    console.log(rebuildReport(rebuilt));
  }
  console.log(heading('Where an event goes', 'es.registry knows; --diagram draws it'));
  console.log(handlers(registry));
}

function reportMissing(es: EventSourcing, stored: StoredReports, given: Arguments, signal: AbortSignal): Promise<number> {
  const { dataSet, records, show } = given;
  const missing = missingFlights(dataSet, records, stored);
  if (show === 'json') return reportFlights(es, missing, { dataSet, signal });
  const bar = { done: stored.count, total: records, words: { title: 'Reporting flights', remark: '2001-01-01' } };
  return withBar(bar, (move) => {
    const progress = ({ number, date }: FlightRecord) => move(number, { title: bar.words.title, remark: date.slice(0, 10) });
    return reportFlights(es, missing, { dataSet, signal, progress });
  });
}

/** @returns undefined when Ctrl-C has broken it off: the next one goes on where it was. */
function rebuild(es: EventSourcing, tables: FigureTables): Promise<Rebuilt | undefined> {
  return interruptible(async (signal) => {
    signal.addEventListener('abort', () => void es.close());
    try {
      return await rebuildWithBar(es, tables);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  });
}

async function rebuildWithBar(es: EventSourcing, tables: FigureTables): Promise<Rebuilt> {
  const { totals } = await summarize(es, tables);
  return withBar({ done: 0, total: totals.tally.flights, words: rebuildBegins }, (move) => {
    let asked: Summary | undefined;
    return rebuildTables(es, tables, {
      progress: (progress) => move(progress.events, rebuildWords(progress, asked)),
      answered: (answer) => {
        asked = answer;
      },
    });
  });
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

if (require.main === module) {
  try {
    main(readArguments(process.argv.slice(2))).catch((error: unknown) => {
      const isForTheUser = error instanceof StoreNotOpenedError || error instanceof OtherDataSetError;
      console.error(isForTheUser ? error.message : error);
      process.exitCode = 1;
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exitCode = 2;
  }
}
