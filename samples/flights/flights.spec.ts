import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { type Class, EventSourcing, type EventStore, EventValidationError, InMemoryEventStore } from 'eventfold';
import type { DataSource } from 'typeorm';
import { draw } from './draw';
import { inDatabase, inMemory } from './figure-tables';
import { figures, Refusals, type Tally } from './figures';
import { openStore } from './open-store';
import { type DataSet, localTime, readCities, readFlights } from './records';
import { atOnce, reportFlights, startOfWindow } from './report-flights';
import { Route } from './route';
import { missingFlights, OtherDataSetError, storedReports } from './stored-reports';
import { type AllFigures, allFigures, type Summary, summarize } from './summary';

/** The numbers of a file by a plain loop over its records, which shares nothing with the sample. */
function plainFold(size: DataSet) {
  const file = join(dirname(require.resolve('vega-datasets')), '..', 'data', `flights-${size}.json`);
  const records: { date: string; delay: number; distance: number; origin: string; destination: string }[] = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  type Sum = { flights: number; late: number; delay: number };
  const departures: Record<string, Sum> = {};
  const arrivals: Record<string, Sum> = {};
  const routes: Record<string, Sum & { distance: number }> = {};
  const days: Record<string, Sum> = {};
  const hours: Record<string, Sum> = {};
  const totals = { flights: 0, late: 0, delay: 0, miles: 0 };
  const refused: string[] = [];
  const seen: Record<string, true> = {};
  for (const { date, delay, distance, origin, destination } of records) {
    const key = `${origin}-${destination} ${date}`;
    const [day = '', time = ''] = date.split(' ');
    if (seen[key] || (routes[`${origin}-${destination}`]?.distance ?? distance) !== distance) {
      refused.push(key);
      continue;
    }
    seen[key] = true;
    routes[`${origin}-${destination}`] ??= { flights: 0, late: 0, delay: 0, distance };
    for (const [group, name] of [
      [departures, origin],
      [arrivals, destination],
      [routes, `${origin}-${destination}`],
      [days, day.replaceAll('/', '-')],
      [hours, String(parseInt(time, 10))],
    ] as [Record<string, Sum>, string][]) {
      group[name] ??= { flights: 0, late: 0, delay: 0 };
      group[name].flights++;
      group[name].delay += delay;
      if (delay > 14) group[name].late++;
    }
    totals.flights++;
    totals.delay += delay;
    totals.miles += distance;
    if (delay > 14) totals.late++;
  }
  return { departures, arrivals, routes, days, hours, totals, refused };
}

/** What the projections show, in the shape of the plain loop. */
function numbersOf({ airports, routes, days, hours, totals, refused }: AllFigures): ReturnType<typeof plainFold> {
  const flying = (direction: 'departures' | 'arrivals') =>
    Object.fromEntries(airports.flatMap((a) => (a[direction].flights === 0 ? [] : [[a.code, sumsOf(a[direction])]])));
  return {
    departures: flying('departures'),
    arrivals: flying('arrivals'),
    routes: Object.fromEntries(routes.map((r) => [`${r.origin}-${r.destination}`, { ...sumsOf(r.tally), distance: r.distance }])),
    days: Object.fromEntries(days.map(({ day, tally }) => [day, sumsOf(tally)])),
    hours: Object.fromEntries(hours.map(({ hour, tally }) => [String(hour), sumsOf(tally)])),
    totals: { ...sumsOf(totals.tally), miles: totals.miles },
    refused: refused.first.map(({ origin, destination, date }) => `${origin}-${destination} ${date}`).map(asInFile),
  };
}

function sumsOf({ flights, late, delay }: Tally) {
  return { flights, late, delay };
}

function asInFile(text: string): string {
  return text.replace(/(\d{4})-(\d\d)-(\d\d)T/, '$1/$2/$3 ');
}

async function withFlights<T>(
  work: (es: EventSourcing) => Promise<T>,
  store: EventStore = new InMemoryEventStore(),
  classes: readonly Class[] = [Route, ...figures],
): Promise<T> {
  const es = await EventSourcing.open({ store, classes });
  try {
    return await work(es);
  } finally {
    await es.close();
  }
}

