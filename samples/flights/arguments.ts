import { parseArgs } from 'node:util';
import { type DataSet, dataSets } from './records';

export const help = `Every report of a flight becomes an event. What you see is what the projections
made of them.

  npm run sample -- [options]

  --file <set>     which flights: ${Object.keys(dataSets).join(', ')} (20k unless given)
  --records <n>    only the first n of them; without --file, of the 3m
  --all            all three million, as --file 3m
  --store <where>  where to keep the events:
                     sqlite:<path>  a file (flights-<set>.sqlite unless given)
                     postgres://…   as in postgres://user:password@host/name
                     mysql://…      MySQL or MariaDB
                     memory         nowhere: the next run begins anew
  --new            forget the flights that are there, and begin anew
  --rebuild        fold airports, routes and days anew from all events, while
                   the old rows are asked
  --json           the numbers as JSON, for machines
  --diagram        a Mermaid flow chart of how events and classes hang together
  --help           this text

What is stored stays. Another run finds it, reports what is missing, and shows
everything.`;

/** What a user asked for. */
export interface Arguments {
  readonly dataSet: DataSet;
  /** How many of its flights. */
  readonly records: number;
  /** `memory`, `sqlite:…`, or the address of a server. */
  readonly store: string;
  readonly beginsAnew: boolean;
  readonly rebuilds: boolean;
  readonly show: 'pictures' | 'json' | 'diagram' | 'help';
}

/** @throws {@link TypeError} with a message for the user when an option is unknown or its value is. */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: { type: 'string' },
      records: { type: 'string' },
      all: { type: 'boolean', default: false },
      store: { type: 'string' },
      new: { type: 'boolean', default: false },
      rebuild: { type: 'boolean', default: false },
      json: { type: 'boolean' },
      diagram: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.all && (values.file ?? values.records) !== undefined)
    throw new TypeError('--all is every flight of the 3m. Leave --file and --records out, or --all.');
  const dataSet = dataSetNamed(values.file ?? (values.all || values.records !== undefined ? '3m' : '20k'));
  const [show = 'pictures'] = (['help', 'diagram', 'json'] as const).filter((option) => values[option]);
  return {
    dataSet,
    records: values.records === undefined ? dataSets[dataSet] : numberOf(values.records, dataSet),
    store: values.store === undefined ? `sqlite:flights-${dataSet}.sqlite` : storeNamed(values.store),
    beginsAnew: values.new,
    rebuilds: values.rebuild,
    show,
  };
}

function dataSetNamed(name: string): DataSet {
  const known = Object.keys(dataSets) as DataSet[];
  const found = known.find((dataSet) => dataSet === name);
  if (found === undefined) throw new TypeError(`There is no file "${name}". Give one of: ${known.join(', ')}.`);
  return found;
}

function numberOf(text: string, dataSet: DataSet): number {
  const most = dataSets[dataSet];
  const records = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  if (records < 1 || records > most)
    throw new TypeError(`--records ${text} is not possible. Give a number from 1 to ${most}, which is all that ${dataSet} has.`);
  return records;
}

function storeNamed(text: string): string {
  if (text === 'memory' || /^sqlite:./.test(text)) return text;
  if (/^(postgres|postgresql|mysql|mariadb):\/\/./.test(text) && URL.canParse(text)) return text;
  throw new TypeError(
    `There is no store "${text}". Give memory, sqlite:<path>, or the address of a server: postgres://… or mysql://…`,
  );
}
