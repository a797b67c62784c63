import { guardedCopy } from '../events/frozen-copy';
import type { EventMetadata, Position } from '../events/recorded-event';
import type { EventModel } from '../metadata/class-model';
import type { Append, AppendResult, Guard } from '../store/append';
import { OptimisticLockError } from '../store/store-errors';
import { ForeignTransactionError, MisplacedEmitError, UnfinishedCommandError } from './aggregate-errors';
import { type AggregateState, type PendingEvent, pendingContext } from './aggregate-state';
import { type InstanceLocks, waitsForThisOne } from './instance-locks';
import type { UserTransaction } from './user-transaction';

/** What a unit of work needs of the `EventSourcing` it runs in. */
export interface UnitEnvironment {
  readonly locks: InstanceLocks;
  newId(): string;
  now(): Date;
  metadata(): EventMetadata;
  /** The unit that the caller's code runs in. */
  unit(): UnitOfWork | undefined;
  /** The transaction that the caller's code runs in, begun by a user. */
  userTransaction(): UserTransaction | undefined;
  tagsOf(type: string, data: object): readonly string[];
  append(appends: readonly Append[]): Promise<AppendResult>;
  refresh(state: AggregateState): Promise<void>;
  restore(state: AggregateState): Promise<void>;
  /** Hears of each instance with new events whose class asks for snapshots. */
  committed(state: AggregateState, before: number, position: Position | undefined): void;
}

interface UnitEvent extends PendingEvent {
  readonly emitter: AggregateState;
}

/** The lock of one instance. */
interface Hold {
  /** Undefined when it was free. */
  readonly waiting: Promise<void> | undefined;
  /** How many instances are being refreshed under it. */
  entering: number;
}

/**
 * All that one command, or one transaction over several, reads and emits: stored as one append, or put back.
 *
 * What is emitted reaches every instance of the unit that it belongs to, at once.
 */
export class UnitOfWork {
  /** The streams whose instances this unit waits for. */
  readonly waitsFor = new Set<string>();
  isOver = false;
  hasFailed = false;
  private readonly id: string;
  private readonly holds = new Map<string, Hold>();
  private readonly entries = new Map<AggregateState, Promise<void>>();
  private readonly states = new Set<AggregateState>();
  private readonly statesOf = new Map<string, AggregateState[]>();
  /** The instances that events were applied to, and how many to each. */
  private readonly dirty = new Map<AggregateState, number>();
  private readonly events: UnitEvent[] = [];
  private readonly emitted = new Map<string, number>();
  private running = 0;
  private hasEnded = false;
  private lostRace: unknown;
  private doom: { readonly error: unknown } | undefined;

  private readonly transaction: UserTransaction | undefined;
  private readonly savepoint: object | undefined;

  /** @param joined The locks of the append that this unit's own is a part of, if it is. */
  constructor(
    private readonly environment: UnitEnvironment,
    private readonly joined?: InstanceLocks | undefined,
  ) {
    this.id = environment.newId();
    this.transaction = environment.userTransaction();
    this.savepoint = this.transaction?.store.savepoint;
  }

  /** Says whether nobody can be waiting for this unit. */
  get isUnencumbered(): boolean {
    return this.holds.size === 0;
  }

  /**
   * Runs a command or transaction within this unit. When it rejects after something was emitted, the unit cannot be
   * committed any more, even if the error is caught.
   */
  async join<T>(work: () => PromiseLike<T> | T): Promise<T> {
    this.checkTransaction();
    const before = this.events.length;
    this.running += 1;
    try {
      return await work();
    } catch (error) {
      if (this.events.length > before) this.doom ??= { error };
      throw error;
    } finally {
      this.running -= 1;
    }
  }

  /** Runs a command of an instance in this unit, once the instance is refreshed. */
  async run<T>(state: AggregateState, command: () => PromiseLike<T> | T): Promise<T> {
    if (!this.states.has(state)) await this.enlisted(state);
    if (this.isOver) throw new UnfinishedCommandError(this.running);
    return command();
  }