/** All figures, once they show every report. */
async function caughtUp(es: EventSourcing): Promise<AllFigures> {
  await es.projections.caughtUp();
  return allFigures(es);
}

/** What the sample drew, without how it came about. */
function figuresIn(printed: string): string {
  return printed.slice(printed.indexOf(' flights over '), printed.indexOf('How it went'));
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const lasVegas = { date: '2001-01-01T00:01', delay: 33, distance: 2176, origin: 'LAS', destination: 'PHL' };

describe('flights', () => {
  let all: AllFigures;
  let summary: Summary;

  beforeAll(
    () =>
      withFlights(async (es) => {
        await reportFlights(es, readFlights('20k'));
        all = await caughtUp(es);
        summary = await summarize(es, inMemory(es));
      }),
    120_000,
  );

  it('come to the numbers of a plain loop over the file', () => {
    expect(numbersOf(all)).toStrictEqual(plainFold('20k'));
  });

  it('are 20,000, of which two contradict an earlier one', () => {
    expect(all.totals.tally.flights).toBe(19_998);
    expect(all.refused.count).toBe(2);
    expect(all.refused.first.map(({ date, reason, explanation }) => [date, reason, explanation])).toStrictEqual([
      ['2001-02-18T20:40', 'already reported', 'known as 35 min late, reported as 3 min early'],
      ['2001-03-28T17:26', 'already reported', 'known as 13 min late, reported as 20 min late'],
    ]);
  });

  it.each([80, 100])('are drawn within %i columns', (width) => {
    const lines = stripVTControlCharacters(draw(summary, readCities(), width)).split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}ORD Chicago +1,095 /));
    expect(lines.filter((line) => line.length > width || /NaN|undefined|Infinity/.test(line))).toStrictEqual([]);
  });

  it('are found by SQL as they are found in memory', async () => {
    const { store, dataSource, close } = await openStore('sqlite::memory:', { beginsAnew: false });
    try {
      const inTables = await withFlights(async (es) => {
        await reportFlights(es, readFlights('2k'));
        expect(numbersOf(await caughtUp(es))).toStrictEqual(plainFold('2k'));
        return summarize(es, inDatabase(dataSource as DataSource));
      }, store);
      const kept = await withFlights(async (es) => {
        await reportFlights(es, readFlights('2k'));
        await caughtUp(es);
        return summarize(es, inMemory(es));
      });
      expect(inTables).toStrictEqual(kept);
    } finally {
      await close();
    }
  });

  it.each([0, 3_456])('come to the same numbers in projections that are registered after %i of them', async (number) => {
    const summary = await withFlights(
      async (es) => {
        await reportFlights(es, readFlights('5k', { to: number }));
        const registered = es.projections.register(...figures);
        await reportFlights(es, readFlights('5k', { from: number + 1 }));
        await registered;
        return caughtUp(es);
      },
      new InMemoryEventStore(),
      [Route],
    );
    expect(numbersOf(summary)).toStrictEqual(plainFold('5k'));
  });

  it.each([0, 99, 1_234])('are gone on with after %i of them and a part of the window that follows', async (number) => {
    const store = new InMemoryEventStore();
    const { summary, found, reported } = await withFlights(async (es) => {
      await reportFlights(es, readFlights('2k', { to: number }), { dataSet: '2k' });
      const window = await listOf(readFlights('2k', { from: number + 1, to: startOfWindow(number + 1) + atOnce - 1 }));
      const ahead = window.filter(({ origin }) => origin > 'M');
      await reportFlights(es, ahead, { dataSet: '2k' });
      const stored = await storedReports(store, '2k', 'the store');
      expect(stored.count).toBe(number + ahead.length);
      const missing = missingFlights('2k', 2_000, stored);
      return {
        found: stored.count,
        reported: await reportFlights(es, missing, { dataSet: '2k' }),
        summary: await caughtUp(es),
      };
    }, store);
    expect(found + reported).toBe(2_000);
    expect(numbersOf(summary)).toStrictEqual(plainFold('2k'));
  });

  it('of another data set are not mixed with those that are there', async () => {
    const store = new InMemoryEventStore();
    await withFlights(async (es) => {
      await reportFlights(es, readFlights('2k', { to: 10 }), { dataSet: '2k' });
      const other = storedReports(store, '5k', 'x.sqlite');
      await expect(other).rejects.toThrow(OtherDataSetError);
      await expect(other).rejects.toThrow(
        'There are flights of the data set 2k in x.sqlite, and those of 5k would mix with them. Give another --store, or --new.',
      );
    }, store);
  });
});

