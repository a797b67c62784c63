import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { BlockedInstance, Changes, GenerationRecord } from '../../store/projection-store';
import { ChunkSize } from '../feeding/chunk-size';
import type { Chunk } from '../feeding/intake';
import { applyEvent } from '../folding/apply-event';
import { Fold, type FoldOptions } from '../folding/fold';
import { LaterManager } from '../folding/managers';
import { checkParked } from '../parking/check-parked';
import { FailedHandler } from '../parking/failed-handler';
import type { ProjectionFailure } from '../parking/parked-event';
import { retryInstance } from '../parking/resume-instance';
import { ProjectionError } from '../projection-errors';
import type { HeldGeneration } from './held-generation';
import type { RunnerEnvironment, RunnerPace } from './runner-environment';
import type { RunnerWork } from './runner-work';

/** Folds events into the instances of a projection, in chunks; an event that fails is applied by itself. */
export class FoldWork implements RunnerWork {
  private readonly sizes = new ChunkSize();
  private needsManager: boolean;
  /** The next event that is applied by itself, each instance apart. */
  private carefulAt: Position | undefined;

  constructor(
    private readonly held: HeldGeneration,
    private readonly environment: RunnerEnvironment,
    private readonly pace: RunnerPace,
  ) {
    // What appends are changing at the same time is not to be read where it may be rolled back yet.
    this.needsManager = held.definition.kind === 'custom' || pace === 'behind appends';
  }

  get size(): number {
    return this.carefulAt === undefined ? this.sizes.now : 1;
  }

  apply(chunk: Chunk, record: GenerationRecord): Promise<boolean> {
    const isCareful = this.carefulAt !== undefined && chunk.events[0]?.position === this.carefulAt;
    return isCareful ? this.applyAlone(chunk, record) : this.applyAll(chunk, record);
  }

  async retry(instance: BlockedInstance, record: GenerationRecord): Promise<void> {
    await retryInstance(instance, { ...this.environment, definition: this.held.definition, record });
    this.held.doubt();
  }

  /** What takes so long that others take over in the meantime has to become smaller as well. */
  took({ events }: Chunk, ms: number, isKept: boolean): void {
    this.sizes.took(events.length, ms);
    if (isKept) this.carefulAt = undefined;
  }

  /** Makes the next chunk smaller, until the event is found that is to blame. @throws what no event is to blame for. */
  failed(chunk: Chunk, error: unknown): void {
    const { place } = this.environment;
    const failed = error instanceof FailedHandler ? error.event : undefined;
    if (failed === undefined && (place.isTransient(error) || !place.isRefusal(error))) throw error;
    if (this.pace === 'strict' && failed !== undefined) throw error;
    if (this.pace === 'strict' && chunk.events.length === 1) throw this.blamed(chunk.events[0] as RecordedEvent, error);
    const index = failed === undefined ? 0 : chunk.events.findIndex(({ id }) => id === failed.id);
    const isFound = chunk.events.length === 1 || (failed !== undefined && index === 0);
    if (isFound) this.carefulAt = (chunk.events[0] as RecordedEvent).position;
    else this.sizes.limit(failed === undefined ? Math.ceil(chunk.events.length / 2) : index);
  }

  private blamed(event: RecordedEvent, cause: unknown): FailedHandler {
    return new FailedHandler(new ProjectionError(this.held.definition.projection, undefined, event, cause), event);
  }

  private applyAll(chunk: Chunk, record: GenerationRecord): Promise<boolean> {
    return this.needsManager ? this.applyInTransaction(chunk, record) : this.applyOutside(chunk, record);
  }

  /** The usual way: nothing is locked while handlers run, and what was loaded is still so if the token is. */
  private async applyOutside(chunk: Chunk, record: GenerationRecord): Promise<boolean> {
    const { place } = this.environment;
    const managers = new LaterManager();
    const loadAll: FoldOptions['load'] = (ids) => place.load(this.held.definition, record, ids);
    // Documents may be large; there is no saying how many of them are too many.
    const load = this.held.definition.kind === 'entity' ? this.held.atHand.before(loadAll) : loadAll;
    const fold = new Fold({ ...this.foldOptions, load, managers, onFailure: this.pace === 'strict' ? 'throw' : 'park' });
    try {
      await this.held.keepingLease(() => fold.add(chunk.events));
    } catch (error) {
      if (!managers.isWanted) throw error;
    }
    if (managers.isWanted) {
      this.needsManager = true;
      return this.applyInTransaction(chunk, record);
    }
    checkParked(fold.failures, chunk, this.held);
    const changes = fold.changes(record.checkpoint, chunk.upTo);
    const isKept = await this.held.keep(record, changes);
    if (isKept && this.held.definition.kind === 'entity') this.held.atHand.keep(changes.saved);
    if (isKept) for (const failure of fold.failures) this.environment.report(failure);
    return isKept;
  }

  private async applyInTransaction(chunk: Chunk, record: GenerationRecord): Promise<boolean> {
    this.held.atHand.clear();
    let changes: Changes | undefined;
    const isKept = await this.environment.place.transact(this.held.definition, record, async (transaction) => {
      const load: FoldOptions['load'] = (ids) => transaction.load(this.held.definition, record, ids);
      const fold = new Fold({ ...this.foldOptions, load, managers: transaction, onFailure: 'throw' });
      await fold.add(chunk.events);
      changes = this.held.completed(fold.changes(record.checkpoint, chunk.upTo));
      return changes;
    });
    return this.held.took(isKept, record, changes);
  }

  /** One event, each of its instances apart. */
  private async applyAlone(chunk: Chunk, record: GenerationRecord): Promise<boolean> {
    this.held.atHand.clear();
    const { place } = this.environment;
    let changes: Changes | undefined;
    const failures: ProjectionFailure[] = [];
    const isKept = await place.transact(this.held.definition, record, async (transaction) => {
      failures.length = 0;
      const applied = await applyEvent(chunk.events[0] as RecordedEvent, {
        ...this.foldOptions,
        definition: this.held.definition,
        record,
        place,
        transaction,
      });
      failures.push(...applied.failures);
      checkParked(failures, chunk, this.held);
      changes = this.held.completed({ ...applied.changes, from: record.checkpoint, to: chunk.upTo });
      return changes;
    });
    const taken = this.held.took(isKept, record, changes);
    if (taken) for (const failure of failures) this.environment.report(failure);
    return taken;
  }

  private get foldOptions() {
    const { definition, blocked } = this.held;
    return { projection: definition.folding, blocked: blocked.byKey, now: this.environment.now };
  }
}
