import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { EventSourcing, InMemoryEventStore } from 'eventfold';
import pc from 'picocolors';
import { count, draw, heading } from './draw';
import { figures } from './figures';
import { type FlightRecord, readCities, readFlights, type Size, sizes } from './records';
import { reportFlights } from './report-flights';
import { FlightReported, type ReportRefused, Route } from './route';
import { summarize } from './summary';

const help = `Every flight of a data set becomes an event; what you see is what the projections made of them.

  --file <size>   how many flights: ${sizes.join(', ')} (20k unless given)
  --json          the numbers as JSON, for machines
  --diagram       how events and classes hang together, as a Mermaid flow chart
  --help          this text`;

interface Options {
  readonly size: Size;
  readonly show: 'pictures' | 'json' | 'diagram' | 'help';
}

/** @throws {@link TypeError} with a message for the user when an option is unknown or its value is. */
function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: { type: 'string', default: '20k' },
      json: { type: 'boolean' },
      diagram: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const size = sizes.find((known) => known === values.file);
  if (size === undefined) throw new TypeError(`There is no file "${values.file}". Give one of: ${sizes.join(', ')}.`);
  const [show = 'pictures'] = (['help', 'diagram', 'json'] as const).filter((option) => values[option]);
  return { size, show };
}

async function main({ size, show }: Options): Promise<void> {
  if (show === 'help') return console.log(help);
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Route, ...figures] });
  if (show === 'diagram') console.log(es.registry.toMermaid());
  else await reportAndShow(es, readFlights(size), show);
  await es.close();
}

async function reportAndShow(es: EventSourcing, records: readonly FlightRecord[], show: 'pictures' | 'json'): Promise<void> {
  const start = performance.now();
  const refused = show === 'json' ? await reportFlights(es, records) : await reportWithProgress(es, records);
  const summary = await summarize(es, refused);
  const seconds = (performance.now() - start) / 1000;
  if (show === 'json') {
    const refusals = refused.map(({ reason, report, message }) => ({ reason, report, message }));
    console.log(JSON.stringify({ records: records.length, seconds, ...summary, refused: refusals }, undefined, 2));
    return;
  }
  console.log(draw(summary, readCities(), process.stdout.columns ?? 80));
  const { flights } = summary.totals.tally;
  console.log(heading('How it went'));
  console.log(
    `  ${count(records.length)} commands; ${count(flights)} events, folded into ${count(instances(summary))} read models`,
  );
  console.log(`  in ${seconds.toFixed(2)} seconds: ${count(Math.round(flights / seconds))} events a second`);
  console.log(heading('Where an event goes', 'es.registry knows; --diagram draws it'));
  console.log(routes(es));
}

/** Shows a bar in a terminal, and a plain line elsewhere. */
async function reportWithProgress(es: EventSourcing, records: readonly FlightRecord[]): Promise<ReportRefused[]> {
  const total = records.length;
  if (!process.stdout.isTTY) {
    console.log(`Reporting ${count(total)} flights …\n`);
    return reportFlights(es, records);
  }
  const bar = new SingleBar({
    format: `Reporting flights  ${pc.cyan('{bar}')}  {value} of {total}  ${pc.dim('{day}')}`,
    formatValue: (value, _options, type) => (type === 'value' || type === 'total' ? count(value).padStart(6) : String(value)),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: Math.max(10, Math.min(50, (process.stdout.columns ?? 80) - 54)),
    hideCursor: true,
    clearOnComplete: true,
    fps: 20,
  });
  bar.start(total, 0, { day: '' });
  try {
    return await reportFlights(es, records, (done, { date }) => bar.update(done, { day: date.slice(0, 10) }));
  } finally {
    bar.stop();
  }
}

function instances({ airports, routes, days, hours }: Awaited<ReturnType<typeof summarize>>): number {
  return airports.length + routes.length + days.length + hours.length + 1;
}

/** The handlers of the event, as the registry resolved them. */
function routes(es: EventSourcing): string {
  const handlers = es.registry.handlersOf(FlightReported).map(({ class: name, method, ids }) => {
    const sources = Object.entries(ids).map(([id, source]) => {
      if (typeof source !== 'string') return `${id} = ƒ(event)`;
      return id === source ? id : `${id} = ${source}`;
    });
    return `  → ${`${name}.${method}`.padEnd(22)} ${pc.dim(sources.join(', ') || 'one instance')}`;
  });
  return ['  flight.reported', ...handlers].join('\n');
}

if (require.main === module) {
  try {
    const options = readOptions(process.argv.slice(2));
    main(options).catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exitCode = 2;
  }
}