describe('the three million flights', () => {
  it('are read from anywhere, in order', async () => {
    const first = await listOf(readFlights('3m', { to: 3 }));
    expect(first.map(({ number, date }) => [number, date])).toStrictEqual(
      [1, 2, 3].map((number) => [number, '2001-01-01T00:01']),
    );
    expect(first[0]).toStrictEqual({ ...lasVegas, number: 1 });
    const across = await listOf(readFlights('3m', { from: 272_700, to: 274_800 }));
    expect(across.map(({ number }) => number)).toStrictEqual(Array.from({ length: 2_101 }, (_, index) => 272_700 + index));
    expect(across.map(({ date }) => date)).toStrictEqual(across.map(({ date }) => date).sort());
    const [last, ...none] = await listOf(readFlights('3m', { from: 3_000_000 }));
    expect(last).toMatchObject({ number: 3_000_000, date: '2001-07-01T00:00', origin: 'ATL', destination: 'CVG' });
    expect(none).toStrictEqual([]);
  });

  it('are left when nobody reads on', async () => {
    for await (const { number } of readFlights('3m')) if (number === 5_000) break;
  });
});

describe('Route', () => {
  const first = { number: 1, date: '2001-01-01T06:55', delay: -19, distance: 1797, origin: 'LAX', destination: 'BNA' };
  const ids = { origin: 'LAX', destination: 'BNA' };
  const refusals = async (es: EventSourcing) => {
    await es.projections.caughtUp();
    return (await es.projections.all(Refusals))
      .flatMap((refused) => refused.first)
      .map(({ reason, explanation }) => [reason, explanation]);
  };

  it('learns its distance from its first flight, and refuses another', () =>
    withFlights(async (es) => {
      await reportFlights(es, [first, { ...first, date: '2001-01-02T06:55', distance: 1799 }]);
      expect(await refusals(es)).toStrictEqual([['another distance', 'the route has 1797 miles, not 1799']]);
    }));

  it('refuses a second report for one minute, and not for the way back', () =>
    withFlights(async (es) => {
      await reportFlights(es, [first, { ...first, origin: 'BNA', destination: 'LAX' }, { ...first, delay: 7 }]);
      expect(await refusals(es)).toStrictEqual([['already reported', 'known as 19 min early, reported as 7 min late']]);
    }));

  it('refuses a report of an earlier minute than its last', () =>
    withFlights(async (es) => {
      await reportFlights(es, [first, { ...first, date: '2001-01-01T06:54' }, { ...first, date: '2001-01-01T06:56' }]);
      expect(await refusals(es)).toStrictEqual([['out of order', 'reported after the flight of 2001-01-01 06:55']]);
    }));

  it('makes one event of each report, taken or refused', () =>
    withFlights(async (es) => {
      await reportFlights(es, [first, first, { ...first, date: '2001-01-01T06:56' }, { ...first, distance: 1 }]);
      expect(await es.statsOf(Route, ids)).toMatchObject({ events: 4, version: 4 });
    }));

  it.each([{ date: '2001/01/01 06:55' }, { delay: 1.5 }, { distance: 0 }])('stores no report with %j', (wrong) =>
    withFlights(async (es) => {
      const [property] = Object.keys(wrong);
      const refused = reportFlights(es, [{ ...first, ...wrong }]);
      await expect(refused).rejects.toThrow(EventValidationError);
      await expect(refused).rejects.toMatchObject({ violations: [{ property }] });
      expect(await es.statsOf(Route, ids)).toMatchObject({ events: 0, version: 0 });
    }),
  );
});

