import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Append, AppendResult, AppendTransaction, BeforeCommit } from '../../store/append';
import { InvalidAppendError } from '../../store/store-errors';
import type { Appended } from './dialect';
import { checkDistinct, nothing, resultOf } from './outcome';
import type { Outcome, StagedGroup } from './staged-append';

/** What an append needs to go on in its transaction. */
export interface OpenAppendOptions {
  readonly stage: (appends: readonly Append[]) => StagedGroup;
  readonly append: (group: StagedGroup) => Promise<Appended>;
  readonly beforeCommit: BeforeCommit;
}

/** One append whose transaction is open, with a hook that runs in it and may append more. */
export class OpenAppend implements AppendTransaction {
  previous: Position | undefined;
  private readonly events: RecordedEvent[] = [];
  private readonly nested: Promise<AppendResult>[] = [];
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

  append(appends: readonly Append[]): Promise<AppendResult> {
    const result = this.appendMore(appends);
    result.catch(() => undefined);
    if (!this.isOver) this.nested.push(result);
    return result;
  }

  private async appendMore(appends: readonly Append[]): Promise<AppendResult> {
    if (this.isOver)
      throw new InvalidAppendError('The append that this transaction belongs to is over. Append before its hook ends.');
    const group = this.options.stage(appends);
    return group.length === 0 ? nothing : this.appendGroup(group, false);
  }

  private async appendGroup(group: StagedGroup, isFirst: boolean): Promise<AppendResult> {
    checkDistinct(group);
    const { outcomes, previous } = await this.inTurn(() => this.options.append(group));
    if (isFirst) this.previous = previous as Position | undefined;
    const result = resultOf(group, outcomes[0] as Outcome);
    this.events.push(...result.events);
    await this.options.beforeCommit(result.events, this);
    return result;
  }

  /** One statement after another: a connection answers one at a time. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const running = this.last.then(work);
    this.last = running.catch(() => undefined);
    return running;
  }
}
