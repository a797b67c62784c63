import { isDeepStrictEqual } from 'node:util';
import type { Observable } from 'rxjs';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Class } from '../../../events/event-class';
import { InvalidArgumentError } from '../../../events/invalid-argument-error';
import type { Position, RecordedEvent } from '../../../events/recorded-event';
import type { AppendTransaction } from '../../../store/append';
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
  Role,
  StateDefinition,
} from '../../../store/projection-store';
import type { Connections } from '../connections';
import type { Dialect } from '../dialect';
import { markOpen } from '../marked-transaction';
import { OpenAppend } from '../open-append';
import type { DialectName, TableNames } from '../tables';
import { type BeforeImages, beforeImagesOn } from './before-images';
import { eventsBehind } from './events-behind';
import { isRefusedWrite, isTransientFailure } from './failures';
import { TypeOrmInlineTransaction } from './inline-transaction';
import { LifeCycle } from './life-cycle';
import type { Look, Progress } from './progress';
import { ProjectionAccess } from './projection-access';
import { LockedTransaction } from './projection-transaction';
import { blockedOf, queuedEventOf } from './queue-statements';
import { goesOn, isSwapping, recordOf } from './record-of';
import { RecordStatements } from './record-statements';
import { sqlWords } from './sql-words';
import { placeByRole, placeOf, States } from './states';

/** What a projection store shares with the store of the events. */
export interface ProjectionStoreOptions {
  readonly dataSource: DataSource;
  readonly connections: Connections;
  readonly dialect: Dialect;
  readonly dialectName: DialectName;
  readonly names: TableNames;
  /** Makes what tells of progress. */
  readonly progress: (look: Look) => Progress;
}

/** So many instances are read at once. */
const chunkSize = 1_000;

/** Keeps projections in the database of the events: entities in their own tables, documents in one for all. */
export class TypeOrmProjectionStore implements ProjectionStore {
  private readonly access: ProjectionAccess;
  private readonly statements: RecordStatements;
  private readonly states: States;
  private readonly lifeCycle: LifeCycle;
  /** Those that were used, by name: what another process has left half done cannot be ended without. */
  private readonly definitions = new Map<string, StateDefinition>();
  private readonly beforeImages: BeforeImages | undefined;
  private progress: Progress | undefined;

  constructor(private readonly options: ProjectionStoreOptions) {
    const { dataSource, dialectName, names } = options;
    const words = sqlWords(dialectName);
    this.access = new ProjectionAccess({ ...options, words });
    this.statements = new RecordStatements(words, names.projections);
    this.states = new States(dataSource, dialectName, this.access);
    this.lifeCycle = new LifeCycle(this.access, this.statements, this.states);
    if (options.dialect.sharesConnection) this.beforeImages = beforeImagesOn(dataSource, names.projections.table);
  }

  kindOf(target: Class): 'entity' | 'document' {
    return this.options.dataSource.hasMetadata(target) ? 'entity' : 'document';
  }

  mistakes(definition: StateDefinition, others: readonly StateDefinition[]): ReturnType<ProjectionStore['mistakes']> {
    return this.states.mistakes(definition, others);
  }

  async records(projection?: string): Promise<GenerationRecord[]> {
    const rows = await this.access.select(this.statements.select({ projection }));
    const left = rows.filter(isSwapping).map((row) => this.definitions.get(recordOf(row).projection));
    for (const definition of new Set(left)) if (definition !== undefined) await this.lifeCycle.recover(definition);
    return (left.length > 0 ? await this.access.select(this.statements.select({ projection })) : rows).map(recordOf);
  }

  async create(definition: StateDefinition, version: number, role: 'serving' | 'building'): Promise<GenerationRecord> {
    this.definitions.set(definition.projection, definition);
    // Who only looks does not wait for those who are at work on it.
    const there = (await this.records(definition.projection)).find((record) => record.role === role);
    if (there !== undefined && goesOn(there, definition, version)) return there;
    const record = await this.lifeCycle.create(definition, version, role);
    this.tell(definition.projection);
    return record;
  }

