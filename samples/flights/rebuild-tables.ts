import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { EventSourcing, RebuildProgress } from 'eventfold';
import type { FigureTables } from './figure-tables';
import { tables } from './figures';
import { allFigures, type Summary, summarize } from './summary';

/** What became of the tables. */
export interface Rebuilt {
  readonly tables: readonly { readonly projection: string; readonly events: number; readonly seconds: number }[];
  /** Whether every row is what it was. */
  readonly isSame: boolean;
  readonly inquiry: Inquiry;
}

/** What was found by who went on asking for all that is drawn. */
export interface Inquiry {
  readonly questions: number;
  /** How many answers were others than before. */
  readonly surprises: number;
  readonly slowestMs: number;
}

/** How a rebuild is followed. */
export interface RebuildFollower {
  readonly progress: (progress: RebuildProgress) => void;
  readonly answered: (answer: Summary) => void;
}

/** A question follows the answer to the one before after so long, in milliseconds. */
const pauseMs = 50;

/** Folds the tables anew from all events, one after another, while somebody goes on asking them. */
export async function rebuildTables(es: EventSourcing, asked: FigureTables, follower: RebuildFollower): Promise<Rebuilt> {
  const ask = () => summarize(es, asked);
  const [before, answer] = [await allFigures(es), await ask()];
  const rebuilding = rebuildAll(es, follower.progress);
  const [reports, inquiry] = await Promise.all([rebuilding, askUntil(rebuilding, { ask, expected: answer, ...follower })]);
  return { tables: reports, isSame: isDeepStrictEqual(await allFigures(es), before), inquiry };
}

async function rebuildAll({ projections }: EventSourcing, onProgress: RebuildFollower['progress']): Promise<Rebuilt['tables']> {
  const reports = [];
  for (const table of tables) reports.push(await projections.rebuild(table, { onProgress }));
  return reports;
}

interface InquiryOptions extends Pick<RebuildFollower, 'answered'> {
  readonly expected: Summary;
  ask(): Promise<Summary>;
}

/** Asks at least once, and then until the work is over. */
async function askUntil(work: Promise<unknown>, { ask, expected, answered }: InquiryOptions): Promise<Inquiry> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  work.then(end, end);
  let [questions, surprises, slowestMs] = [0, 0, 0];
  do {
    const start = performance.now();
    const answer = await ask();
    slowestMs = Math.max(slowestMs, performance.now() - start);
    questions += 1;
    if (!isDeepStrictEqual(answer, expected)) surprises += 1;
    answered(answer);
    await pause(pauseMs);
  } while (!isOver);
  return { questions, surprises, slowestMs };
}
