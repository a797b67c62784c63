import { type Observable, Subject, tap } from 'rxjs';
import type { DataSource } from 'typeorm';
import type { Position } from '../../events/recorded-event';
import { StoreClosedError } from '../../store/store-errors';
import { Hearing } from './hearing';
import { comparePositions } from './positions';

/** How appends of other processes are heard of. */
export interface RemoteWakeUps {
  /** Tells other processes. */
  announce(): void;
  /** Listens until the returned function is called; `hear` may be called for nothing. */
  listen(hear: () => void): () => void;
}

/** How far one can read: everything up to `position` is there for good. */
export interface Horizon {
  readonly position: Position | undefined;
  /** Whether more is stored above it, which may not be read before a transaction under way is over. */
  readonly isHeldBack: boolean;
}

/** How often to look for what nobody told of: soon after something happened, then less and less. */
export interface Polling {
  /** The first pause, in milliseconds: 1 or more. Each later one is twice as long. */
  readonly minMs: number;
  /** The longest pause, in milliseconds: `minMs` or more, up to an hour. */
  readonly maxMs: number;
}

const subjects = new WeakMap<DataSource, Map<string, Subject<never>>>();

/** @returns where the stores on one table of a DataSource tell each other: of their appends, or of what else is in it. */
export function toldOn<T = Position>(dataSource: DataSource, table: string): Subject<T> {
  const byTable = subjects.get(dataSource) ?? new Map<string, Subject<never>>();
  subjects.set(dataSource, byTable);
  const told = byTable.get(table) ?? new Subject<never>();
  byTable.set(table, told);
  return told as unknown as Subject<T>;
}

const soonMs = 10;
const longestHeldBackMs = 100;

/** Tells who reads that there is more to read: at once of appends made on this DataSource, soon of those made elsewhere. */
export class WakeUps {
  private readonly hearing: Hearing<Position>;
  private lastHead: Position | undefined;
  /** The newest of what was told on this DataSource. */
  private lastTold: Position | undefined;
  private pauseMs = 0;
  private looking: Promise<void> | undefined;

  /**
   * @param told Shared by the stores of this process on the same tables and connections.
   * @param polling Undefined where nobody else can append.
   */
  constructor(
    private readonly horizon: () => Promise<Horizon>,
    private readonly told: Subject<Position>,
    private readonly remote: RemoteWakeUps | undefined,
    private readonly polling: Polling | undefined,
  ) {
    this.hearing = new Hearing({
      told: told.pipe(tap((position) => this.note(position))),
      listen: remote && (() => remote.listen(() => this.lookNow())),
      begun: () => {
        this.pauseMs = polling?.minMs ?? 0;
        this.schedule();
      },
    });
  }

  appended(): Observable<Position> {
    return this.hearing.observe();
  }

  /** Tells of an append that was committed here. */
  tell(position: Position): void {
    if (this.hearing.isOver) return;
    this.remote?.announce();
    this.told.next(position);
  }

  /** Looks again soon: something is there that may not be read yet. */
  lookSoon(): void {
    if (!this.hearing.hasListeners) return;
    this.pauseMs = Math.min(this.pauseMs, soonMs);
    this.schedule();
  }

  close(): void {
    this.hearing.close();
  }

  private note(position: Position): void {
    this.lastTold = laterOf(position, this.lastTold);
  }

  private schedule(): void {
    if (this.polling !== undefined) this.hearing.later(this.pauseMs, () => this.lookNow());
  }

  private lookNow(): void {
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
  }

  private async look(): Promise<void> {
    const { minMs, maxMs } = this.polling ?? { minMs: 0, maxMs: 0 };
    try {
      const { position, isHeldBack } = await this.horizon();
      const isNew = position !== undefined && (this.lastHead === undefined || comparePositions(position, this.lastHead) > 0);
      this.pauseMs = isNew ? minMs : Math.min(isHeldBack ? longestHeldBackMs : maxMs, this.pauseMs * 2);
      if (isNew) this.lastHead = position;
      // What was told meanwhile may be newer: nobody is to hear of an older one after it.
      if (isNew) this.hearing.next(laterOf(position, this.lastTold));
    } catch (error) {
      if (error instanceof StoreClosedError) this.close();
      // The database is away; whoever reads hears of it. Here it is only asked again.
      this.pauseMs = maxMs;
    }
    this.schedule();
  }
}

function laterOf(position: Position, other: Position | undefined): Position {
  return other === undefined || comparePositions(position, other) > 0 ? position : other;
}