  async take(id: GenerationId, owner: string, leaseMs: number): Promise<GenerationRecord | undefined> {
    const { access, statements } = this;
    const { projection, generation } = id;
    access.leasedFor(leaseMs);
    return access.alone((runner) =>
      access.transaction(runner, async () => {
        const free = statements.select({ projection, generation, freeFor: owner }, access.words.skippingLocked);
        const [row] = (await access.dialect.run(runner, free)).rows;
        if (row === undefined || isSwapping(row)) return undefined;
        const change = { owner, leaseMs, hasNewToken: true };
        await access.dialect.run(runner, statements.update({ projection, generation }, change));
        const [taken] = (await access.dialect.run(runner, statements.select({ projection, generation }))).rows;
        return taken && recordOf(taken);
      }),
    );
  }

  async renew({ projection, generation }: GenerationId, owner: string, leaseMs: number): Promise<GenerationRecord | undefined> {
    const { statements } = this;
    const changed = await this.access.change(statements.update({ projection, generation, owner }, { leaseMs }));
    if (changed === 0) return undefined;
    const [row] = await this.access.select(statements.select({ projection, generation }));
    // Whose tables are being swapped is not to be written to, by whatever name they go by then.
    const record = row && !isSwapping(row) ? recordOf(row) : undefined;
    return record?.owner === owner ? record : undefined;
  }

  async release({ projection, generation }: GenerationId, owner: string): Promise<void> {
    const change = { owner: undefined, leaseMs: undefined };
    await this.access.change(this.statements.update({ projection, generation, owner }, change));
    this.tell(projection);
  }

  async mark(
    { projection, generation }: GenerationId,
    change: { readonly isPaused?: boolean; readonly failure?: string | undefined },
  ): Promise<void> {
    await this.access.change(this.statements.update({ projection, generation }, { ...change, hasNewToken: true }));
    this.tell(projection);
  }

  async commit(definition: StateDefinition, record: GenerationRecord, changes: Changes): Promise<boolean> {
    const { access } = this;
    const isKept = isCheckpointOnly(changes)
      ? (await access.change(this.statements.fence(record, changes))) > 0
      : await access.alone(
          (runner) => this.commitOn(runner, definition, record, changes),
          access.dialect.sharesConnection ? 'hook' : 'no hook',
        );
    if (isKept) this.tell(record.projection);
    return isKept;
  }

  async transact(
    definition: StateDefinition,
    record: GenerationRecord,
    work: (transaction: ProjectionTransaction) => Promise<Changes>,
  ): Promise<boolean> {
    const isKept = await this.access.alone((runner) => this.transactOn(runner, definition, record, work), 'hook');
    if (isKept) this.tell(record.projection);
    return isKept;
  }

  inline(transaction: AppendTransaction): InlineTransaction {
    if (!(transaction instanceof OpenAppend))
      throw new InvalidArgumentError('The transaction of an append belongs to another store. Give the one that the hook got.');
    const { access, states, statements: records, beforeImages } = this;
    const progressed = (name: string) => this.tell(name);
    return new TypeOrmInlineTransaction(transaction, { access, states, records, beforeImages, progressed });
  }

  async load(
    definition: StateDefinition,
    of: { readonly projection: string; readonly role: Role },
    ids: readonly InstanceId[],
  ): Promise<Map<string, object>> {
    try {
      const read = await this.access.use((runner) => this.states.load(runner, definition, placeByRole(of), ids));
      return this.beforeImages?.restore(definition, of, read, ids) ?? read;
    } catch (error) {
      // There may be no table for what is not there. That is not asked first, as there mostly is one.
      const isThere = (await this.records(of.projection)).some(({ role }) => role === of.role);
      if (isThere) throw error;
      return new Map();
    }
  }

  async *scan(
    definition: StateDefinition,
    { projection, role }: { readonly projection: string; readonly role: Role },
  ): AsyncGenerator<readonly object[], void> {
    const table = this.states.tableOf(definition);
    const record = (await this.records(projection)).find((each) => each.role === role);
    if (table === undefined || record === undefined) return;
    for (let last: object | undefined; ; ) {
      const states = await this.access.use((runner) => table.page(runner, placeOf(record), last, chunkSize));
      // Before it is handed out, as it may be changed.
      last = states.at(-1);
      const key = last && definition.idOf(last);
      if (states.length > 0) yield states;
      if (states.length < chunkSize) return;
      last = key && definition.create(key);
    }
  }

  isSame(definition: StateDefinition, one: object, other: object): boolean {
    return this.states.tableOf(definition)?.isSame(one, other) ?? isDeepStrictEqual(one, other);
  }

  async blocked(id: GenerationId): Promise<BlockedInstance[]> {
    return (await this.access.select(this.states.queues.blocked(id))).map(blockedOf);
  }

