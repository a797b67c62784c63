import type { Position } from '../../events/recorded-event';
import type { BlockedInstance, Changes, GenerationRecord, SavedInstance } from '../../store/projection-store';
import type { Load } from '../folding/fold';
import { InstancesAtHand } from '../folding/instances-at-hand';
import type { ProjectionDefinition } from '../folding/projection-definition';
import type { ProjectionFailure } from '../parking/parked-event';

/** What an inline projection needs around it. */
export interface InlineEnvironment {
  now(): Date;
  report(failure: ProjectionFailure): void;
  /** Another version of the class serves now. */
  superseded(): void;
}

/** What this process knows of an inline projection: which of its instances stand still, as of a token. */
export class InlineProjection {
  blocked: ReadonlyMap<string, BlockedInstance> = new Map();
  /** The last position up to which an append of this process has kept it up to date. */
  applied: Position | undefined;
  private readonly failures: ProjectionFailure[] = [];
  private readonly atHand = new InstancesAtHand();
  /** The position as of which instances are at hand; undefined when none are. */
  private handedAt: Position | undefined;

  constructor(
    readonly definition: ProjectionDefinition,
    public record: GenerationRecord,
    private readonly environment: InlineEnvironment,
  ) {}

  readonly now = (): Date => this.environment.now();

  /**
   * @returns whether nothing can have been appended since the instances were at hand. If so, it still has to turn out that
   * nobody has changed them in another way, which the token tells.
   */
  isAt(position: Position | undefined): boolean {
    return position !== undefined && this.handedAt === position;
  }

  /** @returns how to load instances that are not at hand as of a position. */
  loadAsOf(position: Position | undefined, load: Load): Load {
    // Documents may be large; there is no saying how many of them are too many.
    if (this.definition.kind !== 'entity') return load;
    if (!this.isAt(position)) this.atHand.clear();
    return this.atHand.before(load);
  }

  /** Has what was kept at hand, which is so as of a position. */
  hand(position: Position | undefined, saved: readonly SavedInstance[]): void {
    this.handedAt = position;
    if (this.definition.kind === 'entity') this.atHand.keep(saved);
  }

  /** What serves is another version's, whose handlers are not known here. */
  leave(): void {
    this.environment.superseded();
  }

  /** Takes over what is so by now. */
  take(record: GenerationRecord, blocked: readonly BlockedInstance[]): void {
    this.record = record;
    this.handedAt = undefined;
    this.blocked = new Map(blocked.map((instance) => [instance.key, instance]));
  }

  /** Takes note of events that failed within an append, and were not of it. */
  parked({ queued }: Changes, failures: readonly ProjectionFailure[]): void {
    const blocked = new Map(this.blocked);
    for (const { key, values, event, failure } of queued)
      if (failure !== undefined) blocked.set(key, { key, values, event, failure, waiting: 0 });
    this.blocked = blocked;
    this.failures.push(...failures);
  }

  /** The append is over in whose transaction it was kept up to date. */
  ended(how: 'committed' | 'rolledBack', position: Position | undefined): void {
    const failures = this.failures.splice(0);
    if (how === 'committed') {
      this.applied = position;
      for (const failure of failures) this.environment.report(failure);
      return;
    }
    this.handedAt = undefined;
    // What was taken over may have been rolled back as well: with another token it is read again.
    this.record = { ...this.record, token: -1 };
  }
}
