import { InstanceLocks } from '../aggregates/instance-locks';
import { type JoinedAppend, noScope, type Scopes } from '../aggregates/scope';
import type { UserTransaction } from '../aggregates/user-transaction';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import type { Registry } from '../metadata/registry';
import type { ProjectionStorage } from '../projections/projection-storage';
import type { Append, AppendResult, Guard, NewEvent } from '../store/append';
import type { AppendTracker } from '../store/append-tracker';
import { AppendsUnderWay } from '../store/appends-under-way';
import type { EventStore } from '../store/event-store';
import type { TagIndex } from '../tags/tag-index';
import type { Transactions } from './transactions';

/** The guard of `es.append`: the stream's version, or a boundary that must not have changed. */
export type AppendGuard = { readonly version: 'none' | 'exists' | number } | Extract<Guard, { readonly condition: unknown }>;

/** @throws {@link InvalidArgumentError} where there is none. */
export function checkGuard(guard: AppendGuard): void {
  if (guard === undefined || guard === null || (guard as { version?: unknown }).version === 'any') {
    throw new InvalidArgumentError(
      'es.append needs a guard: { version } or { condition }. es.appendUnguarded is the call without one.',
    );
  }
}

/** What events are appended with. */
export interface AppendingOptions {
  readonly store: EventStore;
  readonly registry: () => Registry;
  readonly tags: TagIndex;
  readonly scopes: Scopes;
  readonly transactions: Transactions;
  readonly projections: ProjectionStorage;
  /** @throws when nothing is to be appended any more. */
  checkOpen(): void;
}

/** The appends of one `EventSourcing`, whoever makes them. */
export class Appending {
  /** Classes were registered after the start. */
  hasGrown = false;
  readonly underWay = new AppendsUnderWay();

  constructor(private readonly options: AppendingOptions) {}

  /** Appends to the store, with inline projections in its transaction; joins the append whose inline projections run. */
  async commit(appends: readonly Append[]): Promise<AppendResult> {
    this.options.checkOpen();
    const joined = this.options.scopes.getStore()?.joined?.transaction;
    const tagged = this.hasGrown || this.options.tags.forOthers.isAny ? this.tagged(appends) : appends;
    if (joined !== undefined) return joined.append(tagged);
    const transaction = this.options.transactions.current();
    if (transaction !== undefined) return this.commitIn(transaction, tagged);
    const underWay = this.underWay.begin();
    try {
      return this.noted(await this.appendTo(this.options.store, tagged), this.options.scopes.getStore()?.tracker);
    } finally {
      underWay.end();
    }
  }

  /** Appends in a transaction of a user's, which has its own time to end. */
  private async commitIn({ store }: UserTransaction, appends: readonly Append[]): Promise<AppendResult> {
    const underWay = this.underWay.begin();
    store.onEnd(() => underWay.end());
    const tracker = this.options.scopes.getStore()?.tracker;
    const result = await this.appendTo(store, appends);
    store.onEnd((how) => {
      if (how === 'committed') this.noted(result, tracker);
    });
    return result;
  }

  private noted(result: AppendResult, tracker: AppendTracker | undefined): AppendResult {
    this.options.projections.tell(result);
    tracker?.note(result);
    return result;
  }

  /** Appends to a store, with inline projections in the append's transaction. */
  private async appendTo(store: EventStore, appends: readonly Append[]): Promise<AppendResult> {
    if (!this.options.projections.hasInline) return store.append(appends);
    const scope = this.options.scopes.getStore() ?? noScope;
    const joined: JoinedAppend = { transaction: undefined, locks: new InstanceLocks() };
    const hook = this.options.projections.inlineHook(appends, (transaction, work) => {
      joined.transaction = transaction;
      return this.options.scopes.run({ ...scope, unit: undefined, joined }, work);
    });
    try {
      return await store.append(appends, hook);
    } finally {
      joined.transaction = undefined;
    }
  }

  /** Events may have been made before a class was registered that asks for tags on them; others may ask for more. */
  private tagged(appends: readonly Append[]): Append[] {
    const tagsOf = ({ type, data, tags = [] }: NewEvent) => {
      const own = this.hasGrown ? this.options.registry().boundaries.tagsOf(type, data) : tags;
      return [...own, ...this.options.tags.forOthers.tagsOf(type, data)];
    };
    return appends.map((append) => ({
      ...append,
      events: append.events.map((event) => ({ ...event, tags: tagsOf(event) })),
    }));
  }
}
