import { SingleBar } from 'cli-progress';
import pc from 'picocolors';
import { count } from './draw';
import type { FlightRecord } from './records';

/** Draws a bar while `work` is at work, in a terminal: in a file it would only be in the way. */
export async function withBar<T>(
  { done, total }: { readonly done: number; readonly total: number },
  work: (progress: (last: FlightRecord) => void) => Promise<T>,
): Promise<T> {
  if (!process.stdout.isTTY || done >= total) return work(() => undefined);
  const width = String(count(total)).length;
  const bar = new SingleBar({
    format: `Reporting flights  ${pc.cyan('{bar}')}  {value} of {total}  ${pc.dim('{day}')}`,
    formatValue: (value, _options, type) => (type === 'value' || type === 'total' ? count(value).padStart(width) : String(value)),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: Math.max(10, Math.min(50, (process.stdout.columns ?? 80) - 42 - 2 * width)),
    hideCursor: true,
    clearOnComplete: true,
    fps: 20,
  });
  bar.start(total, done, { day: '' });
  try {
    return await work(({ number, date }) => bar.update(number, { day: date.slice(0, 10) }));
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
