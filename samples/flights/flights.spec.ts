import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { EventSourcing, EventValidationError, InMemoryEventStore } from 'eventfold';
import { draw } from './draw';
import { figures } from './figures';
import { localTime, readCities, readFlights, type Size } from './records';
import { reportFlights } from './report-flights';
import { AlreadyReported, AnotherDistance, Route } from './route';
import { type Summary, summarize } from './summary';

/** The numbers of a file by a plain loop over its records, which shares nothing with the sample. */
function plainFold(size: Size) {
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
function numbersOf({ airports, routes, days, hours, totals, refused }: Summary): ReturnType<typeof plainFold> {
  const flying = (direction: 'departures' | 'arrivals') =>
    Object.fromEntries(airports.flatMap((a) => (a[direction].flights === 0 ? [] : [[a.code, { ...a[direction] }]])));
  return {
    departures: flying('departures'),
    arrivals: flying('arrivals'),
    routes: Object.fromEntries(routes.map((r) => [`${r.origin}-${r.destination}`, { ...r.tally, distance: r.distance }])),
    days: Object.fromEntries(days.map(({ day, tally }) => [day, { ...tally }])),
    hours: Object.fromEntries(hours.map(({ hour, tally }) => [String(hour), { ...tally }])),
    totals: { ...totals.tally, miles: totals.miles },
    refused: refused.map(({ report: { origin, destination, date } }) => `${origin}-${destination} ${date}`).map(asInFile),
  };
}

function asInFile(text: string): string {
  return text.replace(/(\d{4})-(\d\d)-(\d\d)T/, '$1/$2/$3 ');
}

async function withFlights<T>(work: (es: EventSourcing) => Promise<T>, classes = [Route, ...figures]): Promise<T> {
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes });
  try {
    return await work(es);
  } finally {
    await es.close();
  }
}

describe('flights', () => {
  let all: Summary;

  beforeAll(async () => {
    all = await withFlights(async (es) => summarize(es, await reportFlights(es, readFlights('20k'))));
  });

  it('come to the numbers of a plain loop over the file', () => {
    expect(numbersOf(all)).toStrictEqual(plainFold('20k'));
  });

  it('are 20,000, of which two contradict an earlier one', () => {
    expect(all.totals.tally.flights).toBe(19_998);
    expect(all.refused.map(({ name, report, message }) => [name, report.delay, message])).toStrictEqual([
      ['AlreadyReported', -3, 'PHX → SAN, 2001-02-18 20:40: known as 35 min late, reported as 3 min early.'],
      ['AlreadyReported', 20, 'DFW → AUS, 2001-03-28 17:26: known as 13 min late, reported as 20 min late.'],
    ]);
  });

  it.each([80, 100])('are drawn within %i columns', (width) => {
    const lines = stripVTControlCharacters(draw(all, readCities(), width)).split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}ORD Chicago +1,095 /));
    expect(lines.filter((line) => line.length > width || /NaN|undefined|Infinity/.test(line))).toStrictEqual([]);
  });

  it.each([2, 37, 100])('come to the same numbers when %i are stored at a time', async (size) => {
    const records = readFlights('2k');
    const summary = await withFlights(async (es) => {
      const refused = [];
      for (let from = 0; from < records.length; from += size) {
        refused.push(...(await es.transaction(() => reportFlights(es, records.slice(from, from + size)))));
      }
      return summarize(es, refused);
    });
    expect(numbersOf(summary)).toStrictEqual(plainFold('2k'));
  });

  it.each([0, 1, 3_456, 5_000])('come to the same numbers in projections that are registered after %i of them', async (count) => {
    const records = readFlights('5k');
    const summary = await withFlights(
      async (es) => {
        const before = await reportFlights(es, records.slice(0, count));
        const registered = es.projections.register(...figures);
        const after = await reportFlights(es, records.slice(count));
        await registered;
        return summarize(es, [...before, ...after]);
      },
      [Route],
    );
    expect(numbersOf(summary)).toStrictEqual(plainFold('5k'));
  });
});

describe('Route', () => {
  const first = { date: '2001-01-01T06:55', delay: -19, distance: 1797, origin: 'LAX', destination: 'BNA' };
  const ids = { origin: 'LAX', destination: 'BNA' };

  it('learns its distance from its first flight, and refuses another', () =>
    withFlights(async (es) => {
      const refused = await reportFlights(es, [first, { ...first, date: '2001-01-02T06:55', distance: 1799 }]);
      expect(refused).toStrictEqual([expect.any(AnotherDistance)]);
      expect(refused[0]).toMatchObject({ knownDistance: 1797, report: { distance: 1799 } });
      expect(await es.statsOf(Route, ids)).toMatchObject({ events: 1, version: 1 });
    }));

  it('refuses a second report for one minute, and not for the way back', () =>
    withFlights(async (es) => {
      const refused = await reportFlights(es, [first, { ...first, origin: 'BNA', destination: 'LAX' }, { ...first, delay: 7 }]);
      expect(refused).toStrictEqual([expect.any(AlreadyReported)]);
      expect(refused[0]).toMatchObject({ knownDelay: -19, report: { delay: 7 } });
      expect(await es.statsOf(Route, ids)).toMatchObject({ events: 1, version: 1 });
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
  const run = (args: string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [join(__dirname, 'main.js'), ...args], { encoding: 'utf8', env: { ...process.env, ...env } });

  it('prints the same numbers as JSON in every time zone', () => {
    const [west, east] = ['America/Los_Angeles', 'Pacific/Auckland'].map((TZ) => {
      const { seconds, ...numbers } = JSON.parse(run(['--file', '2k', '--json'], { TZ }).stdout);
      expect(seconds).toBeGreaterThan(0);
      return numbers;
    });
    expect(west.records).toBe(2000);
    expect(west).toStrictEqual(east);
  });

  it('prints plain text when nobody looks', () => {
    const { stdout, status } = run(['--file', '2k'], { NO_COLOR: '1' });
    expect(status).toBe(0);
    expect(stdout).toContain('Reporting 2,000 flights');
    expect(stdout).toBe(stripVTControlCharacters(stdout));
  });

  it.each([
    { args: ['--fiel', '2k'], problem: "Unknown option '--fiel'" },
    { args: ['--file', '3k'], problem: 'There is no file "3k". Give one of: 2k, 5k, 10k, 20k.' },
    { args: ['--file'], problem: '--file' },
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