  async queue(id: GenerationId, key: string, limit: number): Promise<RecordedEvent[]> {
    return (await this.access.select(this.states.queues.queue(id, key, limit))).map(queuedEventOf);
  }

  async promote(
    definition: StateDefinition,
    building: GenerationRecord,
    serving: GenerationRecord | undefined,
    catchUp?: CatchUp,
  ): Promise<boolean> {
    this.definitions.set(definition.projection, definition);
    const isPromoted = await this.lifeCycle.promote(definition, building, serving, catchUp);
    if (isPromoted) this.tell(definition.projection);
    return isPromoted;
  }

  async reopen(definition: StateDefinition): Promise<boolean> {
    this.definitions.set(definition.projection, definition);
    const isReopened = await this.lifeCycle.reopen(definition);
    if (isReopened) this.tell(definition.projection);
    return isReopened;
  }

  async drop(definition: StateDefinition, id: GenerationId): Promise<void> {
    this.definitions.set(definition.projection, definition);
    await this.lifeCycle.drop(definition, id);
    this.tell(definition.projection);
  }

  behind(types: readonly string[], after: Position | undefined): Promise<{ events: number; since: string | undefined }> {
    return eventsBehind(this.access, types, after);
  }

  progressed(): Observable<string | undefined> {
    return this.told.progressed();
  }

  isTransient(error: unknown): boolean {
    return isTransientFailure(this.options.dialectName, error);
  }

  isRefusal(error: unknown): boolean {
    return isRefusedWrite(this.options.dialectName, error);
  }

  /** Ends its observables. */
  close(): void {
    this.progress?.close();
  }

  private async commitOn(
    runner: QueryRunner,
    definition: StateDefinition,
    record: GenerationRecord,
    changes: Changes,
  ): Promise<boolean> {
    const { access, states } = this;
    if (!(await access.dialect.beginWith(runner, this.statements.fence(record, changes), access.longestIdleMs))) return false;
    await access.ending(runner, async () => {
      await states.write(runner, definition, placeOf(record), changes);
      await states.writeQueues(runner, record, changes);
    });
    return true;
  }

  private async transactOn(
    runner: QueryRunner,
    definition: StateDefinition,
    record: GenerationRecord,
    work: (transaction: ProjectionTransaction) => Promise<Changes>,
  ): Promise<boolean> {
    const { dialect, connections } = this.access;
    await dialect.begin(runner, this.access.longestIdleMs);
    let how: 'committed' | 'rolledBack' = 'rolledBack';
    try {
      if (await this.isDone(runner, definition, record, work)) {
        await dialect.end(runner, 'COMMIT');
        how = 'committed';
      }
    } finally {
      if (how === 'rolledBack') await dialect.end(runner, 'ROLLBACK').catch(() => undefined);
      await connections.transactions.ended(runner, how);
    }
    return how === 'committed';
  }

  private async isDone(
    runner: QueryRunner,
    definition: StateDefinition,
    { projection, generation, token }: GenerationRecord,
    work: (transaction: ProjectionTransaction) => Promise<Changes>,
  ): Promise<boolean> {
    const { access, states, statements } = this;
    const { dialect, words } = access;
    const lock = statements.select({ projection, generation, token }, words.forUpdate);
    const [row] = (await dialect.run(runner, lock)).rows;
    if (row === undefined || isSwapping(row)) return false;
    const locked = recordOf(row);
    markOpen(runner);
    const changes = await work(new LockedTransaction(runner, states, access, locked));
    const { changed } = await dialect.run(runner, statements.fence(locked, changes));
    if (changed === 0) return false;
    await states.write(runner, definition, placeOf(locked), changes);
    await states.writeQueues(runner, locked, changes);
    return true;
  }

  private tell(projection: string): void {
    this.told.tell(projection);
  }

  private get told(): Progress {
    this.progress ??= this.options.progress(async () => {
      const rows = await this.access.select(this.statements.select({}));
      const texts = new Map<string, string>();
      for (const { projection, generation, checkpoint, token, role } of rows.map(recordOf))
        texts.set(projection, `${texts.get(projection) ?? ''} ${generation} ${role} ${token} ${checkpoint}`);
      return texts;
    });
    return this.progress;
  }
}

function isCheckpointOnly({ saved, removed, queued, released }: Changes): boolean {
  return saved.length === 0 && removed.length === 0 && queued.length === 0 && released.length === 0;
}
