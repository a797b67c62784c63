import { AsyncResource } from 'node:async_hooks';
import type { Append, AppendedPart, AppendTransaction, BeforeCommit } from '../../store/append';
import type { InlineAppend } from './inline-append';

/** Runs code on account of an append: within its scope, where what it appends joins the transaction. */
export type RunInAppend = <T>(transaction: AppendTransaction, work: () => T) => T;

/**
 * Makes the hooks in which inline projections are kept up to date. Appends go together when their handlers are known to end at
 * once: they cannot ask the store, which does not show what goes with them, and can be run again.
 */
export class InlineHooks {
  private readonly runs = new WeakMap<BeforeCommit, RunInAppend>();
  /** Types of events of which all handlers have ended at once so far, and those of which some have not. */
  private prompt = new Set<string>();
  private readonly slow = new Set<string>();

  constructor(private readonly begin: (transaction: AppendTransaction) => InlineAppend) {}

  /** Projections were added, whose handlers nobody knows yet. */
  forget(): void {
    this.prompt = new Set();
  }

  hookOf(appends: readonly Append[], run: RunInAppend): BeforeCommit {
    let inline: InlineAppend | undefined;
    let begunIn: AppendTransaction | undefined;
    const alone: BeforeCommit = async (events, transaction) => {
      // In another one all is to be done again.
      const working = inline !== undefined && begunIn === transaction ? inline : this.begin(transaction);
      inline = working;
      begunIn = transaction;
      const { prompt } = this;
      await run(transaction, () => working.fold(events));
      for (const { type } of events) (working.hasWaited ? this.slow : prompt).add(type);
    };
    if (!appends.every(({ events }) => events.every(({ type }) => this.prompt.has(type) && !this.slow.has(type)))) return alone;
    const hook = Object.assign(alone, { together: this.together });
    this.runs.set(hook, AsyncResource.bind(run));
    return hook;
  }

  private readonly together = async (parts: readonly AppendedPart[], transaction: AppendTransaction): Promise<void> => {
    let isJoined = false;
    const refusing: AppendTransaction = {
      previous: transaction.previous,
      onEnd: (ending) => transaction.onEnd(ending),
      // It is run again. To be refused by then would be news to nobody.
      append: async () => {
        isJoined = true;
        return { events: [], position: undefined };
      },
    };
    const inline = this.begin(transaction);
    await inline.foldTogether(
      parts.map(({ events, hook }) => ({ events, run: (work) => (this.runs.get(hook) as RunInAppend)(refusing, work) })),
    );
    if (!isJoined && !inline.hasWaited) return;
    for (const { events } of parts) for (const { type } of events) this.slow.add(type);
    throw new Error('An inline handler did not end at once, so its append is made by itself.');
  };
}
