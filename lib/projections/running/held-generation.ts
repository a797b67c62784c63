import type { Position } from '../../events/recorded-event';
import type { BlockedInstance, Changes, GenerationId, GenerationRecord } from '../../store/projection-store';
import { InstancesAtHand } from '../folding/instances-at-hand';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { BlockedInstances } from '../parking/blocked-instances';
import { Rate } from './rate';
import type { RunnerEnvironment } from './runner-environment';

/** No token that is given out. */
const doubted = -1;

/** A checkpoint that moves by events that do not concern the projection is kept so often. */
const idleCommitMs = 1_000;

const again = setInterval;

/** One generation, as the process knows it that holds its lease: its record, how long that is so, and what stands still. */
export class HeldGeneration {
  /** Undefined while another process holds it. */
  record: GenerationRecord | undefined;
  /** Until then, what is known of the record is taken for true. */
  leasedUntil = 0;
  /** Everything up to here is known to be done, and not kept yet. */
  idle: Position | undefined;
  /** Whether nobody else has applied anything to it since this was made, as far as is known. */
  isAlone = true;
  /** Whether nobody waits any more for what is under way: others may take it over when the lease has run out. */
  isAbandoned = false;
  readonly id: GenerationId;
  readonly blocked = new BlockedInstances();
  readonly atHand = new InstancesAtHand();
  readonly rate = new Rate();
  /** Where this process has left it. */
  private left: Position | undefined;
  private lastCommit = 0;
  private hasLooked = false;

  constructor(
    readonly definition: ProjectionDefinition,
    { generation, checkpoint }: Pick<GenerationRecord, 'generation' | 'checkpoint'>,
    private readonly environment: RunnerEnvironment,
  ) {
    this.id = { projection: definition.projection, generation };
    this.left = checkpoint;
  }

  /** Whether what is known of it is so, as far as this process knows. */
  get isCertain(): boolean {
    return this.record !== undefined && this.record.token !== doubted;
  }

  /** Everything up to here is applied or parked, as far as this process knows. */
  get position(): Position | undefined {
    return this.idle ?? this.record?.checkpoint;
  }

  /** Whether the lease need not be renewed yet. */
  get isLeased(): boolean {
    return this.record !== undefined && Date.now() < this.leasedUntil;
  }

  /** When the checkpoint is to be kept that has moved by itself, in milliseconds from now. */
  get idleLeftMs(): number {
    return this.idle === undefined ? Number.POSITIVE_INFINITY : this.lastCommit + idleCommitMs - Date.now();
  }

  /** What is known of the record may not be so any more. */
  doubt(): void {
    this.leasedUntil = 0;
    this.atHand.clear();
    this.record = this.record && { ...this.record, token: doubted };
  }

  /** Begins with a record that was not known before. */
  begin(record: GenerationRecord, blocked: readonly BlockedInstance[]): void {
    if (record.checkpoint !== this.left) this.isAlone = false;
    this.blocked.replace(blocked);
    this.atHand.clear();
    this.record = record;
    this.idle = undefined;
  }

  /** A table that is not there is to be told of also while there is nothing to write. @throws what reading it does. */
  async lookAtTable(record: GenerationRecord): Promise<void> {
    if (this.hasLooked || this.definition.kind !== 'entity') return;
    const chunks = this.environment.place.scan(this.definition, record)[Symbol.asyncIterator]();
    await chunks.next();
    await chunks.return?.();
    this.hasLooked = true;
  }

  /** Keeps a checkpoint that has moved by itself. */
  async keepIdle(): Promise<void> {
    const { record, idle } = this;
    if (record === undefined || idle === undefined) return;
    await this.keep(record, { from: record.checkpoint, to: idle, saved: [], removed: [], queued: [], released: [] });
  }

  /** Handlers may take longer than the lease lasts. @param lost Called when another process has it. */
  async keepingLease(work: () => Promise<void>, lost: () => void = () => undefined): Promise<void> {
    const { place, owner, leaseMs } = this.environment;
    const renew = async (): Promise<void> => {
      if (this.isAbandoned) return;
      const held = await place.renew(this.id, owner, leaseMs).catch(() => 'unknown');
      if (held === undefined) lost();
    };
    const renewing = again(() => void renew(), leaseMs / 3).unref();
    try {
      await work();
    } finally {
      clearInterval(renewing);
    }
  }

  /** Keeps changes and checkpoint together. @returns whether they were: others may have changed the record. */
  async keep(record: GenerationRecord, changes: Changes): Promise<boolean> {
    const completed = this.completed(changes);
    return this.took(await this.environment.place.commit(this.definition, record, completed), record, completed);
  }

  /** @returns the changes with what is kept beside them each time. */
  completed(changes: Changes): Changes {
    const { leaseMs } = this.environment;
    return { ...changes, leaseMs, eventsPerSecond: this.rate.perSecond };
  }

  /** Takes note of what was kept; where it was not, what is known of the record is not so any more. */
  took(isKept: boolean, record: GenerationRecord, changes: Changes | undefined): boolean {
    if (!isKept || changes === undefined) {
      this.doubt();
      return false;
    }
    this.lastCommit = Date.now();
    this.left = changes.to;
    this.leasedUntil = this.lastCommit + this.environment.leaseMs / 2;
    this.idle = undefined;
    if (this.record?.token === record.token) this.record = { ...record, checkpoint: changes.to };
    this.blocked.note(changes);
    this.environment.moved();
    return true;
  }

  /** Gives the lease up, once what is known to be done is kept. */
  async release(): Promise<void> {
    if (this.record === undefined) return;
    const { place, owner } = this.environment;
    await this.keepIdle().catch(() => undefined);
    await place.release(this.id, owner).catch(() => undefined);
    this.record = undefined;
  }
}