describe('localTime', () => {
  it('keeps the time on the wall, also one that clocks skipped', () => {
    expect(localTime('2001/01/31 06:55')).toBe('2001-01-31T06:55');
    expect(localTime('2001/04/01 02:30')).toBe('2001-04-01T02:30');
  });

  it.each([
    '2001/02/29 10:00',
    '2001/01/01 24:00',
    '2001/13/01 10:00',
    '2001/1/1 10:00',
    '2001-01-01T10:00',
    '2001/01/01 10:00 PST',
    '',
  ])('refuses "%s"', (text) => {
    expect(() => localTime(text)).toThrow(RangeError);
  });
});

describe('the command line', () => {
  const main = join(__dirname, 'main.js');
  let folder: string;
  const options = (env: Record<string, string> = {}) => ({ cwd: folder, env: { ...process.env, NO_COLOR: '1', ...env } });
  const run = (args: string[], env?: Record<string, string>) =>
    spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', ...options(env) });
  const numbers = (args: string[], env?: Record<string, string>) => {
    const { seconds, ...others } = JSON.parse(run([...args, '--json'], env).stdout);
    expect(seconds).toBeGreaterThan(0);
    return others;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'flights-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('prints the same numbers as JSON in every time zone', () => {
    const [west, east] = ['America/Los_Angeles', 'Pacific/Auckland'].map((TZ) =>
      numbers(['--file', '2k', '--store', 'memory'], { TZ }),
    );
    expect(west.records).toBe(2000);
    expect(west).toStrictEqual(east);
  });

  it('keeps the flights in a file: a second run appends none, and shows the same', () => {
    const { stdout, status } = run(['--file', '2k']);
    expect(status).toBe(0);
    expect(stdout).toContain('Reporting 2,000 flights to flights-2k.sqlite');
    expect(stdout).toContain('  2,000 commands; 2,000 events, folded into');
    expect(readdirSync(folder)).toStrictEqual(['flights-2k.sqlite']);
    const again = run(['--file', '2k']).stdout;
    expect(again).toContain('2,000 flights are in flights-2k.sqlite already; --new begins anew.');
    expect(again).toContain('  no commands; 2,000 events, folded into');
    expect(figuresIn(again)).toBe(figuresIn(stdout));
    const { reported, ...kept } = numbers(['--file', '2k']);
    expect(reported).toBe(0);
    expect({ ...kept, reported: 2_000 }).toStrictEqual(numbers(['--file', '2k', '--store', 'memory']));
  });

  it('folds the tables anew beside those that are asked meanwhile, to the same rows', () => {
    const some = ['--file', '2k', '--records', '500'];
    const { stdout } = run(some);
    const rebuilt = run([...some, '--rebuild']);
    expect({ status: rebuilt.status, stderr: rebuilt.stderr }).toStrictEqual({ status: 0, stderr: '' });
    expect(figuresIn(rebuilt.stdout)).toBe(figuresIn(stdout));
    const lines = rebuilt.stdout.split('\n');
    for (const table of ['AirportFigures', 'RouteFigures', 'DayFigures'])
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^  ${table} +500 events in `)));
    expect(lines).toContain('  Every row is the same as before.');
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}Asked (once|[\d,]+ times) meanwhile for all of this: the same answers, within \d+ ms\.$/),
    );
    expect(figuresIn(run([...some, '--rebuild']).stdout)).toBe(figuresIn(stdout));
    expect(run(['--file', '2k', '--records', '10', '--new']).stdout).toContain('  10 commands; 10 events, folded into');
  });

  it('goes on where it was, keeps data sets apart, and begins anew when it is told to', () => {
    const store = ['--store', 'sqlite:some/where.sqlite'];
    const file = [...store, '--file', '2k'];
    expect(numbers([...file, '--records', '150'])).toMatchObject({ records: 150, reported: 150 });
    expect(run([...file, '--records', '420']).stdout).toContain(
      '150 of 420 flights are in some/where.sqlite; reporting the others',
    );
    expect(numbers([...file, '--records', '100'])).toMatchObject({ records: 420, reported: 0 });
    const { stdout, stderr, status } = run([...store, '--file', '5k']);
    expect({ stdout, status }).toStrictEqual({ stdout: '', status: 1 });
    expect(stderr).toBe(
      'There are flights of the data set 2k in some/where.sqlite, and those of 5k would mix with them. Give another --store, or --new.\n',
    );
    expect(numbers([...store, '--file', '5k', '--records', '10', '--new'])).toMatchObject({ records: 10, reported: 10 });
    expect(numbers([...store, '--file', '5k', '--records', '10'])).toMatchObject({ records: 10, reported: 0 });
  });

  it('stops at Ctrl-C, and loses nothing', async () => {
    const records = ['--file', '5k', '--records', '3000'];
    const child = spawn(process.execPath, [main, ...records], options());
    child.stdout.once('data', () => child.kill('SIGINT'));
    const [errors, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect(errors).toMatch(/^Stopped after [\d,]+ of 3,000 flights. Run it again to go on.\n$/);
    expect(status).toBe(130);
    const stopped = Number(/after ([\d,]+)/.exec(errors)?.[1]?.replace(',', ''));
    const { reported, ...kept } = numbers(records);
    expect(reported).toBe(3_000 - stopped);
    expect({ ...kept, reported: 3_000 }).toStrictEqual(numbers([...records, '--store', 'memory']));
  });

  it('prints plain text when nobody looks', () => {
    const { stdout, status } = run(['--file', '2k', '--store', 'memory']);
    expect(status).toBe(0);
    expect(stdout).toContain('Reporting 2,000 flights to memory');
    expect(stdout).toBe(stripVTControlCharacters(stdout));
  });

  it.each([
    {
      store: 'postgres://ann:secret@127.0.0.1:1/flights',
      problem: 'Cannot open postgres://127.0.0.1:1/flights: connect ECONNREFUSED',
    },
    { store: 'mysql://ann:secret@127.0.0.1:1/flights', problem: 'Cannot open mysql://127.0.0.1:1/flights: connect ECONNREFUSED' },
    { store: `sqlite:${__filename}`, problem: `Cannot open ${__filename}: file is not a database` },
  ])('says in a line why it cannot open $store, and no password', ({ store, problem }) => {
    const { stdout, stderr, status } = run(['--store', store]);
    expect({ stdout, status, lines: stderr.split('\n').length }).toStrictEqual({ stdout: '', status: 1, lines: 2 });
    expect(stderr).toContain(problem);
    expect(stderr).not.toContain('secret');
  });

  it('has a help that fits into 80 columns', () => {
    const { stdout, status } = run(['--help']);
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toStrictEqual([]);
    expect(readdirSync(folder)).toStrictEqual([]);
  });

  it.each([
    { args: ['--fiel', '2k'], problem: "Unknown option '--fiel'" },
    { args: ['--file', '3k'], problem: 'There is no file "3k". Give one of: 2k, 5k, 10k, 20k, 3m.' },
    { args: ['--all', '--file', '20k'], problem: '--all is every flight of the 3m. Leave --file and --records out, or --all.' },
    {
      args: ['--records', '0'],
      problem: '--records 0 is not possible. Give a number from 1 to 3000000, which is all that 3m has.',
    },
    { args: ['--records', '20001', '--file', '20k'], problem: 'Give a number from 1 to 20000, which is all that 20k has.' },
    { args: ['--store', 'memroy'], problem: 'There is no store "memroy".' },
    { args: ['20k'], problem: '20k' },
  ])('says what is wrong with $args and what is known', ({ args, problem }) => {
    const { stdout, stderr, status } = run(args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(problem);
    expect(stderr).toContain('--json');
    expect(stderr).not.toContain('    at ');
  });
});
