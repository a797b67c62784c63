/** Taken here, so that fake timers in a user's tests do not stop the projections. */
const later = setTimeout;

const longestTimerMs = 2 ** 31 - 1;

/** The waiting of something that goes on until it is stopped: a timer or `wake` ends it. */
export class Wait {
  private hasRung = false;
  private wakeUp: (() => void) | undefined;

  /** @param isStopping Says whether there is nothing to wait for any more; `wake` is called when that changes. */
  constructor(private readonly isStopping: () => boolean) {}

  /** Has it look at once for something to do. */
  wake(): void {
    this.hasRung = true;
    this.wakeUp?.();
  }

  /** @param how `'through'` is not ended by what is to be done, only by a stop. */
  async pause(ms: number, how: 'wakeable' | 'through' = 'wakeable'): Promise<void> {
    if ((this.hasRung && how === 'wakeable') || this.isStopping()) {
      this.hasRung = false;
      return;
    }
    await new Promise<void>((resolve) => {
      // A process that has nothing else to do may end.
      const timer = later(resolve, Math.min(ms, longestTimerMs)).unref();
      this.wakeUp = () => {
        if (how === 'through' && !this.isStopping()) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = undefined;
    if (how === 'wakeable') this.hasRung = false;
  }
}

/** Says whether what runs ends in time. */
export async function endsWithin(running: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = later(() => resolve('late'), ms);
  });
  const how = await Promise.race([running, late]);
  clearTimeout(timer);
  return how !== 'late';
}
