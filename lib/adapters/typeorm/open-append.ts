import type { QueryRunner } from 'typeorm';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Append, AppendedPart, AppendResult, AppendTransaction, BeforeCommit } from '../../store/append';
import type { Ending } from '../../store/ending';
import { InvalidAppendError } from '../../store/store-errors';
import type { Appended } from './dialect';
import type { HookedAppend } from './hooked-appends';
import { checkDistinct, nothing, resultOf } from './outcome';
import type { Statement } from './select-events';
import type { Outcome, StagedGroup } from './staged-append';

/** What an append needs to go on in its transaction. */
export interface OpenAppendOptions {
  readonly stage: (appends: readonly Append[]) => StagedGroup;
  /** On the connection of the transaction. */
  readonly append: (groups: readonly StagedGroup[]) => Promise<Appended>;
  readonly beforeCommit: BeforeCommit;
  /** Has statements, whose answers nobody waits for, run before the next one; undefined where each is to be waited for. */
  readonly hold?: ((statements: readonly Statement[]) => void) | undefined;
  readonly runner: QueryRunner;
  /** Runs `work`, which uses the connection, when it is its turn; each by itself, in the order they came, unless given. */
  readonly statement?: <T>(work: () => Promise<T>) => Promise<T>;
}

/** One append whose transaction is open, with a hook that runs in it and may append more. */
export class OpenAppend implements AppendTransaction {
  previous: Position | undefined;
  private readonly events: RecordedEvent[] = [];
  private readonly nested: Promise<AppendResult>[] = [];
  private readonly endings: Ending[] = [];
  private last: Promise<unknown> = Promise.resolve();
  private isOver = false;

  constructor(private readonly options: OpenAppendOptions) {}

  /** @returns everything that was appended, hooks included. The caller commits, or rolls back when this rejects. */
  async run(group: StagedGroup): Promise<AppendResult> {
    try {
      await this.appendGroup(group, true);
      for (const nested of this.nested) await nested;
    } finally {
      this.isOver = true;
    }
    return { events: Object.freeze(this.events), position: this.events.at(-1)?.position };
  }

  /**
   * Appends groups with one hook for all.
   *
   * @returns the outcome of each. The caller commits, or rolls back when this rejects.
   */
  async runTogether(appends: readonly HookedAppend[]): Promise<PromiseSettledResult<AppendResult>[]> {
    try {
      const { outcomes, previous } = await this.options.append(appends.map(({ group }) => group));
      this.previous = previous as Position | undefined;
      const results = appends.map(({ group }, index) => settled(() => resultOf(group, outcomes[index] as Outcome)));
      const parts = results.flatMap((result, index): AppendedPart[] => {
        const { hook } = appends[index] as HookedAppend;
        return result.status === 'fulfilled' ? [{ events: result.value.events, hook }] : [];
      });
      if (parts.length > 0) await appends[0]?.hook.together?.(parts, this);
      return results;
    } finally {
      this.isOver = true;
    }
  }

  /** Has statements, whose answers nobody waits for, run before the next one; undefined where each is to be waited for. */
  get hold(): OpenAppendOptions['hold'] {
    return this.options.hold;
  }

  get runner(): QueryRunner {
    return this.options.runner;
  }

  append(appends: readonly Append[]): Promise<AppendResult> {
    const result = this.appendMore(appends);
    result.catch(() => undefined);
    if (!this.isOver) this.nested.push(result);
    return result;
  }

  onEnd(ending: Ending): void {
    this.checkOpen();
    this.endings.push(ending);
  }

  /** Tells those who asked how it ended. */
  async tell(how: 'committed' | 'rolledBack'): Promise<void> {
    await Promise.allSettled(this.endings.splice(0).map(async (ending) => ending(how)));
  }

  /** Runs what uses the connection: one piece after another, as it answers one at a time. */
  statement<T>(work: () => Promise<T>): Promise<T> {
    if (this.options.statement !== undefined) return this.options.statement(work);
    const running = this.last.then(work);
    this.last = running.catch(() => undefined);
    return running;
  }

  private async appendMore(appends: readonly Append[]): Promise<AppendResult> {
    this.checkOpen();
    const group = this.options.stage(appends);
    return group.length === 0 ? nothing : this.appendGroup(group, false);
  }

  private async appendGroup(group: StagedGroup, isFirst: boolean): Promise<AppendResult> {
    checkDistinct(group);
    const { outcomes, previous } = await this.statement(() => this.options.append([group]));
    if (isFirst) this.previous = previous as Position | undefined;
    const result = resultOf(group, outcomes[0] as Outcome);
    this.events.push(...result.events);
    await this.options.beforeCommit(result.events, this);
    return result;
  }

  private checkOpen(): void {
    if (this.isOver)
      throw new InvalidAppendError('The append that this transaction belongs to is over. Append before its hook ends.');
  }
}

function settled<T>(work: () => T): PromiseSettledResult<T> {
  try {
    return { status: 'fulfilled', value: work() };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}
