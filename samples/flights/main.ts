import { EventSourcing, Registry } from 'eventfold';
import pc from 'picocolors';
import { type Arguments, help, readArguments } from './arguments';
import { count, draw, heading } from './draw';
import { figures } from './figures';
import { type OpenStore, openStore, StoreNotOpenedError } from './open-store';
import { interruptible, withBar } from './progress';
import { readCities } from './records';
import { reportFlights } from './report-flights';
import { Route } from './route';
import { missingFlights, OtherDataSetError, type StoredReports, storedReports } from './stored-reports';
import { type Summary, summarize } from './summary';

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

async function reportAndShow(es: EventSourcing, { store, name }: OpenStore, given: Arguments): Promise<void> {
  const { dataSet, records, show } = given;
  const stored = await storedReports(store, dataSet, name);
  const start = performance.now();
  const reported = await interruptible((signal) => {
    if (show !== 'json') console.log(introduction(stored.count, records, name));
    return reportMissing(es, stored, given, signal);
  });
  if (stored.count + reported < records) return console.error(stoppedAt(stored.count + reported, given));
  const summary = await summarize(es);
  const seconds = (performance.now() - start) / 1000;
  if (show === 'json') {
    console.log(JSON.stringify({ records: Math.max(records, stored.count), reported, seconds, ...summary }, undefined, 2));
    return;
  }
  console.log(draw(summary, readCities(), process.stdout.columns ?? 80));
  console.log(heading('How it went'));
  console.log(howItWent(summary, reported, seconds));
  console.log(heading('Where an event goes', 'es.registry knows; --diagram draws it'));
  console.log(handlers());
}

function reportMissing(es: EventSourcing, stored: StoredReports, given: Arguments, signal: AbortSignal): Promise<number> {
  const { dataSet, records, show } = given;
  const missing = missingFlights(dataSet, records, stored);
  if (show === 'json') return reportFlights(es, missing, { dataSet, signal });
  const bar = { done: stored.count, total: records };
  return withBar(bar, (progress) => reportFlights(es, missing, { dataSet, signal, progress }));
}

function introduction(stored: number, records: number, store: string): string {
  if (stored === 0) return `Reporting ${count(records)} flights to ${store} …\n`;
  if (stored < records) return `${count(stored)} of ${count(records)} flights are in ${store}; reporting the others …\n`;
  return `${count(stored)} flights are in ${store} already; --new begins anew.\nFolding them …\n`;
}

function stoppedAt(reported: number, { records, store }: Arguments): string {
  process.exitCode = 130;
  const remedy = store === 'memory' ? 'Nothing of it was kept.' : 'Run it again to go on.';
  return `Stopped after ${count(reported)} of ${count(records)} flights. ${remedy}`;
}

function howItWent({ airports, routes, days, hours, totals, refused }: Summary, commands: number, seconds: number): string {
  const events = totals.tally.flights + refused.count;
  const instances = airports.length + routes.length + days.length + hours.length + 2;
  return [
    `  ${commands === 0 ? 'no' : count(commands)} commands; ${count(events)} events, folded into ${count(instances)} read models`,
    `  in ${seconds.toFixed(2)} seconds: ${count(Math.round(events / seconds))} events a second`,
  ].join('\n');
}

/** The handlers of each event, as the registry resolved them. */
function handlers(): string {
  const lines = registry.events().map(({ type }) => [
    `  ${type}`,
    ...registry.handlersOf(type).map(({ class: owner, method, ids }) => {
      const sources = Object.entries(ids).map(([id, source]) => {
        if (typeof source !== 'string') return `${id} = ƒ(event)`;
        return id === source ? id : `${id} = ${source}`;
      });
      return `  → ${`${owner}.${method}`.padEnd(22)} ${pc.dim(sources.join(', ') || 'one instance')}`;
    }),
  ]);
  return lines.flat().join('\n');
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
