import type { EventMetadata, RecordedEvent } from '../events/recorded-event';
import type { EventModel } from '../metadata/class-model';
import type { Append, AppendResult, Guard } from '../store/append';
import { OptimisticLockError } from '../store/store-errors';
import { MisplacedEmitError, UnfinishedCommandError } from './aggregate-errors';
import { type AggregateState, type PendingEvent, pendingContext } from './aggregate-state';
import type { InstanceLocks } from './instance-locks';

/** What a unit of work needs of the `EventSourcing` it runs in. */
export interface UnitEnvironment {
  readonly locks: InstanceLocks;
  newId(): string;
  now(): Date;
  metadata(): EventMetadata;
  tagsOf(type: string, data: object): readonly string[];
  append(appends: readonly Append[]): Promise<AppendResult>;
  refresh(state: AggregateState): Promise<void>;
  restore(state: AggregateState): Promise<void>;
}

interface UnitEvent extends PendingEvent {
  readonly emitter: AggregateState;
}

/**
 * All that one command, or one transaction over several, reads and emits: stored as one append, or put back.
 *
 * What is emitted reaches every instance of the unit that it belongs to, at once.
 */
export class UnitOfWork {
  /** The unit that holds an instance which this one waits for. */
  waitsFor: UnitOfWork | undefined;
  isOver = false;
  private readonly id: string;
  private readonly states = new Set<AggregateState>();
  private readonly dirty = new Set<AggregateState>();
  private readonly events: UnitEvent[] = [];
  private running = 0;
  private lostRace: unknown;

  constructor(private readonly environment: UnitEnvironment) {
    this.id = environment.newId();
  }

  /** Runs a command of an instance in this unit. */
  async run<T>(state: AggregateState, command: () => PromiseLike<T> | T): Promise<T> {
    this.running += 1;
    try {
      if (!this.states.has(state)) await this.enlist(state);
      return await command();
    } finally {
      this.running -= 1;
    }
  }

  emit(emitter: AggregateState, { type, schemaVersion }: EventModel, data: object): void {
    if (this.isOver)
      throw new MisplacedEmitError(
        `emit of ${type}`,
        'came after its command had ended',
        'Await everything that a command begins',
      );
    const version = emitter.version + this.events.filter((other) => other.context.stream === emitter.stream).length + 1;
    const { environment } = this;
    const context = pendingContext({
      id: environment.newId(),
      type,
      schemaVersion,
      stream: emitter.stream,
      version,
      metadata: this.metadata(),
      time: environment.now().toISOString(),
      tags: environment.tagsOf(type, data),
    });
    const pending = { emitter, data, context };
    this.events.push(pending);
    for (const state of this.states) this.apply(state, pending);
  }

  emittedBy(emitter: AggregateState): readonly PendingEvent[] {
    return this.events.filter((event) => event.emitter === emitter);
  }

  /** @throws {@link OptimisticLockError} when a guard does not hold; the caller rolls back. */
  async commit(): Promise<void> {
    if (this.running > 0) throw new UnfinishedCommandError(this.running);
    this.isOver = true;
    if (this.events.length > 0) this.settle(await this.append());
    this.end();
  }

  /** Puts every instance back to what it was before. */
  async rollback(): Promise<void> {
    this.isOver = true;
    for (const state of this.dirty) await this.environment.restore(state);
    this.end();
  }

  /** Says whether the error is this unit's own lost race, after which its work may be tried again. */
  hasLost(error: unknown): boolean {
    return this.lostRace === error;
  }

  /** Marks the error as this unit's own lost race. */
  lost<E>(error: E): E {
    this.lostRace = error;
    return error;
  }

  private async enlist(state: AggregateState): Promise<void> {
    const waiting = this.environment.locks.acquire(state.stream, this);
    if (waiting !== undefined) await waiting;
    this.states.add(state);
    state.unit = this;
    await this.environment.refresh(state);
    for (const event of this.events) this.apply(state, event);
  }

  private apply(state: AggregateState, { data, context }: UnitEvent): void {
    const { definition, identity, root } = state;
    if (definition === undefined || identity === undefined || !definition.model.byType.has(context.type)) return;
    const wasDirty = this.dirty.has(state);
    this.dirty.add(state);
    if (!definition.apply(root, identity, data, context) && !wasDirty) this.dirty.delete(state);
  }

  private async append(): Promise<AppendResult> {
    try {
      return await this.environment.append(this.appends());
    } catch (error) {
      throw error instanceof OptimisticLockError ? this.lost(this.named(error)) : error;
    }
  }

  private named(error: OptimisticLockError): OptimisticLockError {
    const emitter = this.events.find(({ context }) => context.stream === error.stream)?.emitter;
    if (emitter?.definition === undefined || emitter.identity === undefined) return error;
    return error.of({ type: emitter.definition.model.name, ids: emitter.definition.idsOf(emitter.identity) });
  }

  private appends(): Append[] {
    const appends: { stream: string; events: object[]; guard: Guard }[] = [];
    for (const { emitter, data, context } of this.events) {
      const last = appends.at(-1);
      const { id, type, schemaVersion, metadata, time, tags, stream } = context;
      const event = { id, type, schemaVersion, metadata, time, tags, data };
      if (last?.stream === stream) last.events.push(event);
      else appends.push({ stream, events: [event], guard: guardOf(emitter) });
    }
    return appends as unknown as Append[];
  }

  private settle({ events, position }: AppendResult): void {
    const emitters = new Set(this.events.map(({ emitter }) => emitter.stream));
    for (const state of this.dirty) {
      const own = events.filter((event) => event.stream === state.stream);
      state.mustBeNew = false;
      state.folded += this.foldedBy(state, events);
      state.version = own.at(-1)?.version ?? state.version;
      if (emitters.has(state.stream)) state.position = position;
      else state.isStale = true;
    }
  }

  private foldedBy({ definition, identity }: AggregateState, events: readonly RecordedEvent[]): number {
    if (definition === undefined || identity === undefined) return 0;
    return events.filter((event) => definition.owns(identity, event)).length;
  }

  private end(): void {
    this.isOver = true;
    for (const state of this.states) {
      state.unit = undefined;
      this.environment.locks.release(state.stream);
    }
    this.states.clear();
  }

  private metadata(): EventMetadata {
    const given = this.environment.metadata();
    return { ...given, correlationId: given.correlationId ?? this.id, causationId: given.causationId ?? this.id };
  }
}

function guardOf(state: AggregateState): Guard {
  const { definition, identity, position, version } = state as Required<AggregateState>;
  if (definition === undefined || !definition.isOpen || identity === undefined) return { version };
  return { condition: { criteria: definition.criteriaOf(identity), after: position } };
}
