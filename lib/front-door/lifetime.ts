import { setMaxListeners } from 'node:events';
import type { Scopes } from '../aggregates/scope';
import { nameOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import { ClosedError } from '../projections/projection-errors';
import { AppendsUnderWay } from '../store/appends-under-way';

/** How `es.close` goes about it. */
export interface CloseOptions {
  /**
   * So long commands, transactions and appends under way are waited for, in milliseconds of 0 or more: 0 unless given, and then
   * they fail. What begins meanwhile is refused.
   */
  readonly graceMs?: number;
}

const longestTimerMs = 2 ** 31 - 1;

/** @returns how long what is under way is waited for. @throws {@link InvalidArgumentError}. */
export function graceOf(options: CloseOptions): number {
  checkOptions('es.close', options, ['graceMs']);
  const { graceMs = 0 } = options;
  if (!(typeof graceMs === 'number' && graceMs >= 0))
    throw new InvalidArgumentError(`es.close cannot wait for ${nameOf(graceMs)} ms. Give 0 or more.`);
  return graceMs;
}

/** What may still begin in an `EventSourcing`, from its opening to its close. */
export class Lifetime {
  /** Nothing new is to begin. */
  isEnding = false;
  /** The handlers of reactors have ended. */
  hasDrained = false;
  private readonly commands = new AppendsUnderWay();
  private readonly stop = new AbortController();

  constructor(private readonly scopes: Scopes) {
    setMaxListeners(0, this.stop.signal);
  }

  /** Aborts at the close. */
  get signal(): AbortSignal {
    return this.stop.signal;
  }

  end(): void {
    this.stop.abort();
  }

  /** @throws {@link ClosedError}. */
  checkOpen(): void {
    if (this.stop.signal.aborted && !this.isDraining) throw new ClosedError();
  }

  /** @throws {@link ClosedError} where nothing new is to begin. */
  checkAdmits(): void {
    if (this.isEnding && !this.isDraining) throw new ClosedError();
  }

  /** Lets a command or transaction begin. @returns what ends it. */
  admit(): () => void {
    this.checkAdmits();
    const work = this.commands.begin();
    return () => work.end();
  }

  /** @returns when no command and no append is under way any more, or the time is up. */
  async atRest(graceMs: number, appends: AppendsUnderWay): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(graceMs, longestTimerMs));
    });
    const done = this.commands.ended().then(() => appends.ended());
    await Promise.race([done, late]);
    clearTimeout(timer);
  }

  /** Whether it is a reactor's handler that calls, which is let through to its end. */
  private get isDraining(): boolean {
    return !this.hasDrained && this.scopes.getStore()?.isReaction === true;
  }
}
