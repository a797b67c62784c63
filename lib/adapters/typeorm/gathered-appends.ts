import { setTimeout as delay } from 'node:timers/promises';
import { BatchContents } from './batch-contents';
import type { LockMode } from './dialect';
import { isAppendedAlone } from './locks-of';
import type { Outcome, StagedGroup } from './staged-append';
import { UnknownOutcomeError } from './typeorm-errors';

/** Commits groups together; each has its own outcome, and an error is everybody's. */
export type CommitGroups = (groups: readonly StagedGroup[], mode: LockMode) => Promise<readonly Outcome[]>;

interface Waiting {
  readonly group: StagedGroup;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** So many groups at most are looked at that cannot go into a commit, as others in it or before them are in their way. */
const mostLeft = 1_000;

/** So many groups at most wait for locks of others, each on a connection of its own; more are tried again and again. */
const mostWaiting = 3;
const shortestPauseMs = 5;
const longestPauseMs = 100;

/** How often work that the database gave up is done in all. */
const attempts = 8;

/**
 * Gathers concurrent appends: while one commit is under way, those that arrive wait, and go together in the next.
 * Nobody waits for a lock that another of the batch needs.
 */
export class GatheredAppends {
  private queue: Waiting[] = [];
  private isCommitting = false;
  private readonly blocked: Waiting[] = [];
  private waitingForLocks = 0;
  private retry: NodeJS.Timeout | undefined;
  private pauseMs = shortestPauseMs;

  constructor(
    private readonly commit: CommitGroups,
    private readonly isTransient: (error: unknown) => boolean,
  ) {}

  append(group: StagedGroup): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.queue.push({ group, resolve, reject });
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
    if (batch.length > 0) await this.commitBatch(batch);
    this.isCommitting = false;
    if (this.queue.length > 0) this.begin();
  }

  /** In the order they came; one whose guard another of the batch could break has to wait for the next. */
  private nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    const contents = new BatchContents();
    let looked = 0;
    for (const waiting of this.queue) {
      if (contents.isFull || left.length >= mostLeft) break;
      looked += 1;
      if (isAppendedAlone(waiting.group)) this.wait(waiting);
      else if (contents.admits(waiting.group)) {
        contents.add(waiting.group);
        batch.push(waiting);
      } else {
        contents.leave(waiting.group);
        left.push(waiting);
      }
    }
    this.queue = [...left, ...this.queue.slice(looked)];
    return batch;
  }

  private async commitBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.commit(
        batch.map(({ group }) => group),
        'try',
      );
      for (const [index, waiting] of batch.entries()) this.settle(waiting, outcomes[index] as Outcome);
    } catch (error) {
      // They may be stored: one that is appended again could be told that its own events conflict with it.
      if (error instanceof UnknownOutcomeError) for (const { reject } of batch) reject(error);
      // What one of them did must not be the others' loss.
      else if (batch.length > 1) for (const waiting of batch) await this.commitBatch([waiting]);
      else if (this.isTransient(error)) this.wait(batch[0] as Waiting);
      else batch[0]?.reject(error);
    }
  }

  private settle(waiting: Waiting, outcome: Outcome): void {
    if (outcome.kind === 'busy') this.wait(waiting);
    else waiting.resolve(outcome);
  }

  private wait(waiting: Waiting): void {
    this.blocked.push(waiting);
    if (this.waitingForLocks < mostWaiting) void this.waitForLocks();
    else this.tryLater();
  }

  /** What those wait for who have a connection may take longer than what the others need. */
  private tryLater(): void {
    if (this.retry !== undefined) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.queue.unshift(...this.blocked.splice(0));
      this.begin();
    }, this.pauseMs);
    this.pauseMs = Math.min(longestPauseMs, this.pauseMs * 2);
  }

  private async waitForLocks(): Promise<void> {
    this.waitingForLocks += 1;
    for (let next = this.blocked.shift(); next !== undefined; next = this.blocked.shift()) {
      const { group, resolve, reject } = next;
      await commitAlone(this.commit, this.isTransient, group).then(resolve, reject);
      this.pauseMs = shortestPauseMs;
    }
    this.waitingForLocks -= 1;
  }
}

/** Commits one group, waiting for the locks it needs, and again when the database gave up. */
export async function commitAlone(
  commit: CommitGroups,
  isTransient: (error: unknown) => boolean,
  group: StagedGroup,
  mode: LockMode = 'wait',
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const [outcome] = await commit([group], mode);
      return outcome as Outcome;
    } catch (error) {
      if (attempt >= attempts || !isTransient(error)) throw error;
      await delay(Math.random() * 2 ** attempt);
    }
  }
}
