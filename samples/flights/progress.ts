import { SingleBar } from 'cli-progress';
import pc from 'picocolors';
import { count } from './draw';

/** What a bar shows. */
export interface BarOptions {
  readonly done: number;
  readonly total: number;
  /** What is said about it at first: no later words are longer. */
  readonly words: Words;
}

/** What is said about a bar. */
export interface Words {
  readonly title: string;
  readonly remark: string;
}

/** Moves the bar, and says something about it. */
export type Progress = (done: number, words: Words) => void;

/** Draws a bar while `work` is at work, in a terminal: in a file it would only be in the way. */
export async function withBar<T>({ done, total, words }: BarOptions, work: (progress: Progress) => Promise<T>): Promise<T> {
  if (!process.stdout.isTTY || done >= total) return work(() => undefined);
  const width = String(count(total)).length;
  const others = words.title.length + 2 * width + words.remark.length + ' of '.length + 3 * '  '.length;
  const bar = new SingleBar({
    format: `{title}  ${pc.cyan('{bar}')}  {value} of {total}  ${pc.dim('{remark}')}`,
    formatValue: (value, _options, type) => (type === 'value' || type === 'total' ? count(value).padStart(width) : String(value)),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: Math.max(6, Math.min(50, (process.stdout.columns ?? 80) - others)),
    hideCursor: true,
    clearOnComplete: true,
    fps: 20,
  });
  bar.start(total, done, words);
  try {
    return await work((value, said) => bar.update(value, said));
  } finally {
    bar.stop();
  }
}

/** Runs `work` so that Ctrl-C asks it to end; a second Ctrl-C ends the process. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  try {
    return await work(interrupt.signal);
  } finally {
    process.off('SIGINT', stop);
  }
}
