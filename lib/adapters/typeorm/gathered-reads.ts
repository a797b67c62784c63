import type { Connections } from './connections';
import type { Dialect, StreamSelection } from './dialect';
import type { Selection } from './select-events';
import type { EventRow } from './tables';

interface Waiting {
  readonly selection: StreamSelection;
  readonly resolve: (rows: EventRow[]) => void;
  readonly reject: (error: unknown) => void;
}

/** So many queries run at once; what is asked meanwhile goes together in the next. */
const mostQueries = 3;

/**
 * @returns how to select rows. Where the database can, streams that are asked for at the same time are read in one
 * query: many commands at once cost few round trips.
 */
export function gatheredReads(dialect: Dialect, connections: Connections): (selection: Selection) => Promise<EventRow[]> {
  const select = (selection: Selection) => connections.use((runner) => dialect.select(runner, connections.visible(selection)));
  // On a shared connection a transaction may have appended what nobody may see yet.
  const isGathered = dialect.selectStreams !== undefined && !dialect.sharesConnection;
  const gathered = isGathered ? new GatheredReads(dialect, connections) : undefined;
  return (selection) => (gathered !== undefined && isOfOneStream(selection) ? gathered.select(selection) : select(selection));
}

class GatheredReads {
  private queue: Waiting[] = [];
  private running = 0;
  private isBeginning = false;

  constructor(
    private readonly dialect: Dialect,
    private readonly connections: Connections,
  ) {}

  select(selection: StreamSelection): Promise<EventRow[]> {
    return new Promise((resolve, reject) => {
      this.queue.push({ selection, resolve, reject });
      this.begin();
    });
  }

  /** Once all that can run now has run, and has asked for what it needs. */
  private begin(): void {
    if (this.isBeginning || this.running >= mostQueries) return;
    this.isBeginning = true;
    process.nextTick(() => {
      this.isBeginning = false;
      void this.work();
    });
  }

  private async work(): Promise<void> {
    const batch = this.queue;
    if (batch.length === 0) return;
    this.queue = [];
    this.running += 1;
    try {
      const rows = await this.read(batch.map(({ selection }) => selection));
      for (const [index, { resolve }] of batch.entries()) resolve(rows[index] ?? []);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.running -= 1;
    if (this.queue.length > 0) this.begin();
  }

  private read(selections: readonly StreamSelection[]): Promise<readonly EventRow[][]> {
    const { dialect, connections } = this;
    const [first, ...others] = selections as [StreamSelection, ...StreamSelection[]];
    return connections.use(async (runner) =>
      others.length === 0
        ? [await dialect.select(runner, first)]
        : ((await dialect.selectStreams?.(runner, selections)) as EventRow[][]),
    );
  }
}

function isOfOneStream(selection: Selection): selection is StreamSelection {
  const { stream, afterVersion: _, limit: __, isBackward = false, ...rest } = selection;
  return stream !== undefined && !isBackward && Object.values(rest).every((value) => value === undefined);
}