  emit(emitter: AggregateState, { type, schemaVersion }: EventModel, data: object): void {
    if (this.isOver)
      throw new MisplacedEmitError(
        `emit of ${type}`,
        'came after its command had ended',
        'Await everything that a command begins',
      );
    const { environment } = this;
    if (environment.unit() !== this)
      throw new MisplacedEmitError(
        `emit of ${type}`,
        'came from outside of the command that is running',
        'Call a command, and emit in it',
      );
    this.checkTransaction();
    const { stream } = emitter;
    const count = (this.emitted.get(stream) ?? 0) + 1;
    const context = pendingContext({
      id: environment.newId(),
      type,
      schemaVersion,
      stream,
      version: emitter.version + count,
      metadata: this.metadata(),
      time: environment.now().toISOString(),
      tags: environment.tagsOf(type, data),
    });
    const pending = { emitter, data, context };
    this.emitted.set(stream, count);
    this.events.push(pending);
    const reached = isAlone(emitter) ? (this.statesOf.get(stream) ?? []) : this.states;
    for (const state of reached) this.apply(state, pending);
  }

  /** Refuses the whole unit because an event in it was refused, even if the error is caught. */
  refuse(error: unknown): void {
    if (this.environment.unit() === this) this.doom ??= { error };
  }

  emittedBy(emitter: AggregateState): readonly PendingEvent[] {
    return this.events.filter((event) => event.emitter === emitter);
  }

  /** @throws {@link OptimisticLockError} when a guard does not hold; the caller rolls back. */
  async commit(): Promise<void> {
    if (this.running > 0) throw new UnfinishedCommandError(this.running);
    if (this.doom !== undefined) throw this.doom.error;
    if (this.events.length > 0) this.checkTransaction();
    this.isOver = true;
    if (this.events.length > 0) this.settle(await this.append());
    this.end();
  }

  /** Puts every instance back to what it was before. */
  async rollback(): Promise<void> {
    this.isOver = true;
    this.hasFailed = true;
    try {
      // Also where nothing was emitted: a command may have changed the state by itself.
      for (const state of new Set([...this.states, ...this.dirty.keys()])) await this.environment.restore(state);
    } finally {
      this.end();
    }
  }

  /** Says whether the error is this unit's own lost race, after which its work may be tried again. */
  hasLost(error: unknown): boolean {
    return this.lostRace !== undefined && this.lostRace === error;
  }

  /** Marks the error as this unit's own lost race. */
  lost<E>(error: E): E {
    this.lostRace = error;
    return error;
  }

  private enlisted(state: AggregateState): Promise<void> {
    let entry = this.entries.get(state);
    if (entry === undefined) {
      entry = this.enlist(state);
      this.entries.set(state, entry);
    }
    return entry;
  }

  private async enlist(state: AggregateState): Promise<void> {
    const { stream } = state;
    const hold = this.hold(stream);
    hold.entering += 1;
    try {
      if (hold.waiting !== undefined) await hold.waiting;
      if (state.unit !== undefined) throw this.lost(waitsForThisOne(stream));
      if (!this.isOver) await this.environment.refresh(state);
      if (this.isOver) return;
      this.states.add(state);
      this.statesOf.set(stream, [...(this.statesOf.get(stream) ?? []), state]);
      state.unit = this;
      for (const event of this.events) if (mayReach(event, stream)) this.apply(state, event);
    } catch (error) {
      this.entries.delete(state);
      throw error;
    } finally {
      hold.entering -= 1;
      if (this.hasEnded) this.release(stream, hold);
    }
  }

  private hold(stream: string): Hold {
    let hold = this.holds.get(stream);
    if (hold === undefined) {
      hold = { waiting: this.locks.acquire(stream, this), entering: 0 };
      this.holds.set(stream, hold);
    }
    return hold;
  }

  /** Keeps the lock for as long as an instance is being refreshed under it, also when the unit ended early. */
  private release(stream: string, { entering }: Hold): void {
    if (entering === 0) this.locks.release(stream);
  }

  private get locks(): InstanceLocks {
    return this.joined ?? this.transaction?.locks ?? this.environment.locks;
  }

