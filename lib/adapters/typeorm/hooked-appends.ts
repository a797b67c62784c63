import { AsyncResource } from 'node:async_hooks';
import type { AppendResult, BeforeCommit } from '../../store/append';
import { BatchContents } from './batch-contents';
import type { StagedGroup } from './staged-append';
import { UnknownOutcomeError } from './typeorm-errors';

/** An append with the hook that runs before it is committed. */
export interface HookedAppend {
  readonly group: StagedGroup;
  readonly hook: BeforeCommit;
}

/** How appends with hooks are committed. */
export interface HookedCommits {
  alone(append: HookedAppend): Promise<AppendResult>;
  /** All in one transaction, each with its own outcome; an error is everybody's, and nothing is stored. */
  together(appends: readonly HookedAppend[]): Promise<readonly PromiseSettledResult<AppendResult>[]>;
}

interface Waiting extends HookedAppend {
  /** In the async context of who appends. */
  readonly alone: () => Promise<AppendResult>;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends with hooks, one after the other: a hook must see what was stored before, and nothing may come between. Those that
 * arrive meanwhile go together in the next transaction, where their hooks allow it.
 */
export class HookedAppends {
  private readonly queue: Waiting[] = [];
  private isCommitting = false;

  /** @param most How many go together at most. */
  constructor(
    private readonly commits: HookedCommits,
    private readonly most = Number.POSITIVE_INFINITY,
  ) {}

  append(append: HookedAppend): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.queue.push({ ...append, alone: AsyncResource.bind(() => this.commits.alone(append)), resolve, reject });
      this.begin();
    });
  }

  /** Once all that can run now has run: those whose appends were committed together come again together. */
  private begin(): void {
    if (this.isCommitting) return;
    this.isCommitting = true;
    process.nextTick(() => void this.work());
  }

  private async work(): Promise<void> {
    const batch = this.nextBatch();
    if (batch[0]?.hook.together === undefined) await appendEach(batch);
    else await this.appendTogether(batch);
    this.isCommitting = false;
    if (this.queue.length > 0) this.begin();
  }

  /** The first, and as many behind it as may go with it. */
  private nextBatch(): Waiting[] {
    const together = this.queue[0]?.hook.together;
    const contents = new BatchContents();
    let count = 0;
    for (const { group, hook } of this.queue) {
      const mayGo = count < this.most && together !== undefined && hook.together === together;
      if (count > 0 && !(mayGo && !contents.isFull && contents.admits(group))) break;
      contents.add(group);
      count += 1;
    }
    return this.queue.splice(0, count);
  }

  private async appendTogether(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.commits.together(batch);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] as PromiseSettledResult<AppendResult>;
        if (result.status === 'fulfilled') resolve(result.value);
        else reject(result.reason);
      }
    } catch (error) {
      // They may be stored: one that is appended again could be told that its own events conflict with it.
      if (error instanceof UnknownOutcomeError) for (const { reject } of batch) reject(error);
      else await appendEach(batch);
    }
  }
}

async function appendEach(batch: readonly Waiting[]): Promise<void> {
  for (const { alone, resolve, reject } of batch) await alone().then(resolve, reject);
}
