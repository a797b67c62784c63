import { endWith, ignoreElements, type Observable, Subject, takeUntil } from 'rxjs';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { AppendTransaction } from './append';
import { copyState } from './copy-state';
import type { EventStore } from './event-store';
import { type Contents, copiesOf, DraftContents } from './in-memory-contents';
import type { InMemoryGeneration } from './in-memory-generation';
import { InMemoryGenerations } from './in-memory-generations';
import { InMemoryInlineTransaction } from './in-memory-inline-transaction';
import { InMemoryProjectionTransaction } from './in-memory-projection-transaction';
import { blockedIn, queueOf, writeChanges } from './in-memory-queues';
import { InMemoryRoles } from './in-memory-roles';
import type {
  BlockedInstance,
  CatchUp,
  Changes,
  GenerationId,
  GenerationRecord,
  InlineTransaction,
  InstanceId,
  ProjectionStore,
  ProjectionTransaction,
  StateDefinition,
} from './projection-store';

const scanned = 1000;

/**
 * Keeps what projections fold in this process: all of it ends with the process, and is folded anew by the next. Instances
 * may hold anything; each is copied on the way in and out.
 */
export class InMemoryProjectionStore implements ProjectionStore {
  private readonly generations = new InMemoryGenerations();
  private readonly roles: InMemoryRoles;
  private readonly inlines = new WeakMap<AppendTransaction, InMemoryInlineTransaction>();
  private readonly changes = new Subject<string>();

  /** @param store The store whose events are folded; it may be any. */
  constructor(private readonly store: EventStore) {
    this.roles = new InMemoryRoles(this.generations, store);
  }

  kindOf(): 'document' {
    return 'document';
  }

  mistakes(): readonly [] {
    return [];
  }

  async records(projection?: string): Promise<GenerationRecord[]> {
    const generations = projection === undefined ? this.generations.all() : this.generations.of(projection);
    return generations.map(({ record }) => record);
  }

  async create(definition: StateDefinition, version: number, role: 'serving' | 'building'): Promise<GenerationRecord> {
    const record = await this.roles.create(definition, version, role);
    this.changes.next(record.projection);
    return record;
  }

  async take(id: GenerationId, owner: string, leaseMs: number): Promise<GenerationRecord | undefined> {
    return this.generations.change(id, (generation) => {
      if (generation.owner !== undefined && generation.owner !== owner) return undefined;
      generation.token += 1;
      generation.lease(owner, leaseMs);
      return generation.record;
    });
  }

  async renew(id: GenerationId, owner: string, leaseMs: number): Promise<GenerationRecord | undefined> {
    return this.generations.change(id, (generation) => {
      if (generation.owner !== owner) return undefined;
      generation.lease(owner, leaseMs);
      return generation.record;
    });
  }

  async release(id: GenerationId, owner: string): Promise<void> {
    await this.generations.change(id, (generation) => {
      if (generation.owner === owner) generation.release();
    });
  }

  async mark(id: GenerationId, change: { readonly isPaused?: boolean; readonly failure?: string | undefined }): Promise<void> {
    await this.generations.change(id, (generation) => {
      if (change.isPaused !== undefined) generation.isPaused = change.isPaused;
      if ('failure' in change) generation.failure = change.failure;
      generation.token += 1;
    });
    this.changes.next(id.projection);
  }

  async commit(_definition: StateDefinition, record: GenerationRecord, changes: Changes): Promise<boolean> {
    const isKept = await this.generations.change(record, (generation) => {
      if (generation.token !== record.token) return false;
      return this.keep(generation, generation.contents, changes);
    });
    return this.told(record, isKept);
  }