  /** @throws {@link ForeignTransactionError} where what is emitted would be stored in another transaction, or savepoint. */
  private checkTransaction(): void {
    const transaction = this.environment.userTransaction();
    if (transaction !== this.transaction)
      throw new ForeignTransactionError(
        'A command or es.transaction is under way that was begun outside of this transaction, and would be stored outside of it. Call it in here, or end it first.',
      );
    if (transaction !== undefined && transaction.store.savepoint !== this.savepoint)
      throw new ForeignTransactionError(
        'A command or es.transaction is under way that was begun outside of this savepoint, and would be stored outside of it. Begin it in here: es.transaction(manager, work).',
      );
  }

  private apply(state: AggregateState, { data, context }: UnitEvent): void {
    const { definition, identity, root } = state;
    if (definition === undefined || identity === undefined || !definition.model.byType.has(context.type)) return;
    const applied = this.dirty.get(state);
    this.dirty.set(state, applied ?? 0);
    try {
      if (definition.apply(root, identity, guardedCopy(data, context.type), context)) this.dirty.set(state, (applied ?? 0) + 1);
      else if (applied === undefined) this.dirty.delete(state);
    } catch (error) {
      this.doom ??= { error };
      throw error;
    }
  }

  private async append(): Promise<AppendResult> {
    try {
      return await this.environment.append(this.appends());
    } catch (error) {
      throw error instanceof OptimisticLockError ? this.lostRaceOf(error) : error;
    }
  }

  /** @returns what is thrown for a lost race. Another run would find what the caller did not expect. */
  private lostRaceOf(error: OptimisticLockError): Error {
    const emitter = this.events.find(({ context }) => context.stream === error.stream)?.emitter;
    const named = this.named(error, emitter);
    const expectation = emitter?.expectation;
    return expectation === undefined ? this.lost(named) : (expectation.otherwise?.() ?? named);
  }

  private named(error: OptimisticLockError, emitter: AggregateState | undefined): OptimisticLockError {
    if (emitter?.definition === undefined || emitter.identity === undefined) return error;
    return error.of({ type: emitter.definition.model.name, ids: emitter.definition.idsOf(emitter.identity) });
  }

  private appends(): Append[] {
    const appends: { stream: string; events: object[]; guard: Guard }[] = [];
    let previous: AggregateState | undefined;
    for (const { emitter, data, context } of this.events) {
      const last = previous === emitter ? appends.at(-1) : undefined;
      previous = emitter;
      const { id, type, schemaVersion, metadata, time, tags, stream } = context;
      const event = { id, type, schemaVersion, metadata, time, tags, data };
      if (last === undefined) appends.push({ stream, events: [event], guard: guardOf(emitter) });
      else last.events.push(event);
    }
    return appends as unknown as Append[];
  }

  private settle({ events, position }: AppendResult): void {
    const guarded = new Set(this.events.map(({ emitter }) => emitter));
    const isAllOurs = events.length === this.events.length && this.joined === undefined;
    const versions = new Map(events.map(({ stream, version }) => [stream, version]));
    for (const [state, applied] of this.dirty) {
      const { stream, folded } = state;
      state.mustBeNew = false;
      state.expectation = undefined;
      state.folded += applied;
      state.version = versions.get(stream) ?? state.version;
      if (isAllOurs && guarded.has(state)) state.position = position;
      else state.isStale = true;
      if (state.definition?.snapshots !== undefined) this.environment.committed(state, folded, position);
    }
  }

  private end(): void {
    this.hasEnded = true;
    for (const state of this.states) state.unit = undefined;
    this.states.clear();
    for (const [stream, hold] of this.holds) this.release(stream, hold);
  }

  private metadata(): EventMetadata {
    const given = this.environment.metadata();
    return { ...given, correlationId: given.correlationId ?? this.id, causationId: given.causationId ?? this.id };
  }
}

/** What a closed aggregate emits belongs to itself alone. */
function isAlone({ definition }: AggregateState): boolean {
  return definition?.isOpen === false;
}

function mayReach({ emitter }: UnitEvent, stream: string): boolean {
  return emitter.stream === stream || !isAlone(emitter);
}

function guardOf(state: AggregateState): Guard {
  const { definition, identity, position, version } = state as Required<AggregateState>;
  if (definition === undefined || !definition.isOpen || identity === undefined) return { version };
  return { condition: { criteria: definition.criteriaOf(identity), after: position } };
}