  async transact(
    _definition: StateDefinition,
    record: GenerationRecord,
    work: (transaction: ProjectionTransaction) => Promise<Changes>,
  ): Promise<boolean> {
    const isKept = await this.generations.change(record, async (generation) => {
      if (generation.token !== record.token) return false;
      const draft = new DraftContents(generation.contents);
      const changes = await work(new InMemoryProjectionTransaction(generation, draft, this.store));
      const isKept = this.keep(generation, draft, changes);
      if (isKept) draft.keep();
      return isKept;
    });
    return this.told(record, isKept);
  }

  inline(transaction: AppendTransaction): InlineTransaction {
    let inline = this.inlines.get(transaction);
    if (inline === undefined) {
      inline = new InMemoryInlineTransaction(transaction, {
        store: this.store,
        find: (id) => this.generations.find(id),
        serving: (projection) => this.generations.inRole({ projection }, 'serving'),
        changed: ({ projection }) => this.changes.next(projection),
      });
      this.inlines.set(transaction, inline);
    }
    return inline;
  }

  async load(
    _definition: StateDefinition,
    of: Pick<GenerationRecord, 'projection' | 'role'>,
    ids: readonly InstanceId[],
  ): Promise<Map<string, object>> {
    const generation = this.generations.inRole(of, of.role);
    return generation === undefined ? new Map() : copiesOf(generation.contents, ids);
  }

  async *scan(_definition: StateDefinition, of: Pick<GenerationRecord, 'projection' | 'role'>): AsyncIterable<readonly object[]> {
    const generation = this.generations.inRole(of, of.role);
    if (generation === undefined) return;
    const { instances } = generation.contents;
    const keys = [...instances.keys()].sort();
    for (let from = 0; from < keys.length; from += scanned) {
      const states = keys.slice(from, from + scanned).flatMap((key) => instances.get(key) ?? []);
      if (states.length > 0) yield states.map(copyState);
    }
  }

  async blocked(id: GenerationId): Promise<BlockedInstance[]> {
    const generation = this.generations.find(id);
    return generation === undefined ? [] : blockedIn(generation.contents, this.compare);
  }

  async queue(id: GenerationId, key: string, limit: number): Promise<RecordedEvent[]> {
    const generation = this.generations.find(id);
    return generation === undefined ? [] : queueOf(generation.contents, key, limit);
  }

  async promote(
    definition: StateDefinition,
    building: GenerationRecord,
    serving: GenerationRecord | undefined,
    catchUp?: CatchUp,
  ): Promise<boolean> {
    return this.told(definition, await this.roles.promote(definition, building, serving, catchUp));
  }

  async reopen(definition: StateDefinition): Promise<boolean> {
    return this.told(definition, await this.roles.reopen(definition));
  }

  async drop(definition: StateDefinition, id: GenerationId): Promise<void> {
    this.told(definition, await this.roles.drop(id));
  }

  async behind(types: readonly string[], after: Position | undefined): Promise<{ events: number; since: string | undefined }> {
    let events = 0;
    let since: string | undefined;
    const query = { criteria: [{ types }], ...(after !== undefined && { after }) };
    if (types.length === 0) return { events, since };
    for await (const chunk of this.store.read(query).chunks()) {
      since ??= chunk[0]?.time;
      events += chunk.length;
    }
    return { events, since };
  }

  progressed(): Observable<string | undefined> {
    return this.changes.pipe(takeUntil(this.store.appended().pipe(ignoreElements(), endWith(undefined))));
  }

  isTransient(): boolean {
    return false;
  }

  isRefusal(): boolean {
    return false;
  }

  private readonly compare = (a: Position, b: Position): number => this.store.compare(a, b);

  private keep(generation: InMemoryGeneration, contents: Contents, changes: Changes): boolean {
    if (contents.checkpoint !== changes.from) return false;
    writeChanges(contents, changes, this.compare);
    generation.note(changes);
    return true;
  }

  private told({ projection }: Pick<GenerationId, 'projection'>, isDone: boolean | undefined): boolean {
    if (isDone === true) this.changes.next(projection);
    return isDone === true;
  }
}
